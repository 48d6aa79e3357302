#pragma once

#include <algorithm>
#include <cstddef>
#include <string_view>

namespace whimbrel::migration {

/// Offset of the first line feed or carriage return; the size when there is none. Every byte of
/// every file comes by here, and find_first_of would call memchr for each of them.
inline std::size_t FindLineEnd(std::string_view text) {
  const auto end =
      std::find_if(text.begin(), text.end(), [](char c) { return c == '\n' || c == '\r'; });
  return static_cast<std::size_t>(end - text.begin());
}

}  // namespace whimbrel::migration
