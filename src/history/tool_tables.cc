#include "whimbrel/history/tool_tables.h"

#include <array>

#include "history/flyway_table.h"
#include "history/name_table.h"

namespace whimbrel::history {

using migration::Format;

namespace {

/// Which tool's table belongs to a format.
struct Tool {
  Format format;
  /// What the tool calls its table; empty: the format has none of its own.
  std::string_view default_table;
  Result<std::unique_ptr<ToolTable>, ToolTableError> (*open)(postgres::Connection&,
                                                             const TableName&);
};

constexpr std::array kTools{
    Tool{Format::kFlyway, kFlywayTable, OpenFlywayTable},
    Tool{Format::kNumbered, "", OpenNameTable},
};

}  // namespace

Result<std::unique_ptr<ToolTable>, ToolTableError> OpenToolTable(postgres::Connection& connection,
                                                                 Format format,
                                                                 const TableName& name) {
  for (const Tool& tool : kTools) {
    if (tool.format != format) continue;
    TableName wanted = name;
    if (wanted.table.empty()) wanted.table = tool.default_table;
    if (wanted.table.empty()) return nullptr;
    return tool.open(connection, wanted);
  }
  return nullptr;
}

}  // namespace whimbrel::history
