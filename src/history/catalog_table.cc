#include "history/catalog_table.h"

#include <algorithm>
#include <optional>
#include <utility>

#include "history/ledger_schema.h"
#include "whimbrel/postgres/sqlstate.h"

namespace whimbrel::history {

using postgres::PgResult;

namespace {

/// $1 schema or '' for search_path, $2 table. One row for each column; one without a column when
/// there is no table. Views and foreign tables are no histories.
constexpr std::string_view kFindTable = R"sql(
SELECT place.nspname,
       EXISTS (SELECT FROM pg_catalog.pg_namespace n WHERE n.nspname = place.nspname),
       found.oid IS NOT NULL,
       a.attname,
       a.attnotnull AND NOT a.atthasdef AND a.attidentity = '' AND t.typdefault IS NULL
FROM (SELECT 1) one
LEFT JOIN LATERAL (
  SELECT c.oid, n.nspname
  FROM pg_catalog.pg_class c JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
  WHERE c.relname = $2 AND c.relkind IN ('r', 'p')
    AND CASE WHEN $1 = '' THEN n.nspname = ANY (current_schemas(false)) ELSE n.nspname = $1 END
  ORDER BY array_position(current_schemas(false), n.nspname) LIMIT 1) found ON true
CROSS JOIN LATERAL (
  SELECT coalesce(found.nspname, nullif($1, '')::name, current_schema()) AS nspname) place
LEFT JOIN pg_catalog.pg_attribute a
  ON a.attrelid = found.oid AND a.attnum > 0 AND NOT a.attisdropped
LEFT JOIN pg_catalog.pg_type t ON t.oid = a.atttypid
ORDER BY a.attnum
)sql";

}  // namespace

std::string CatalogTable::QuotedName() const { return LedgerTable(schema, table); }

bool CatalogTable::HasColumn(std::string_view name) const {
  return std::any_of(columns.begin(), columns.end(),
                     [&](const Column& c) { return c.name == name; });
}

std::string CatalogTable::ColumnNames() const {
  std::string names;
  for (const Column& column : columns) {
    if (!names.empty()) names += ", ";
    names += column.name;
  }
  return names;
}

PgResult<CatalogTable> FindTable(postgres::Connection& connection, const TableName& name) {
  auto rows = connection.Query(kFindTable, {name.schema, name.table});
  if (!rows) return tl::make_unexpected(std::move(rows).error());
  CatalogTable table;
  table.table = name.table;
  const auto& first = (*rows)[0];
  table.schema = first[0].value_or("");
  table.schema_exists = first[1] == "t";
  table.exists = first[2] == "t";
  for (const auto& row : *rows) {
    if (row[3]) table.columns.push_back({.name = *row[3], .must_be_given = row[4] == "t"});
  }
  return table;
}

tl::unexpected<ToolTableError> Unfit(std::string message) {
  return tl::make_unexpected(
      ToolTableError(Error{.kind = ErrorKind::kInvalidArgument, .message = std::move(message)}));
}

Result<CatalogTable, ToolTableError> LocateTable(postgres::Connection& connection,
                                                 const TableName& name) {
  auto table = FindTable(connection, name);
  if (!table) return tl::make_unexpected(ToolTableError(std::move(table).error()));
  if (table->schema.empty()) {
    return Unfit("no schema of this role's search_path exists: write history.table as `SCHEMA." +
                 name.table + "`");
  }
  return *std::move(table);
}

PgResult<std::optional<postgres::Rows>> OptionalTableReader::Read(postgres::Connection& connection,
                                                                  std::string_view select) {
  if (!seen_) {
    auto table = FindTable(connection, name_);
    if (!table) return tl::make_unexpected(std::move(table).error());
    if (!table->exists) return std::nullopt;
    seen_ = true;
  }
  auto rows = connection.Execute(select);
  if (rows) return *std::move(rows);
  if (rows.error().sql_state != postgres::kUndefinedTable) {
    return tl::make_unexpected(std::move(rows).error());
  }
  seen_ = false;
  return std::nullopt;
}

}  // namespace whimbrel::history
