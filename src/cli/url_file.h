#pragma once

#include <string>

#include "whimbrel/base/error.h"
#include "whimbrel/base/secret.h"

namespace whimbrel::cli {

/// The connection URI in the file of --url-file; `-` is standard input. Errors name the file, never
/// what is in it.
[[nodiscard]] Result<Secret> ReadUrlFile(const std::string& path);

}  // namespace whimbrel::cli
