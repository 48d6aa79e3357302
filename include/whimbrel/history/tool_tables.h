#pragma once

#include <memory>
#include <string>
#include <string_view>

#include "whimbrel/base/error.h"
#include "whimbrel/history/tool_table.h"
#include "whimbrel/migration/resolved_migration.h"

namespace whimbrel::history {

/// `[schema.]table[(column)]` of history.table, parts optionally double-quoted.
struct TableName {
  std::string schema;  ///< Empty: looked up on search_path.
  std::string table;
  std::string column;  ///< Empty: `name`.
};
[[nodiscard]] Result<TableName> ParseTableName(std::string_view text);

/// The adapter for a format and history.table: Flyway always has one (flyway_schema_history unless named otherwise), Numbered only when a
/// table is named; nullptr: the ledger alone. Resolves the schema in the database (search_path, else current_schema()).
/// A new tool is one file with an adapter and one row in tool_tables.cc.
postgres::PgResult<std::unique_ptr<ToolTable>> OpenToolTable(postgres::Connection& connection, migration::Format format,
                                                             const TableName& table);

}  // namespace whimbrel::history
