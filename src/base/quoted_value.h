#pragma once

#include <cstddef>
#include <optional>
#include <string_view>

namespace whimbrel {

/// Where a quoted value lies in a text: [begin, end) is all of it, [body_begin, body_end) what is
/// between the quotes.
struct QuotedValue {
  std::size_t body_begin = 0;
  std::size_t body_end = 0;
  std::size_t end = 0;
};

/// The quoted value that begins at `begin`, in any of the styles that may reach an error message: a
/// conninfo or SQL literal ('…', E'…', U&'…', $tag$…$tag$), a JSON or YAML string, or a JSON string
/// inside one (\"…\"). Without its closing quote it reaches to the end of the text.
[[nodiscard]] std::optional<QuotedValue> FindQuotedValue(std::string_view text, std::size_t begin);

/// Whether an SQL string literal begins at `begin`.
[[nodiscard]] bool IsSqlLiteralAt(std::string_view text, std::size_t begin);

}  // namespace whimbrel
