#pragma once

#include <memory>
#include <string>
#include <string_view>
#include <variant>

#include "whimbrel/base/error.h"
#include "whimbrel/history/tool_table.h"
#include "whimbrel/migration/resolved_migration.h"

namespace whimbrel::history {

/// `[schema.]table[(column)]` of history.table. As in SQL, parts without double quotes are folded
/// to lower case.
struct TableName {
  std::string schema;  ///< Empty: looked up on search_path.
  std::string table;   ///< Empty: the format's own, if it has one.
  std::string column;  ///< Empty: `name`.

  friend bool operator==(const TableName&, const TableName&) = default;
};
/// Refuses an empty text and what PostgreSQL could not store under that very name.
[[nodiscard]] Result<TableName> ParseTableName(std::string_view text);

/// The server's failure, or (ErrorKind::kInvalidArgument) a table that cannot serve as this
/// history.
using ToolTableError = std::variant<postgres::PgError, Error>;

/// The adapter for a format and history.table: Flyway always has one (flyway_schema_history unless
/// named otherwise), Numbered only when a table is named; nullptr: the ledger alone. Finds the
/// schema in the database (the first on search_path that has the table, else current_schema()) and
/// looks at the table's columns. One query. A new tool is one file with an adapter and one row in
/// tool_tables.cc.
[[nodiscard]] Result<std::unique_ptr<ToolTable>, ToolTableError> OpenToolTable(
    postgres::Connection& connection, migration::Format format, const TableName& name);

}  // namespace whimbrel::history
