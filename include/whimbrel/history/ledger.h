#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "whimbrel/history/applied_row.h"
#include "whimbrel/postgres/connection.h"

namespace whimbrel::history {

/// The key of the session lock of one (database, ledger schema, set): SHA-256 of `whimbrel` NUL database NUL schema NUL
/// set, first 8 bytes, big-endian, signed. Stable for ever (design §3, Session).
[[nodiscard]] std::int64_t SetLockKey(std::string_view database, std::string_view schema, std::string_view set);

/// Whimbrel's own record: the tables whimbrel_meta, whimbrel_migration, whimbrel_journal and whimbrel_script of one schema. It is the fence
/// (one row can be claimed once) and the detail; where a tool's table is kept, that table says what is applied. Statements
/// that belong into a migration's transaction are given as text, so that the engine sends them in few messages. Names
/// are always schema-qualified. Not thread-safe.
class Ledger {
 public:
  static constexpr int kSchemaVersion = 1;

  Ledger(std::string schema, std::string set);

  [[nodiscard]] const std::string& schema() const { return schema_; }
  [[nodiscard]] const std::string& set() const { return set_; }

  /// Creates schema and tables when they are not there, under a transaction-level lock of its own; refuses a newer
  /// whimbrel_meta. `create_statements` of the error case: see BootstrapStatements.
  postgres::PgResult<void> Bootstrap(postgres::Connection& connection);
  /// What an administrator runs when the role may not create the schema.
  [[nodiscard]] std::string BootstrapAdvice(std::string_view role) const;

  /// All rows of this set, by kind, id, run.
  postgres::PgResult<std::vector<LedgerRow>> Read(postgres::Connection& connection);
  /// Another set of this ledger whose applied rows cover all of (kind, id, raw_sum) given; empty: none (design §3, Identity).
  postgres::PgResult<std::string> FindCoveringSet(postgres::Connection& connection,
                                                  const std::vector<const migration::ResolvedMigration*>& source);

  /// The claim of a transactional migration: INSERT of exactly (set, kind, id, run), state applied. 23505 on
  /// ClaimConstraint() means that somebody else was first: read again.
  [[nodiscard]] std::string ClaimSql(const migration::ResolvedMigration& migration, int run) const;
  /// After the statements: duration and, for run > 1, the older row's state.
  [[nodiscard]] std::string FinishSql(const migration::ResolvedMigration& migration, int run, std::int64_t duration_ms,
                                      bool withdraw_previous) const;
  [[nodiscard]] static bool IsClaimConflict(const postgres::PgError& error);

  /// One transaction's worth of imported rows (origin imported or baseline).
  [[nodiscard]] std::string ImportSql(const std::vector<LedgerRow>& rows) const;

 private:
  std::string schema_;
  std::string set_;
};

}  // namespace whimbrel::history
