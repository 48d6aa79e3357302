#pragma once

#include <chrono>
#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "whimbrel/history/applied_row.h"
#include "whimbrel/migration/resolved_migration.h"
#include "whimbrel/postgres/connection.h"

namespace whimbrel::history {

/// When the row of one migration is written, and what is known then.
struct StepTimes {
  std::chrono::milliseconds duration{0};
};

/// How a tool keeps two writers apart (reference/engines.md §4).
struct ToolLocks {
  /// Keys to hold for the whole run, taken in ascending order by polling pg_try_advisory_lock.
  std::vector<std::int64_t> advisory_keys;
  /// Tools without an advisory lock: every transaction locks the table IN SHARE ROW EXCLUSIVE MODE
  /// before the claim and reads it again; not as planned => plan anew.
  bool lock_table_in_transaction = false;
};

/// A tool's own history table: read, and kept so that the tool itself finds it as if it had run the
/// migrations. One adapter per tool; every adapter passes
/// tests/unit/history/tool_table_conformance_pgtest.cc. What the nine tools of design §4 need of
/// this interface:
///
///  - Flyway: one key (the name's hash). Reads the effective state by rank (DELETE, UNDO). Applied:
///    INSERT rank + 1. A file that failed half-way has no row, as Flyway 11 leaves none on
///    PostgreSQL.
///  - Name table: locks the table. One row a file; applied: INSERT of the name.
///  - Liquibase: a row as lock (TryBeforeRun, AfterRun). Reads by id + author + path and exectype.
///    Applied: INSERT orderexecuted + 1, or UPDATE when run again. Sums v8 and v9 in ToolRow::sum.
///  - golang-migrate: two keys. Reads every version of the source up to the row's. Applied: DELETE
///    and INSERT (version, false). BeforeStep: dirty=true for a file that is not one transaction.
///  - Atlas: one key. Reads rows with applied = total. Applied: UPDATE of the row that BeforeStep
///    wrote; a file that is not one transaction also counts its statements there.
///  - Alembic: locks the table. Reads heads, closed over the down revisions of the source. The file
///    writes its own row (FileWritesOwnRow); afterwards it must be there.
///  - Goose: locks the table (and its library's key). Reads the newest id per version_id. Applied:
///    INSERT version_id. Create also writes row 0.
///  - Dbmate: locks the table. One row a version; applied: INSERT of the version.
///  - Sqitch: one key, and LOCK TABLE changes. Reads the changes of one project in deploy order.
///    Applied: INSERT into changes, events, dependencies and tags.
///
/// All calls are made with the run's locks held, on the run's own session, under `database.role`
/// when set; every name is schema-qualified. Not thread-safe; one object per run.
class ToolTable {
 public:
  virtual ~ToolTable() = default;

  /// `schema.table` as in the catalog: the identity of the set (design §3, Identity).
  [[nodiscard]] virtual std::string QualifiedName() const = 0;
  /// `"schema"."table"`, for SQL.
  [[nodiscard]] virtual std::string QuotedName() const = 0;
  /// For people: `Flyway's table public.flyway_schema_history`.
  [[nodiscard]] virtual std::string Describe() const = 0;
  [[nodiscard]] virtual ToolLocks Locks() const = 0;

  /// Locks of the tool that are not advisory keys (Liquibase's row); held until AfterRun or the
  /// session's end. False: somebody else has them, try again later.
  virtual postgres::PgResult<bool> TryBeforeRun(postgres::Connection&) { return true; }
  virtual void AfterRun(postgres::Connection&) {}

  /// Creates the table as the tool itself would; called when it is not there and the set has
  /// nothing applied. Harmless when it is there.
  virtual postgres::PgResult<void> Create(postgres::Connection& connection) = 0;
  /// What the tool would say is applied, given these files. Inside a transaction it sees what that
  /// transaction wrote.
  virtual postgres::PgResult<ToolHistory> Read(postgres::Connection& connection,
                                               const migration::ResolvedMigrations& source) = 0;

  /// Before the first statement of a file that is not one transaction, inside the transaction of
  /// its claim.
  virtual postgres::PgResult<void> BeforeStep(postgres::Connection&,
                                              const migration::ResolvedMigration&) {
    return {};
  }
  /// The SQL that records one migration as applied, for the transaction that applies it; empty when
  /// the file itself writes the row. Text, so that the engine can send it together with its own
  /// bookkeeping in one message.
  [[nodiscard]] virtual std::string OnAppliedSql(const migration::ResolvedMigration& migration,
                                                 const StepTimes& times) = 0;
  /// The SQL that records history.baselineVersion in an empty history: versions up to it count as
  /// applied although nobody ran them here.
  [[nodiscard]] virtual std::string OnBaselineSql(const migration::Version& baseline,
                                                  const migration::ResolvedMigrations& source) = 0;
  [[nodiscard]] virtual bool FileWritesOwnRow() const { return false; }
};

}  // namespace whimbrel::history
