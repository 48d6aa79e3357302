#include <functional>
#include <string>
#include <vector>

#include "fuzz/fuzz.h"
#include "unit/sql/splitting.h"

// The pieces make up the text, however it is cut into chunks; a statement splits into itself; and a
// limit is a limit.
namespace whimbrel::fuzz {
namespace {

using sql::Splitting;

void RequireSameInChunks(std::string_view text, const Splitting& whole) {
  const std::size_t cut = std::hash<std::string_view>()(text) % (text.size() + 1) + 1;
  for (const std::vector<std::size_t>& sizes :
       std::vector<std::vector<std::size_t>>{{1}, {3}, {cut, text.size() + 1}}) {
    sql::ChunkedSource source(text, sizes);
    const Splitting cut_up = sql::Split(source);
    Require(cut_up == whole, "chunks do not matter", sql::Dump(cut_up) + "\n" + sql::Dump(whole));
  }
}

void RequireStatementsToStand(const Splitting& whole) {
  sql::SplitOptions options;
  bool& standard = options.standard_conforming_strings;
  for (const Splitting::Part& part : whole.parts) {
    if (part.kind != 's') continue;
    const Splitting again = sql::Split(part.text, options);
    Require(again.error.empty() && sql::CountStatements(again) == 1 &&
                again.parts.front().text == part.text,
            "a statement splits into itself", part.text + "\n" + sql::Dump(again));
    standard =
        sql::StandardConformingStringsAfter(sql::Classify(part.text, standard), standard, true);
  }
}

void RequireLimitToHold(std::string_view text, const Splitting& whole) {
  constexpr std::size_t kLimit = 48;
  sql::SplitOptions options;
  options.max_statement_bytes = kLimit;
  const Splitting limited = sql::Split(text, options);
  for (std::size_t i = 0; i < limited.parts.size(); ++i) {
    if (limited.parts[i].kind != 's') continue;
    Require(limited.parts[i].text.size() <= kLimit, "no statement is larger than the limit");
  }
  if (limited.error.empty()) Require(limited == whole, "a limit changes nothing else");
}

}  // namespace

void Try(std::string_view input) {
  const Splitting whole = sql::Split(input);
  if (whole.error.empty()) {
    Require(sql::Concatenate(whole) == input, "the pieces make up the text", sql::Dump(whole));
  }
  RequireSameInChunks(input, whole);
  RequireStatementsToStand(whole);
  RequireLimitToHold(input, whole);
}

}  // namespace whimbrel::fuzz
