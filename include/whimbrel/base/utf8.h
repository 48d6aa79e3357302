#pragma once

#include <cstddef>
#include <string_view>

namespace whimbrel {

/// Length in bytes of the well-formed UTF-8 character (RFC 3629 §4: no overlong forms, no
/// surrogates, nothing above U+10FFFF) that `text`, which is not empty, begins with; 0 when there
/// is none.
[[nodiscard]] std::size_t Utf8CharacterLength(std::string_view text);
/// Offset of the first byte that no well-formed character begins with; npos when there is none.
[[nodiscard]] std::size_t FindInvalidUtf8(std::string_view text);
[[nodiscard]] inline bool IsUtf8(std::string_view text) {
  return FindInvalidUtf8(text) == std::string_view::npos;
}
/// How many characters `text`, which is UTF-8, holds.
[[nodiscard]] std::size_t CountUtf8Characters(std::string_view text);

}  // namespace whimbrel
