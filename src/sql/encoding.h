#pragma once

#include <cstddef>
#include <string_view>

namespace whimbrel::sql {

inline constexpr std::string_view kByteOrderMark = "\xEF\xBB\xBF";

/// Offset of the first byte that PostgreSQL does not take in UTF-8 text: NUL, or where a malformed
/// character begins. npos when there is none. Fast where the text is ASCII.
[[nodiscard]] std::size_t FindUnacceptableByte(std::string_view text);

}  // namespace whimbrel::sql
