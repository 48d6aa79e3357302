#include <algorithm>
#include <initializer_list>
#include <optional>
#include <string>

#include "fuzz/fuzz.h"
#include "unit/sql/libpg_query.h"
#include "unit/sql/splitting.h"
#include "whimbrel/sql/token.h"

// Where PostgreSQL's own scanner and the splitter both take a text, they find the same statements.
namespace whimbrel::fuzz {
namespace {

using sql::Range;
using sql::Splitting;

constexpr std::initializer_list<std::string_view> kKeywords = {"select", "create", "copy", "set",
                                                               "begin",  "end",    "as",   "case"};

/// A parenthesis that was not opened: the scanner then cuts nothing any more.
bool ClosesTooMuch(std::string_view statement) {
  int depth = 0;
  sql::TokenReader reader(statement);
  while (const std::optional<sql::Token> token = reader.Next()) {
    if (token->IsPunctuation('(')) ++depth;
    if (token->IsPunctuation(')') && --depth < 0) return true;
  }
  return false;
}

/// What they are asked differently: psql's and pg_dump's lines, a byte order mark, the data of
/// COPY, settings that change while the text is read, and bodies of BEGIN ATOMIC, which the scanner
/// alone cuts.
bool CanBeCompared(std::string_view input, const Splitting& ours) {
  if (input.find('\0') != std::string_view::npos || input.starts_with("\xEF\xBB\xBF")) return false;
  if (!ours.error.empty()) return false;
  bool standard = true;
  for (const Splitting::Part& part : ours.parts) {
    if (part.kind == 'd') return false;
    if (part.kind == 'g' && part.text.find('\\') != std::string::npos) return false;
    if (part.kind != 's') continue;
    standard = sql::StandardConformingStringsAfter(sql::Classify(part.text), standard, true);
    if (!standard || ClosesTooMuch(part.text)) return false;
  }
  return true;
}

bool HasWord(std::string_view statement, std::initializer_list<std::string_view> words) {
  sql::TokenReader reader(statement);
  while (const std::optional<sql::Token> token = reader.Next()) {
    if (std::ranges::any_of(words, [&](std::string_view word) { return token->IsWord(word); })) {
      return true;
    }
  }
  return false;
}

/// The scanner passes words over in which there is no keyword.
void RequireSameBorders(const Splitting& ours, const std::vector<Range>& theirs) {
  auto range = theirs.begin();
  for (const Splitting::Part& part : ours.parts) {
    if (part.kind != 's' || !HasWord(part.text, kKeywords)) continue;
    while (range != theirs.end() && range->end <= part.offset) ++range;
    Require(range != theirs.end() && range->begin <= part.offset &&
                part.offset + part.text.size() <= range->end,
            "they find every statement", part.text);
    ++range;
  }
}

}  // namespace

void Try(std::string_view input) {
  const Splitting ours = sql::Split(input);
  if (!CanBeCompared(input, ours)) return;
  const std::string text(input);
  auto theirs = sql::SplitWithGrammar(text);
  if (!theirs && HasWord(text, {"atomic"})) return;
  if (!theirs) theirs = sql::SplitWithScanner(text);
  if (!theirs) return;
  RequireSameBorders(ours, *theirs);
}

}  // namespace whimbrel::fuzz
