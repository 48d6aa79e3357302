#pragma once

#include <string>

#include "engine/run_failure.h"
#include "whimbrel/history/tool_table.h"
#include "whimbrel/postgres/connection.h"

namespace whimbrel::engine {

/// Asks for a short text that differs after anybody's INSERT, UPDATE or DELETE in the tool's table
/// (design §3: "the table is read again; not as planned => plan anew"). By xmin, which every write
/// changes: the rows themselves need not travel for each migration, and no adapter has to help.
[[nodiscard]] std::string ToolStateSql(const history::ToolTable& tool);

/// The answer now; for a table that is not there that of an empty one.
RunResult<std::string> ReadToolState(postgres::Connection& connection,
                                     const history::ToolTable& tool);

}  // namespace whimbrel::engine
