#include "engine/index_copy.h"

#include <optional>

#include "whimbrel/postgres/sqlstate.h"

namespace whimbrel::engine {
namespace {

using postgres::PgResult;

constexpr std::string_view kSavepoint = "whimbrel_index_copy";

/// Of each index: OID, whether it is the copy's, uniqueness, tablespace, and its definition behind
/// the names of index and table; that is NULL should the server ever write it in another way.
/// $1: OIDs, $2: the copy.
constexpr std::string_view kDefinitions =
    "SELECT d.oid, d.is_copy, d.is_unique, d.tablespace, "
    "CASE WHEN pg_catalog.starts_with(d.definition, d.head) "
    "THEN pg_catalog.substr(d.definition, pg_catalog.length(d.head) + 1) END "
    "FROM (SELECT c.oid::pg_catalog.text, i.indrelid = pg_catalog.to_regclass($2) AS is_copy, "
    "i.indisunique::pg_catalog.text AS is_unique, c.reltablespace::pg_catalog.text AS tablespace, "
    "pg_catalog.pg_get_indexdef(c.oid, 0, true) AS definition, "
    "'CREATE ' || CASE WHEN i.indisunique THEN 'UNIQUE ' ELSE '' END || 'INDEX ' || "
    "pg_catalog.quote_ident(c.relname) || ' ON ' || "
    "i.indrelid::pg_catalog.regclass::pg_catalog.text || "
    "' USING ' AS head "
    "FROM pg_catalog.pg_index i JOIN pg_catalog.pg_class c ON c.oid = i.indexrelid "
    "WHERE c.oid = ANY ($1::pg_catalog.oid[]) OR i.indrelid = pg_catalog.to_regclass($2)) d";

PgResult<postgres::Rows> BuildAndRead(postgres::Connection& connection,
                                      const sql::CreateIndexTarget& target, std::string_view table,
                                      const std::vector<std::string>& oids) {
  const std::string copy = "pg_temp." + postgres::QuoteIdentifier(target.table.base());
  auto built =
      connection.Execute("CREATE TEMPORARY TABLE " + copy + " (LIKE " + std::string(table) + ")");
  if (!built) return tl::make_unexpected(built.error());
  built = connection.Execute(std::string("CREATE ") + (target.unique ? "UNIQUE " : "") +
                             "INDEX ON " + copy + " " + target.definition);
  if (!built) return tl::make_unexpected(built.error());
  std::string list;
  for (const std::string& oid : oids) list.append(list.empty() ? "{" : ",").append(oid);
  return connection.Query(kDefinitions, {list + "}", copy});
}

IndexComparison Compare(const postgres::Rows& rows, bool compare_tablespaces) {
  std::optional<postgres::Rows::Row> copy;
  for (const postgres::Rows::Row& row : rows) {
    if (row[1] == "t") copy = row;
  }
  if (!copy || !(*copy)[4].has_value())
    return {.failure = "the server's definition of the index could not be read"};
  IndexComparison comparison;
  for (const postgres::Rows::Row& row : rows) {
    comparison.equal[*row[0]] = row[2] == (*copy)[2] && row[4] == (*copy)[4] &&
                                (!compare_tablespaces || row[3] == (*copy)[3]);
  }
  return comparison;
}

}  // namespace

PgResult<IndexComparison> CompareIndexes(postgres::Connection& connection,
                                         const sql::CreateIndexTarget& target,
                                         std::string_view table,
                                         const std::vector<std::string>& oids) {
  const auto begun = connection.Execute("SAVEPOINT " + std::string(kSavepoint));
  if (!begun) return tl::make_unexpected(begun.error());
  const PgResult<postgres::Rows> rows = BuildAndRead(connection, target, table, oids);
  const bool may_pass = !rows && (rows.error().interruption != postgres::Interruption::kNone ||
                                  postgres::Judge(rows.error()) != postgres::Verdict::kPermanent);
  if (may_pass) return tl::make_unexpected(rows.error());
  const auto undone = connection.Execute("ROLLBACK TO SAVEPOINT " + std::string(kSavepoint) +
                                         "; RELEASE SAVEPOINT " + std::string(kSavepoint));
  if (!undone) return tl::make_unexpected(undone.error());
  if (!rows) return IndexComparison{.failure = rows.error().ToString()};
  return Compare(*rows, target.has_tablespace);
}

}  // namespace whimbrel::engine
