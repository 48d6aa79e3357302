#pragma once

#include <string>
#include <vector>

namespace whimbrel::cli {

/// Columns as kubectl prints them: padded to the widest cell, three spaces between.
[[nodiscard]] std::string Table(const std::vector<std::vector<std::string>>& rows);

}  // namespace whimbrel::cli
