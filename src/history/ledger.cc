#include "whimbrel/history/ledger.h"

#include <map>
#include <optional>
#include <utility>

#include "history/ledger_row_text.h"
#include "history/ledger_schema.h"
#include "whimbrel/postgres/sqlstate.h"

namespace whimbrel::history {

using migration::ResolvedMigration;
using postgres::PgError;
using postgres::PgResult;
using postgres::QuoteLiteral;

namespace {

/// By id; of the newest applied run.
using RawSums = std::map<std::string, std::optional<std::string>, std::less<>>;

migration::Version Highest(const RawSums& sums) {
  migration::Version highest;
  for (const auto& [id, sum] : sums) {
    Result<migration::Version> version = migration::Version::Parse(id);
    if (version && (highest.empty() || *version > highest)) highest = *std::move(version);
  }
  return highest;
}

/// `files`, of one kind, up to the highest version of `sums` have equal raw sums there.
bool Covers(const RawSums& sums, const std::vector<ResolvedMigration>& files) {
  const bool versioned = files.front().kind == migration::Kind::kVersioned;
  const migration::Version highest = versioned ? Highest(sums) : migration::Version();
  for (const ResolvedMigration& file : files) {
    if (versioned && file.version > highest) break;
    const auto found = sums.find(file.id());
    if (found == sums.end() || found->second != file.raw_sum) return false;
  }
  return true;
}

}  // namespace

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
  for (const auto& row : *rows) result.push_back(ToLedgerRow(row));
  return result;
}

PgResult<std::vector<std::string>> Ledger::ReadSets(postgres::Connection& connection) const {
  auto rows =
      connection.Execute("SELECT DISTINCT set FROM " + Table(kMigrationTable) + " ORDER BY set");
  if (!rows) return tl::make_unexpected(std::move(rows).error());
  std::vector<std::string> sets;
  for (const auto& row : *rows) sets.push_back(row[0].value_or(""));
  return sets;
}

PgResult<std::string> Ledger::FindCoveringSet(postgres::Connection& connection,
                                              const migration::ResolvedMigrations& source) const {
  const auto& files = source.versioned.empty() ? source.repeatable : source.versioned;
  if (files.empty()) return std::string();
  const ResolvedMigration& first = files.front();
  // Only sets that have the first file can cover it: of a ledger that many sources share, few rows
  // travel.
  const std::string applied = Table(kMigrationTable) + " WHERE state = 'applied' AND kind = " +
                              QuoteLiteral(ToText(first.kind));
  auto rows = connection.Execute(
      "SELECT set, id, raw_sum FROM " + applied + " AND set <> " + QuoteLiteral(set_) +
      " AND set IN (SELECT set FROM " + applied + " AND id = " + QuoteLiteral(first.id()) +
      " AND raw_sum = " + QuoteLiteral(first.raw_sum) + ") ORDER BY set, run");
  if (!rows) return tl::make_unexpected(std::move(rows).error());
  std::map<std::string, RawSums> sets;
  for (const auto& row : *rows) sets[row[0].value_or("")][row[1].value_or("")] = row[2];
  for (const auto& [set, sums] : sets) {
    if (Covers(sums, files)) return set;
  }
  return std::string();
}

std::string Ledger::ClaimSql(const ResolvedMigration& migration, int run, LedgerState state) const {
  LedgerRow row;
  row.kind = migration.kind;
  row.id = migration.id();
  row.run = run;
  row.state = state;
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

std::string Ledger::FinishSql(const ResolvedMigration& migration, int run,
                              const Finish& finish) const {
  const std::string key = KeyCondition(migration);
  const std::string number = std::to_string(run);
  std::string sql = "UPDATE " + Table(kMigrationTable) +
                    " SET applied_at = clock_timestamp(), duration_ms = " +
                    std::to_string(finish.duration.count());
  if (finish.was_running) {
    sql += ", state = 'applied', sum = " + QuoteLiteral(migration.sum) +
           ", raw_sum = " + QuoteLiteral(migration.raw_sum) +
           ", description = " + QuoteLiteral(migration.description) +
           ", path = " + QuoteLiteral(migration.path);
  }
  sql += " WHERE " + key + " AND run = " + number;
  if (finish.withdraws_previous) {
    sql += "; UPDATE " + Table(kMigrationTable) + " SET state = 'withdrawn' WHERE " + key +
           " AND run < " + number + " AND state = 'applied'";
  }
  return sql;
}

std::string Ledger::ImportSql(const std::vector<LedgerRow>& rows) const {
  return rows.empty() ? std::string() : InsertLedgerRowsSql(Table(kMigrationTable), set_, rows);
}

}  // namespace whimbrel::history
