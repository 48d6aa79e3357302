#include "history/flyway_table.h"

#include <algorithm>
#include <array>
#include <limits>
#include <utility>

#include "history/flyway_history.h"
#include "history/ledger_row_text.h"

namespace whimbrel::history {

using migration::ResolvedMigration;
using postgres::Connection;
using postgres::PgResult;
using postgres::QuoteIdentifier;
using postgres::QuoteLiteral;

namespace {

constexpr std::array<std::string_view, 10> kColumns = {
    "installed_rank", "version",      "description",  "type",           "script",
    "checksum",       "installed_by", "installed_on", "execution_time", "success"};

class FlywayTable final : public ToolTable {
 public:
  explicit FlywayTable(CatalogTable table) : table_(std::move(table)), reader_(table_) {}

  [[nodiscard]] std::string QualifiedName() const override { return table_.QualifiedName(); }
  [[nodiscard]] std::string QuotedName() const override { return table_.QuotedName(); }
  [[nodiscard]] std::string Describe() const override {
    return "Flyway's table " + table_.QualifiedName();
  }
  [[nodiscard]] ToolLocks Locks() const override {
    return {.advisory_keys = {FlywayLockKey(QuotedName())}, .lock_table_in_transaction = false};
  }

  PgResult<void> Create(Connection& connection) override;
  PgResult<ToolHistory> Read(Connection& connection,
                             const migration::ResolvedMigrations& source) override;
  [[nodiscard]] std::string OnAppliedSql(const ResolvedMigration& migration,
                                         const StepTimes& times) override;
  [[nodiscard]] std::string OnBaselineSql(const migration::Version& baseline,
                                          const migration::ResolvedMigrations& /*source*/) override;

