#include "base/quoted_value.h"

#include <algorithm>

#include "whimbrel/base/ascii.h"

namespace whimbrel {
namespace {

constexpr auto npos = std::string_view::npos;

/// Length of `$tag$` at `begin`, 0 when there is none. A tag cannot begin with a digit: $1 is a
/// parameter.
std::size_t DollarTagLength(std::string_view text, std::size_t begin) {
  if (begin >= text.size() || text[begin] != '$') return 0;
  std::size_t i = begin + 1;
  while (i < text.size() &&
         (IsAlpha(text[i]) || text[i] == '_' || (i > begin + 1 && IsDigit(text[i]))))
    ++i;
  return i < text.size() && text[i] == '$' ? i + 1 - begin : 0;
}

/// Length of the E or U& before a quote at `begin`.
std::size_t PrefixLength(std::string_view text, std::size_t begin) {
  const std::string_view rest = text.substr(begin);
  if (rest.size() >= 2 && ToLower(rest[0]) == 'e' && rest[1] == '\'') return 1;
  if (rest.size() >= 3 && ToLower(rest[0]) == 'u' && rest[1] == '&' && rest[2] == '\'') return 2;
  return 0;
}

std::size_t BackslashesAt(std::string_view text, std::size_t begin) {
  return std::min(text.find_first_not_of('\\', begin), text.size()) - begin;
}

/// The value after an opening quote that ends at `body`. `escapes` backslashes stood before it, as
/// in JSON inside a JSON string; a run of backslashes before a later quote escapes that quote
/// unless it is of such a length that all of it but `escapes` pairs up at this depth. A doubled
/// quote stands for itself (SQL, YAML).
QuotedValue FindEnd(std::string_view text, std::size_t body, char quote, std::size_t escapes) {
  std::size_t i = body;
  while (i < text.size()) {
    const std::size_t run = BackslashesAt(text, i);
    const std::size_t after = i + run;
    if (after >= text.size()) break;
    if (text[after] != quote || run % (2 * (escapes + 1)) != escapes) {
      i = after + 1;
    } else if (escapes == 0 && after + 1 < text.size() && text[after + 1] == quote) {
      i = after + 2;
    } else {
      return {.body_begin = body, .body_end = after - escapes, .end = after + 1};
    }
  }
  return {.body_begin = body, .body_end = text.size(), .end = text.size()};
}

}  // namespace

bool IsSqlLiteralAt(std::string_view text, std::size_t begin) {
  if (begin >= text.size()) return false;
  return text[begin + PrefixLength(text, begin)] == '\'' || DollarTagLength(text, begin) != 0;
}

std::optional<QuotedValue> FindQuotedValue(std::string_view text, std::size_t begin) {
  if (begin >= text.size()) return std::nullopt;
  if (const std::size_t tag = DollarTagLength(text, begin); tag != 0) {
    const std::size_t body = begin + tag;
    const std::size_t close = text.find(text.substr(begin, tag), body);
    if (close == npos) return QuotedValue{body, text.size(), text.size()};
    return QuotedValue{body, close, close + tag};
  }
  const std::size_t escapes = BackslashesAt(text, begin);
  const std::size_t quote = begin + escapes + PrefixLength(text, begin + escapes);
  if (quote >= text.size()) return std::nullopt;
  // JSON escapes no single quote: \' begins a conninfo value without quotes.
  const bool is_single = text[quote] == '\'' && escapes == 0;
  if (!is_single && text[quote] != '"') return std::nullopt;
  return FindEnd(text, quote + 1, text[quote], escapes);
}

}  // namespace whimbrel
