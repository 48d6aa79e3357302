#pragma once

#include <string>
#include <string_view>

namespace whimbrel::sql {

/// What to tell a person who wrote a psql command into a migration: `command` is what follows the
/// backslash, up to white space; `;` and `.` count as commands too.
[[nodiscard]] std::string DescribeMetaCommand(std::string_view command);

}  // namespace whimbrel::sql
