#include "cli/failure_text.h"

#include <algorithm>

#include "cli/style.h"

namespace whimbrel::cli {

namespace {

constexpr std::size_t kMaxLineShown = 160;

std::string_view LineOf(std::string_view text, std::uint32_t line) {
  for (std::uint32_t at = 1; at < line; ++at) {
    const std::size_t end = text.find('\n');
    if (end == std::string_view::npos) return {};
    text.remove_prefix(end + 1);
  }
  std::string_view found = text.substr(0, text.find('\n'));
  if (found.ends_with('\r')) found.remove_suffix(1);
  return found;
}

/// White space of the same width as the line up to the column: tabs stay tabs, so that the caret
/// stands under its character.
std::string Padding(std::string_view line, std::uint32_t column) {
  std::string padding;
  std::uint32_t characters = 1;
  for (const char c : line) {
    const bool continuation = (static_cast<unsigned char>(c) & 0xC0U) == 0x80U;
    if (continuation) continue;
    if (characters++ >= column) break;
    padding += c == '\t' ? '\t' : ' ';
  }
  return padding;
}

std::string SourceLine(const SourcePosition& at, std::string_view source_text, const Style& style) {
  const std::string_view line = at.line == 0 ? std::string_view() : LineOf(source_text, at.line);
  if (line.empty() || at.column > kMaxLineShown) return "";
  const std::string number = std::to_string(at.line);
  const std::string gutter = " " + number + " | ";
  std::string out = style.Dim(gutter) + std::string(line.substr(0, kMaxLineShown)) + "\n";
  if (at.column == 0) return out;
  return out + style.Dim(std::string(number.size() + 2, ' ') + "| ") + Padding(line, at.column) +
         style.Red("^") + "\n";
}

}  // namespace

std::string FailureText(const report::Failure& failure, std::string_view source_text, bool colour) {
  const Style style(colour);
  std::string head = style.Red(std::string(report::ToString(failure.reason)));
  if (!failure.version.empty()) head += " in version " + failure.version;
  std::string out = head + "\n";
  if (const std::string where = failure.position.ToString(); !where.empty())
    out += style.Bold(where) + "\n";
  out += SourceLine(failure.position, source_text, style);
  out += failure.message;
  if (!failure.sql_state.empty()) out += " (SQLSTATE " + failure.sql_state + ")";
  out += "\n";
  if (!failure.hint.empty()) out += style.Dim("hint: ") + failure.hint + "\n";
  return out;
}

}  // namespace whimbrel::cli
