#include "whimbrel/postgres/connection.h"

namespace whimbrel::postgres {
namespace {

std::string Double(std::string_view text, std::string_view doubled) {
  std::string out;
  out.reserve(text.size() + 4);
  for (const char c : text) {
    out += c;
    if (doubled.find(c) != std::string_view::npos) out += c;
  }
  return out;
}

}  // namespace

std::string QuoteIdentifier(std::string_view name) { return '"' + Double(name, "\"") + '"'; }

std::string QuoteLiteral(std::string_view value) {
  if (value.find('\\') == std::string_view::npos) return '\'' + Double(value, "'") + '\'';
  // The blank keeps the E from sticking to a word before it, as PQescapeLiteral does.
  return " E'" + Double(value, "'\\") + '\'';
}

}  // namespace whimbrel::postgres
