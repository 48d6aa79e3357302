#include "whimbrel/history/ledger.h"

#include <utility>

#include "history/ledger_row_text.h"
#include "history/ledger_schema.h"
#include "whimbrel/postgres/sqlstate.h"

namespace whimbrel::history {

using migration::ResolvedMigration;
using postgres::PgError;
using postgres::PgResult;
using postgres::QuoteLiteral;

Ledger::Ledger(std::string schema, std::string set)
    : schema_(std::move(schema)), set_(std::move(set)) {}

std::string Ledger::Table(std::string_view name) const { return LedgerTable(schema_, name); }

std::string Ledger::KeyCondition(const ResolvedMigration& migration) const {
  return "set = " + QuoteLiteral(set_) + " AND kind = " + QuoteLiteral(ToText(migration.kind)) +
         " AND id = " + QuoteLiteral(migration.id());
}

PgResult<std::vector<LedgerRow>> Ledger::Read(postgres::Connection& connection) const {
  auto rows = connection.Execute("SELECT " + std::string(kLedgerRowColumns) + " FROM " +
                                 Table(kMigrationTable) + " WHERE set = " + QuoteLiteral(set_));
  if (!rows) return tl::make_unexpected(std::move(rows).error());
  std::vector<LedgerRow> result;
  result.reserve(rows->size());
  for (auto& row : std::move(*rows).Take()) result.push_back(ToLedgerRow(std::move(row)));
  return result;
}

PgResult<std::string> Ledger::FindCoveringSet(
    postgres::Connection& connection, const std::vector<const ResolvedMigration*>& source) const {
  if (source.empty()) return std::string();
  std::string values;
  for (const ResolvedMigration* migration : source) {
    values += values.empty() ? "(" : ", (";
    values += QuoteLiteral(ToText(migration->kind)) + ", " + QuoteLiteral(migration->id()) + ", " +
              QuoteLiteral(migration->raw_sum) + ")";
  }
  auto rows = connection.Execute(
      "SELECT m.set FROM " + Table(kMigrationTable) + " m JOIN (VALUES " + values +
      ") AS wanted (kind, id, raw_sum) ON m.kind = wanted.kind AND m.id = wanted.id AND m.raw_sum "
      "= "
      "wanted.raw_sum WHERE m.state = 'applied' AND m.set <> " +
      QuoteLiteral(set_) + " GROUP BY m.set HAVING count(DISTINCT (m.kind, m.id)) = " +
      std::to_string(source.size()) + " ORDER BY m.set LIMIT 1");
  if (!rows) return tl::make_unexpected(std::move(rows).error());
  return rows->empty() ? std::string() : (*rows)[0][0].value_or("");
}

std::string Ledger::ClaimSql(const ResolvedMigration& migration, int run) const {
  LedgerRow row;
  row.kind = migration.kind;
  row.id = migration.id();
  row.run = run;
  row.version = migration.version.display();
  row.description = migration.description;
  row.path = migration.path;
  row.sum = migration.sum;
  row.raw_sum = migration.raw_sum;
  return InsertLedgerRowsSql(Table(kMigrationTable), set_, {&row, 1});
}

bool Ledger::IsClaimConflict(const PgError& error) const {
  return error.sql_state == postgres::kUniqueViolation &&
         error.constraint == schema_ + "." + std::string(kClaimConstraint);
}

std::string Ledger::KeepScriptSql(const ResolvedMigration& migration, int run,
                                  std::string_view down_sql) const {
  const std::string& path = migration.down ? migration.down->file->path() : migration.path;
  return "INSERT INTO " + Table(kScriptTable) +
         " (set, kind, id, run, path, down_sum, down_sql) VALUES (" + QuoteLiteral(set_) + ", " +
         QuoteLiteral(ToText(migration.kind)) + ", " + QuoteLiteral(migration.id()) + ", " +
         std::to_string(run) + ", " + QuoteLiteral(path) + ", " + QuoteLiteral(migration.down_sum) +
         ", " + QuoteLiteral(down_sql) + ")";
}

std::string Ledger::FinishSql(const ResolvedMigration& migration, int run, std::int64_t duration_ms,
                              bool withdraw_previous) const {
  const std::string key = KeyCondition(migration);
  const std::string number = std::to_string(run);
  std::string sql =
      "UPDATE " + Table(kMigrationTable) +
      " SET applied_at = clock_timestamp(), duration_ms = " + std::to_string(duration_ms) +
      " WHERE " + key + " AND run = " + number;
  if (withdraw_previous) {
    sql += "; UPDATE " + Table(kMigrationTable) + " SET state = 'withdrawn' WHERE " + key +
           " AND run < " + number + " AND state = 'applied'";
  }
  return sql;
}

std::string Ledger::ImportSql(const std::vector<LedgerRow>& rows) const {
  return rows.empty() ? std::string() : InsertLedgerRowsSql(Table(kMigrationTable), set_, rows);
}

}  // namespace whimbrel::history
