#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "whimbrel/base/error.h"
#include "whimbrel/migration/resolved_migration.h"

namespace whimbrel::engine {

/// What pass 1 found out about one script (design §3: hash, split, check), enough to run it in
/// pass 2.
struct ScriptOutline {
  std::uint64_t statements = 0;  ///< That will be sent.
  /// Modes of the transaction, taken from the file's own BEGIN or leading SET TRANSACTION; empty:
  /// the default.
  std::string transaction_modes;
  /// Offsets of statements that ours take the place of: the file's own BEGIN, COMMIT, SET
  /// TRANSACTION. SIZE_MAX: none.
  std::uint64_t begin_offset = UINT64_MAX;
  std::uint64_t commit_offset = UINT64_MAX;
  std::uint64_t set_transaction_offset = UINT64_MAX;
  std::string sha256;  ///< Of the script's bytes, to be compared in pass 2.

  [[nodiscard]] bool Replaces(std::uint64_t offset) const {
    return offset == begin_offset || offset == commit_offset || offset == set_transaction_offset;
  }
};

/// Reads a script once and decides whether it can run as one transaction of ours. Refused, with the
/// statement's position and the way out (ErrorKind::kInvalidArgument): a statement that cannot run
/// in a transaction, transaction control other than one BEGIN/COMMIT pair around the whole file,
/// READ ONLY, and statements that would take our locks away. Memory is bounded by the largest
/// statement.
[[nodiscard]] Result<ScriptOutline> OutlineScript(const migration::Script& script,
                                                  bool standard_conforming_strings);

/// OutlineScript of `up`, after which its bytes are known to be those that the sums of the
/// migration were made of; else kSourceChanged, also when the file is no longer there.
[[nodiscard]] Result<ScriptOutline> OutlineMigration(const migration::ResolvedMigration& migration,
                                                     bool standard_conforming_strings);

/// Reads `up` again: kSourceChanged when it is not what the sums were made of. For whoever failed
/// over a text and wants to know whose fault it is.
[[nodiscard]] Result<void> CheckUnchanged(const migration::ResolvedMigration& migration);

}  // namespace whimbrel::engine
