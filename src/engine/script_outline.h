#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "whimbrel/base/error.h"
#include "whimbrel/migration/resolved_migration.h"
#include "whimbrel/sql/directives.h"

namespace whimbrel::engine {

/// One part of a script, carried out and recorded as a whole.
struct ScriptStep {
  /// One statement outside of any transaction; else statements in a transaction of ours.
  bool single = false;
  std::uint64_t statements = 0;   ///< That will be sent.
  std::string transaction_modes;  ///< Of the file's own BEGIN or SET TRANSACTION; empty: default.
  SourcePosition position;        ///< Of the first statement.
  std::string sha256;             ///< Of the statements and their COPY data; names the step.
  /// Literal SET, RESET, SET ROLE, set_config(…, false) of this step, which the file's later steps
  /// have to find.
  std::vector<std::string> session_settings;
};

/// What pass 1 found out about one script (design §3: hash, split, check), enough to run it in
/// pass 2.
struct ScriptOutline {
  std::vector<ScriptStep> steps;  ///< At least one.
  std::uint64_t statements = 0;   ///< Of all steps.
  sql::Directives file;           ///< Those for the whole file.
  /// Those for one statement, by its offset; only of statements that have any.
  std::map<std::uint64_t, sql::Directives> directives;
  /// Offsets of statements that ours take the place of: the file's own BEGIN, COMMIT, SET
  /// TRANSACTION.
  std::set<std::uint64_t> replaced;
  std::string sha256;  ///< Of the script's bytes, to be compared in pass 2.

  /// The whole file in one transaction, without a journal.
  [[nodiscard]] bool is_one_transaction() const {
    return steps.size() == 1 && !steps.front().single;
  }
  [[nodiscard]] sql::Directives DirectivesAt(std::uint64_t offset) const {
    const auto found = directives.find(offset);
    return found == directives.end() ? sql::Directives{} : found->second;
  }
};

/// How files are cut into steps where they do not say so themselves.
struct OutlineOptions {
  bool standard_conforming_strings = true;  ///< Of the session.
  /// kOne: execution.transaction All, each file has to fit into one transaction; kNone: None.
  sql::TransactionMode transaction = sql::TransactionMode::kDefault;
};

/// Reads a script once and decides how it is carried out. One transaction where that is possible.
/// Else (design §3, "A file that is not one transaction") several steps: each statement of table
/// (a) of reference/reliability.md alone, each BEGIN … COMMIT block of the file, and what stands
/// between them together; with transaction=none each statement on its own. Refused, with the
/// statement's position and the way out (ErrorKind::kInvalidArgument): transaction control that
/// cannot be followed safely, READ ONLY, statements that would take our locks away, what can
/// neither be verified nor repeated, and session state (temporary tables, PREPARE, …) that a later
/// step might miss. Memory is bounded by the largest statement and the number of steps.
[[nodiscard]] Result<ScriptOutline> OutlineScript(const migration::Script& script,
                                                  const OutlineOptions& options);

/// OutlineScript of `up`, after which its bytes are known to be those that the sums of the
/// migration were made of; else kSourceChanged, also when the file is no longer there.
[[nodiscard]] Result<ScriptOutline> OutlineMigration(const migration::ResolvedMigration& migration,
                                                     const OutlineOptions& options);

/// Reads `up` again: kSourceChanged when it is not what the sums were made of. For whoever failed
/// over a text and wants to know whose fault it is.
[[nodiscard]] Result<void> CheckUnchanged(const migration::ResolvedMigration& migration);

}  // namespace whimbrel::engine
