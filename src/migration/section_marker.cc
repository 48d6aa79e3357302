#include "migration/section_marker.h"

#include <algorithm>
#include <array>
#include <cstddef>
#include <utility>

namespace whimbrel::migration {
namespace {

constexpr std::size_t kMarkerBytes = 96;  ///< Whatever is longer is prose.
constexpr std::string_view kBlanks = " \t\v\f\r";

/// Directives which change what runs: a file that has one may not be taken for a plain file.
constexpr std::array<std::pair<std::string_view, std::string_view>, 8> kForeignDirectives = {{
    {"+goose", "goose"},
    {"migrate:up", "dbmate"},
    {"migrate:down", "dbmate"},
    {"liquibase formatted", "Liquibase"},
    {"create above / drop below", "tern"},
    {"atlas:checkpoint", "Atlas"},
    {"atlas:delimiter", "Atlas"},
    {"atlas:txtar", "Atlas"},
}};

/// Length of the ornament that `text` begins with: one character of a ruled line; 0 when there is
/// none.
std::size_t OrnamentLength(std::string_view text) {
  if (text.empty()) return 0;
  if (kBlanks.find(text[0]) != std::string_view::npos ||
      std::string_view("-=*#~_").find(text[0]) != std::string_view::npos)
    return 1;
  // U+2500 to U+257F, box drawing.
  const bool box =
      text.size() >= 3 && text[0] == '\xE2' && (text[1] == '\x94' || text[1] == '\x95');
  return box ? 3 : 0;
}

std::string_view WithoutOrnaments(std::string_view text) {
  while (const std::size_t length = OrnamentLength(text)) text.remove_prefix(length);
  for (;;) {
    const std::size_t last =
        text.size() >= 3 && OrnamentLength(text.substr(text.size() - 3)) == 3 ? 3 : 1;
    if (text.empty() || OrnamentLength(text.substr(text.size() - last)) != last) return text;
    text.remove_suffix(last);
  }
}

char LowerCase(char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c; }

/// The beginning of a comment in lower case, without ornaments. Keeps its own bytes and allocates
/// none: every comment of every file comes by here.
class Inner {
 public:
  explicit Inner(std::string_view comment) {
    const std::string_view text = WithoutOrnaments(comment).substr(0, bytes_.size());
    std::transform(text.begin(), text.end(), bytes_.begin(), LowerCase);
    size_ = text.size();
  }
  std::string_view text() const { return {bytes_.data(), size_}; }

 private:
  std::array<char, kMarkerBytes> bytes_;
  std::size_t size_;
};

bool IsWordByte(char c) { return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9'); }

/// Takes a word of a lower-case text and the blanks after it.
std::string_view TakeWord(std::string_view& text) {
  const auto end = std::find_if_not(text.begin(), text.end(), IsWordByte);
  const std::string_view word = text.substr(0, static_cast<std::size_t>(end - text.begin()));
  text.remove_prefix(word.size());
  text.remove_prefix(std::min(text.find_first_not_of(kBlanks), text.size()));
  return word;
}

SectionMarker Direction(std::string_view word) {
  if (word == "up") return SectionMarker::kUp;
  return word == "down" ? SectionMarker::kDown : SectionMarker::kNone;
}

/// Whether what follows `Down` leaves no doubt: nothing but `section`, a remark in parentheses,
/// `:`.
bool IsNothing(std::string_view rest) {
  if (rest.starts_with("section")) TakeWord(rest);
  if (rest.starts_with("(") && rest.find(')') != std::string_view::npos)
    rest.remove_prefix(rest.find(')') + 1);
  rest = WithoutOrnaments(rest);
  return rest.empty() || rest == ":" || rest == ".";
}

/// Whether a remark is set off by punctuation: `: drop the table`.
bool IsRemark(std::string_view rest) {
  constexpr std::string_view kDashes = "\xE2\x80";  // U+2010 to U+2015 begin so.
  return rest.starts_with(":") || rest.starts_with("(") || rest.starts_with("-") ||
         rest.starts_with(kDashes);
}

std::string_view ToolOf(std::string_view text) {
  for (const auto& [directive, tool] : kForeignDirectives) {
    if (text.starts_with(directive)) return tool;
  }
  return {};
}

SectionMarker ReadHeading(std::string_view text) {
  std::string_view rest = text;
  const std::string_view first = TakeWord(rest);
  SectionMarker direction = Direction(first);
  std::string_view after_two = rest;
  const std::string_view second = TakeWord(after_two);
  const bool two_words = (first == "migration" && Direction(second) != SectionMarker::kNone) ||
                         (direction != SectionMarker::kNone && second == "migration");
  if (two_words) {
    direction = direction == SectionMarker::kNone ? Direction(second) : direction;
    rest = after_two;
  }
  if (direction == SectionMarker::kNone) return direction;
  if (IsNothing(rest) || (two_words && IsRemark(rest))) return direction;
  const bool in_doubt = direction == SectionMarker::kDown && (two_words || IsRemark(rest));
  return in_doubt ? SectionMarker::kMaybeDown : SectionMarker::kNone;
}

}  // namespace

SectionMarker ReadSectionMarker(std::string_view comment) {
  const Inner inner(comment);
  if (inner.text().empty()) return SectionMarker::kDecoration;
  if (!ToolOf(inner.text()).empty()) return SectionMarker::kForeign;
  constexpr std::string_view kSqlMigrate = "+migrate";
  if (inner.text().starts_with(kSqlMigrate)) {
    std::string_view rest = WithoutOrnaments(inner.text().substr(kSqlMigrate.size()));
    return Direction(TakeWord(rest));
  }
  return ReadHeading(inner.text());
}

std::string_view ForeignTool(std::string_view comment) { return ToolOf(Inner(comment).text()); }

}  // namespace whimbrel::migration
