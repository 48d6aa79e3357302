#pragma once

#include <memory>
#include <string>
#include <vector>

#include "history/catalog_table.h"
#include "whimbrel/history/tool_tables.h"

namespace whimbrel::history {

/// Keeps a table with one row for each applied file, its name in one column: what many a home-made
/// runner has.
[[nodiscard]] Result<std::unique_ptr<ToolTable>, ToolTableError> OpenNameTable(
    postgres::Connection& connection, const TableName& name);

/// Which migrations the names stand for. A name is a file's; where there is none of that name, its
/// leading number tells which version it was, and the name stands as description, so that a renamed
/// file, or another project's row in the same table, differs from the file of that number instead
/// of running it a second time. Names without a number, and second names of one number, stand for
/// no migration of ours. Pure.
[[nodiscard]] std::vector<ToolRow> MatchNames(const std::vector<std::string>& names,
                                              const migration::ResolvedMigrations& source);

}  // namespace whimbrel::history
