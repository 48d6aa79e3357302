#pragma once

#include <cstddef>
#include <string_view>

namespace whimbrel::sql {

inline constexpr std::string_view kByteOrderMark = "\xEF\xBB\xBF";

/// Offset of the first byte that PostgreSQL does not accept in UTF-8 text (pg_utf8_islegal,
/// src/common/ wchar.c): NUL, or where a malformed sequence begins. npos when there is none.
[[nodiscard]] std::size_t FindInvalidUtf8(std::string_view text);

}  // namespace whimbrel::sql
