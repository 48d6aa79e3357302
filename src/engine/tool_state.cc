#include "engine/tool_state.h"

#include "whimbrel/postgres/sqlstate.h"

namespace whimbrel::engine {

namespace {

constexpr const char* kEmptyTable = "0 0";

}  // namespace

std::string ToolStateSql(const history::ToolTable& tool) {
  return "SELECT pg_catalog.count(*) || ' ' || coalesce(pg_catalog.sum(xmin::text::int8), 0) "
         "FROM " +
         tool.QuotedName();
}

RunResult<std::string> ReadToolState(postgres::Connection& connection,
                                     const history::ToolTable& tool) {
  // Tools with an advisory lock write under it, and we hold it.
  if (!tool.Locks().lock_table_in_transaction) return std::string();
  auto rows = connection.Execute(ToolStateSql(tool));
  if (rows) return (*rows)[0][0].value_or("");
  if (rows.error().sql_state == postgres::kUndefinedTable) return std::string(kEmptyTable);
  return tl::make_unexpected(FromPgError(rows.error(), "reading " + tool.Describe()));
}

}  // namespace whimbrel::engine
