#pragma once

#include <string>
#include <string_view>

#include "whimbrel/base/error.h"

namespace whimbrel::migration {

/// A path, of whatever bytes, as it can stand in a message: at most 256 bytes of one line.
[[nodiscard]] std::string PrintablePath(std::string_view path);

/// Whether a file of a source may be called so. The path becomes a line of the digest, a value in
/// the database and a word in messages, so it is one line of valid UTF-8 and stays within the
/// source. `origin` names where the file came from.
Result<void> CheckPath(std::string_view path, std::string_view origin);

}  // namespace whimbrel::migration
