#pragma once

#include <memory>

#include "history/catalog_table.h"
#include "whimbrel/history/tool_tables.h"

namespace whimbrel::history {

inline constexpr std::string_view kFlywayTable = "flyway_schema_history";

/// Keeps flyway_schema_history (or a table of another name but its columns) as Flyway 5 and later
/// do.
[[nodiscard]] Result<std::unique_ptr<ToolTable>, ToolTableError> OpenFlywayTable(
    postgres::Connection& connection, const TableName& name);

}  // namespace whimbrel::history
