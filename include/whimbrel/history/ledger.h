#pragma once

#include <chrono>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "whimbrel/history/applied_row.h"
#include "whimbrel/migration/resolved_migration.h"
#include "whimbrel/postgres/connection.h"

namespace whimbrel::history {

/// The key of the session lock of one (database, ledger schema, set): SHA-256 of `whimbrel` NUL
/// database NUL schema NUL set, first 8 bytes, big-endian, signed. Stable for ever (design §3,
/// Session).
[[nodiscard]] std::int64_t SetLockKey(std::string_view database, std::string_view schema,
                                      std::string_view set);

/// Whimbrel's own record: the tables whimbrel_meta, whimbrel_migration, whimbrel_journal and
/// whimbrel_script of one schema (DDL and the meaning of each column:
/// src/history/ledger_schema.cc). It is the fence (one row can be claimed once) and the detail;
/// where a tool's table is kept, that table says what is applied.
///
/// Statements that belong into a migration's transaction are given as text, so that the engine
/// sends them in few messages. Names are always schema-qualified: a migration may leave any
/// search_path. Immutable, hence thread-safe as far as the connections are not shared.
class Ledger {
 public:
  static constexpr int kSchemaVersion = 1;

  /// `schema` as in the catalog; `set` is the tool's ToolTable::QualifiedName() where one is kept,
  /// else history.set (design §3, Identity).
  Ledger(std::string schema, std::string set);

  [[nodiscard]] const std::string& schema() const { return schema_; }
  [[nodiscard]] const std::string& set() const { return set_; }

  /// Creates schema and tables when they are not there, in one transaction under a
  /// transaction-level lock of its own, so that any number of runners may try at once; outside a
  /// transaction. One round trip when all is there. Errors of its own making: 0A000 when a newer
  /// Whimbrel made the tables. With 42501 the hint holds the exact statements that an administrator
  /// must run.
  postgres::PgResult<void> Bootstrap(postgres::Connection& connection) const;

  /// All rows of this set, in no order.
  postgres::PgResult<std::vector<LedgerRow>> Read(postgres::Connection& connection) const;
  /// The names of all sets of this schema, sorted.
  postgres::PgResult<std::vector<std::string>> ReadSets(postgres::Connection& connection) const;
  /// Another set of this ledger that has this source's beginning applied: every versioned
  /// migration up to that set's highest applied version, at least one, with an equal raw sum. So a
  /// source that moves to another history (design §3, Identity) is noticed although it has got
  /// newer files meanwhile. A source of repeatables alone: all of them. Empty: none.
  postgres::PgResult<std::string> FindCoveringSet(
      postgres::Connection& connection, const migration::ResolvedMigrations& source) const;

  /// The claim: INSERT of exactly (set, kind, id, run). State applied for a migration that is one
  /// transaction, else running.
  [[nodiscard]] std::string ClaimSql(const migration::ResolvedMigration& migration, int run,
                                     LedgerState state = LedgerState::kApplied) const;
  /// Whether a claim or an import failed because somebody else was first: roll back, read again,
  /// plan anew.
  [[nodiscard]] bool IsClaimConflict(const postgres::PgError& error) const;
  /// Keeps the down part of a migration that has one, for a rollback without yesterday's files;
  /// behind the claim, in its transaction. `down_sql` are the bytes of migration.down.
  [[nodiscard]] std::string KeepScriptSql(const migration::ResolvedMigration& migration, int run,
                                          std::string_view down_sql) const;
  /// How a migration ended.
  struct Finish {
    std::chrono::milliseconds duration{0};
    /// The older run, which the tool's table took back, becomes withdrawn.
    bool withdraws_previous = false;
    /// The claim said running: becomes applied, with the sums that the file has now; it may have
    /// been mended between two attempts.
    bool was_running = false;
  };
  /// After the statements: duration, server time and what else `finish` says.
  [[nodiscard]] std::string FinishSql(const migration::ResolvedMigration& migration, int run,
                                      const Finish& finish) const;

  /// One transaction's worth of imported rows (origin imported or baseline); empty without rows.
  [[nodiscard]] std::string ImportSql(const std::vector<LedgerRow>& rows) const;

 private:
  /// `"schema"."table"`.
  [[nodiscard]] std::string Table(std::string_view name) const;
  /// `set = … AND kind = … AND id = …`.
  [[nodiscard]] std::string KeyCondition(const migration::ResolvedMigration& migration) const;

  std::string schema_;
  std::string set_;
};

}  // namespace whimbrel::history
