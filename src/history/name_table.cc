#include "history/name_table.h"

#include <map>
#include <optional>
#include <set>
#include <utility>

namespace whimbrel::history {

using migration::ResolvedMigration;
using migration::Version;
using postgres::Connection;
using postgres::PgResult;
using postgres::QuoteIdentifier;
using postgres::QuoteLiteral;

namespace {

std::string_view FileName(std::string_view path) { return path.substr(path.rfind('/') + 1); }

std::optional<Version> LeadingNumber(std::string_view name) {
  Result<Version> version = Version::Parse(name.substr(0, name.find_first_not_of("0123456789")));
  if (!version) return std::nullopt;
  return *std::move(version);
}

class NameTable final : public ToolTable {
 public:
  NameTable(CatalogTable table, std::string column)
      : table_(std::move(table)), column_(std::move(column)), reader_(table_) {}

  [[nodiscard]] std::string QualifiedName() const override { return table_.QualifiedName(); }
  [[nodiscard]] std::string QuotedName() const override { return table_.QuotedName(); }
  [[nodiscard]] std::string Describe() const override {
    return "the table " + table_.QualifiedName() + "(" + column_ + ")";
  }
  [[nodiscard]] ToolLocks Locks() const override {
    return {.advisory_keys = {}, .lock_table_in_transaction = true};
  }

  PgResult<void> Create(Connection& connection) override {
    auto created = connection.Execute(
        "CREATE TABLE IF NOT EXISTS " + QuotedName() + " (" + QuoteIdentifier(column_) +
        " text PRIMARY KEY, applied_at timestamptz NOT NULL DEFAULT now())");
    if (!created) return tl::make_unexpected(std::move(created).error());
    return {};
  }

  PgResult<ToolHistory> Read(Connection& connection,
                             const migration::ResolvedMigrations& source) override {
    const std::string column = QuoteIdentifier(column_);
    auto rows =
        reader_.Read(connection, "SELECT " + column + " FROM " + QuotedName() + " WHERE " + column +
                                     " IS NOT NULL ORDER BY " + column + "::text COLLATE \"C\"");
    if (!rows) return tl::make_unexpected(std::move(rows).error());
    if (!*rows) return ToolHistory();
    std::vector<std::string> names;
    names.reserve((*rows)->size());
    for (const auto& row : **rows) names.push_back(row[0].value_or(""));
    return ToolHistory{
        .exists = true, .applied = MatchNames(names, source), .baseline_version = {}};
  }

  [[nodiscard]] std::string OnAppliedSql(const ResolvedMigration& migration,
                                         const StepTimes&) override {
    return "INSERT INTO " + QuotedName() + " (" + QuoteIdentifier(column_) + ") VALUES (" +
           QuoteLiteral(FileName(migration.path)) + ")";
  }

  /// Such a table knows no baselines: the files up to it are entered as if they had been run.
  [[nodiscard]] std::string OnBaselineSql(const migration::Version& baseline,
                                          const migration::ResolvedMigrations& source) override {
    std::string sql;
    for (const ResolvedMigration& file : source.versioned) {
      if (file.version > baseline) break;
      if (!sql.empty()) sql += "; ";
      sql += OnAppliedSql(file, {});
    }
    return sql;
  }

 private:
  CatalogTable table_;
  std::string column_;
  OptionalTableReader reader_;
};

/// Why a table that is there cannot be kept; empty: it can.
std::string WhyUnfit(const CatalogTable& table, const std::string& column) {
  if (!table.HasColumn(column)) {
    return "it has no column " + column + " (its columns: " + table.ColumnNames() +
           "); write the one that holds the file's name as history.table: " +
           table.QualifiedName() + "(COLUMN)";
  }
  std::string unknown;
  for (const CatalogTable::Column& other : table.columns) {
    if (!other.must_be_given || other.name == column) continue;
    if (!unknown.empty()) unknown += ", ";
    unknown += other.name;
  }
  if (unknown.empty()) return {};
  return "it wants values that nobody but its own tool knows: " + unknown +
         " (NOT NULL without default); give them defaults or allow NULL";
}

}  // namespace

std::vector<ToolRow> MatchNames(const std::vector<std::string>& names,
                                const migration::ResolvedMigrations& source) {
  std::map<std::string_view, const ResolvedMigration*, std::less<>> files;
  for (const ResolvedMigration& migration : source.versioned)
    files.emplace(FileName(migration.path), &migration);
  std::vector<ToolRow> rows;
  std::vector<const std::string*> strangers;
  std::set<std::string, std::less<>> taken;
  for (const std::string& name : names) {
    auto file = files.find(name);
    if (file == files.end()) {
      strangers.push_back(&name);
      continue;
    }
    const ResolvedMigration& migration = *file->second;
    if (!taken.insert(migration.id()).second) continue;
    rows.push_back(ToolRow{.kind = migration.kind,
                           .id = migration.id(),
                           .version = migration.version.display(),
                           .description = migration.description,
                           .path = migration.path});
  }
  for (const std::string* name : strangers) {
    std::optional<Version> version = LeadingNumber(*name);
    if (!version || !taken.insert(version->canonical()).second) continue;
    rows.push_back(ToolRow{.id = version->canonical(),
                           .version = version->display(),
                           .description = *name,
                           .path = *name});
  }
  return rows;
}

Result<std::unique_ptr<ToolTable>, ToolTableError> OpenNameTable(Connection& connection,
                                                                 const TableName& name) {
  const std::string column = name.column.empty() ? "name" : name.column;
  auto table = LocateTable(connection, name);
  if (!table) return tl::make_unexpected(std::move(table).error());
  if (table->exists) {
    std::string why = WhyUnfit(*table, column);
    if (!why.empty()) {
      return Unfit("the table " + table->QualifiedName() + " cannot be kept as history: " + why);
    }
  }
  return std::make_unique<NameTable>(*std::move(table), column);
}

}  // namespace whimbrel::history
