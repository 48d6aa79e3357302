#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "whimbrel/history/applied_row.h"
#include "whimbrel/migration/resolved_migration.h"
#include "whimbrel/postgres/connection.h"

namespace whimbrel::history {

/// One row of whimbrel_journal: a step of a file that is not one transaction.
struct JournalRow {
  migration::Kind kind = migration::Kind::kVersioned;
  std::string id;  ///< As LedgerRow::id.
  int run = 1;
  int step = 1;  ///< 1-based, within the file.
  std::string sql_hash;
  std::optional<std::string> found;  ///< JSON; what the catalog said at the first intent.
  bool done = false;
};

/// One run of one migration by one attempt: what every later bookkeeping transaction of the file
/// has to find unchanged.
struct Claim {
  const migration::ResolvedMigration* migration = nullptr;
  int run = 1;
  int attempt = 1;
};

/// The record of files that are not one transaction (design §3, "A file that is not one
/// transaction" and "Taking over a running row"). Like Ledger: statements as text, names
/// schema-qualified, immutable.
class Journal {
 public:
  Journal(std::string_view schema, std::string set);

  /// Rows of the migrations of this set whose state is running, by step.
  postgres::PgResult<std::vector<JournalRow>> Read(postgres::Connection& connection) const;

  /// Makes the claim of an earlier attempt ours: one row with the new attempt number; none when
  /// somebody else was faster (plan anew).
  [[nodiscard]] std::string TakeOverSql(const Claim& as_read) const;

  /// A query with one row and column, the number of rows that hold the claim: 1, or 0 when it is
  /// lost (stop). Locks the row until the end of the transaction.
  [[nodiscard]] std::string FenceSql(const Claim& claim) const;
  /// The same, and, behind the fence, the row of a step that is done when this transaction commits.
  [[nodiscard]] std::string FenceAndStepSql(const Claim& claim, int step,
                                            std::string_view sql_hash) const;

  /// Before a statement that cannot be rolled back: what was found is recorded once; a step whose
  /// text was mended starts anew.
  [[nodiscard]] std::string IntentSql(const Claim& claim, int step, std::string_view sql_hash,
                                      std::string_view found) const;
  [[nodiscard]] std::string DoneSql(const Claim& claim, int step) const;

 private:
  /// `set = … AND kind = … AND id = … AND run = …`.
  [[nodiscard]] std::string Key(const Claim& claim) const;
  /// The values of the same four columns.
  [[nodiscard]] std::string KeyValues(const Claim& claim) const;
  /// `set = … AND … AND state = 'running' AND attempt = …`.
  [[nodiscard]] std::string Held(const Claim& claim) const;

  std::string set_;
  std::string migrations_;  ///< Quoted name of whimbrel_migration.
  std::string journal_;     ///< Quoted name of whimbrel_journal.
};

}  // namespace whimbrel::history