 private:
  CatalogTable table_;
  OptionalTableReader reader_;
};

/// Flyway's own statements (database/postgresql/PostgreSQLDatabase.getRawCreateScript).
std::string CreateSql(const CatalogTable& table) {
  const std::string name = table.QuotedName();
  return "CREATE TABLE " + name +
         " (\"installed_rank\" INT NOT NULL, \"version\" VARCHAR(50), \"description\" VARCHAR(200) "
         "NOT NULL, "
         "\"type\" VARCHAR(20) NOT NULL, \"script\" VARCHAR(1000) NOT NULL, \"checksum\" INTEGER, "
         "\"installed_by\" VARCHAR(100) NOT NULL, \"installed_on\" TIMESTAMP NOT NULL DEFAULT "
         "now(), "
         "\"execution_time\" INTEGER NOT NULL, \"success\" BOOLEAN NOT NULL); ALTER TABLE " +
         name + " ADD CONSTRAINT " + QuoteIdentifier(table.table + "_pk") +
         " PRIMARY KEY (\"installed_rank\"); CREATE INDEX " +
         QuoteIdentifier(table.table + "_s_idx") + " ON " + name + " (\"success\")";
}

/// One row; texts are SQL. installed_on is left to its default, as Flyway leaves it.
struct RowSql {
  std::string rank;
  std::string version = "NULL";
  std::string description;
  std::string type;
  std::string script;
  std::string checksum = "NULL";
  std::int64_t execution_time = 0;
};

/// The rank behind all others. Safe to compute: the run holds the lock under which Flyway writes.
constexpr std::string_view kNextRank = "coalesce(max(installed_rank), 0) + 1";

std::string InsertSql(const CatalogTable& table, const RowSql& row) {
  return "INSERT INTO " + table.QuotedName() +
         " (installed_rank, version, description, type, script, checksum, installed_by, "
         "execution_time, success) SELECT " +
         row.rank + ", " + row.version + ", " + QuoteLiteral(row.description) + ", " +
         QuoteLiteral(row.type) + ", " + QuoteLiteral(row.script) + ", " + row.checksum +
         ", current_user, " + std::to_string(row.execution_time) + ", true FROM " +
         table.QuotedName();
}

/// What Flyway writes when it had to create the schema: `flyway clean` may then drop it.
std::string SchemaMarkerSql(const CatalogTable& table) {
  // The aggregate makes it one row although the table is empty.
  return InsertSql(table, {.rank = "count(*)",
                           .description = "<< Flyway Schema Creation >>",
                           .type = "SCHEMA",
                           .script = QuoteIdentifier(table.schema)});
}

PgResult<void> FlywayTable::Create(Connection& connection) {
  auto now = FindTable(connection, {.schema = table_.schema, .table = table_.table, .column = {}});
  if (!now) return tl::make_unexpected(std::move(now).error());
  if (now->exists) return {};
  std::string sql = CreateSql(table_);
  if (!now->schema_exists) {
    sql = "CREATE SCHEMA " + QuoteIdentifier(table_.schema) + "; " + sql + "; " +
          SchemaMarkerSql(table_);
  }
  auto created = connection.Execute(sql);
  if (!created) return tl::make_unexpected(std::move(created).error());
  return {};
}

PgResult<ToolHistory> FlywayTable::Read(Connection& connection,
                                        const migration::ResolvedMigrations& source) {
  // installed_on is local time of whichever session wrote it; nobody recorded which, so ours is
  // taken.
  auto rows = reader_.Read(
      connection,
      "SELECT version, description, type, script, checksum, success, (date_part('epoch', "
      "installed_on::timestamptz) * 1000000)::int8 FROM " +
          QuotedName() + " ORDER BY installed_rank");
  if (!rows) return tl::make_unexpected(std::move(rows).error());
  if (!*rows) return ToolHistory();
  std::vector<FlywayRow> history;
  history.reserve((*rows)->size());
  for (const auto& row : **rows) {
    history.push_back({.version = row[0],
                       .description = row[1].value_or(""),
                       .type = row[2].value_or(""),
                       .script = row[3].value_or(""),
                       .checksum = row[4],
                       .success = row.View(5) == "t",
                       .installed_on = ToTime(row.View(6))});
  }
  return ReadFlywayHistory(std::move(history), source);
}

std::string FlywayTable::OnAppliedSql(const ResolvedMigration& migration, const StepTimes& times) {
  RowSql row{.rank = std::string(kNextRank),
             .description = FlywayDescription(migration.description),
             .type = "SQL",
             .script = FlywayScript(migration.path),
             .checksum = migration.sum};
  if (!migration.version.empty()) row.version = QuoteLiteral(migration.version.display());
  row.execution_time =
      std::clamp<std::int64_t>(times.duration.count(), 0, std::numeric_limits<std::int32_t>::max());
  return InsertSql(table_, row);
}

std::string FlywayTable::OnBaselineSql(const migration::Version& baseline,
                                       const migration::ResolvedMigrations& /*source*/) {
  return InsertSql(table_, {.rank = std::string(kNextRank),
                            .version = QuoteLiteral(baseline.display()),
                            .description = "<< Flyway Baseline >>",
                            .type = "BASELINE",
                            .script = "<< Flyway Baseline >>"});
}

}  // namespace

Result<std::unique_ptr<ToolTable>, ToolTableError> OpenFlywayTable(Connection& connection,
                                                                   const TableName& name) {
  if (!name.column.empty()) {
    return Unfit("history.table names the column " + name.column +
                 ", but Flyway's table has columns of its own: leave it out");
  }
  auto table = LocateTable(connection, name);
  if (!table) return tl::make_unexpected(std::move(table).error());
  for (std::string_view column : kColumns) {
    if (!table->exists || table->HasColumn(column)) continue;
    return Unfit("the table " + table->QualifiedName() +
                 " is not Flyway's history: it has no column " + std::string(column) +
                 " (its columns: " + table->ColumnNames() + "); name another in history.table");
  }
  return std::make_unique<FlywayTable>(*std::move(table));
}

}  // namespace whimbrel::history
