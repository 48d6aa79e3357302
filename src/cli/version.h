#pragma once

#include <string>

namespace whimbrel::cli {

/// Of the file VERSION.
[[nodiscard]] std::string Version();
/// `whimbrel/0.1.0 (linux/amd64)`.
[[nodiscard]] std::string UserAgent();

}  // namespace whimbrel::cli
