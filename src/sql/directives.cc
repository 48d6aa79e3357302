#include "whimbrel/sql/directives.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <cstdint>
#include <limits>
#include <string>
#include <utility>

#include "whimbrel/base/redact.h"

namespace whimbrel::sql {
namespace {

using std::chrono::milliseconds;

constexpr std::string_view kBlanks = " \t\r\f\v";
constexpr std::string_view kWord = "whimbrel";
constexpr std::string_view kForms =
    "a directive is a line `-- whimbrel: [file] option …`, and its options are transaction=one "
    "(behind `file`), transaction=none, idempotent, lock-timeout=<duration>, "
    "statement-timeout=<duration> and lock-budget=<duration>; a duration is a whole number and one "
    "of ms, s, min, h, as in 500ms";
constexpr std::size_t kMaxQuotedBytes = 200;
/// The server's own timeouts are of type int, in milliseconds (guc_tables.c).
constexpr milliseconds kLongest{std::numeric_limits<std::int32_t>::max()};

struct Unit {
  std::string_view name;
  milliseconds length;
};
constexpr std::array kUnits = {Unit{"ms", milliseconds{1}}, Unit{"s", std::chrono::seconds{1}},
                               Unit{"min", std::chrono::minutes{1}},
                               Unit{"h", std::chrono::hours{1}}};

std::string_view Trim(std::string_view text) {
  const std::size_t begin = text.find_first_not_of(kBlanks);
  if (begin == std::string_view::npos) return {};
  return text.substr(begin, text.find_last_not_of(kBlanks) - begin + 1);
}

/// Steps over the first comment in `text` and gives it; empty at the end.
std::string_view NextComment(std::string_view& text) {
  // One pass for both: looking for one that never comes, each time to the end, would be quadratic.
  std::size_t begin = 0;
  while (begin < text.size() && text.substr(begin, 2) != "--" && text.substr(begin, 2) != "/*") {
    ++begin;
  }
  text.remove_prefix(begin);
  std::size_t end = text.size();
  if (text.starts_with("--")) {
    end = std::min(text.find('\n'), end);
  } else {
    std::size_t depth = 0;  // Block comments nest.
    for (std::size_t i = 0; i + 1 < end; ++i) {
      const std::string_view two = text.substr(i, 2);
      if (two != "/*" && two != "*/") continue;
      depth = two == "/*" ? depth + 1 : depth - 1;
      ++i;
      if (depth == 0) end = i + 1;
    }
  }
  const std::string_view comment = text.substr(0, end);
  text.remove_prefix(end);
  return comment;
}

/// What follows `whimbrel:` at the beginning of a comment; nullopt when the comment is none of
/// ours.
std::optional<std::string_view> FindOptions(std::string_view comment) {
  std::string_view rest = Trim(comment.substr(std::min<std::size_t>(comment.size(), 2)));
  const bool ours = rest.size() > kWord.size() &&
                    std::equal(kWord.begin(), kWord.end(), rest.begin(),
                               [](char lower, char c) { return lower == (c | 0x20); });
  if (!ours) return std::nullopt;
  rest = Trim(rest.substr(kWord.size()));
  if (!rest.starts_with(':')) return std::nullopt;
  return rest.substr(1);
}

std::string_view TakeWord(std::string_view& text) {
  text = Trim(text);
  const std::string_view word = text.substr(0, text.find_first_of(kBlanks));
  text.remove_prefix(word.size());
  return word;
}

std::optional<milliseconds> ParseDuration(std::string_view text) {
  std::int64_t count = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), count);
  if (error != std::errc() || count < 0) return std::nullopt;
  const std::string_view unit_name = text.substr(static_cast<std::size_t>(end - text.data()));
  for (const Unit& unit : kUnits) {
    if (unit.name == unit_name && count <= kLongest / unit.length) return count * unit.length;
  }
  return std::nullopt;
}

/// Why an option cannot be taken, as the end of a sentence that begins with it; empty: it was.
using Refusal = std::string_view;
constexpr Refusal kTwice = "is given twice";

Refusal TakeTransaction(std::string_view value, bool for_file, Directives& directives) {
  if (directives.transaction != TransactionMode::kDefault) return kTwice;
  if (value == "none") {
    directives.transaction = TransactionMode::kNone;
  } else if (value == "one" && for_file) {
    directives.transaction = TransactionMode::kOne;
  } else if (value == "one") {
    return "can only be asked for the whole file, behind `file`";
  } else {
    return "is neither transaction=one nor transaction=none";
  }
  return {};
}

template <class Duration>
Refusal TakeDuration(std::string_view value, std::optional<Duration>& duration) {
  if (duration.has_value()) return kTwice;
  const std::optional<milliseconds> parsed = ParseDuration(value);
  if (!parsed.has_value()) return "has no duration of 0 to 24 days behind its `=`";
  duration = std::chrono::duration_cast<Duration>(*parsed);
  if (*duration != *parsed) return "has to be whole seconds";
  return {};
}

Refusal TakeOption(std::string_view option, bool for_file, Directives& directives) {
  const std::string_view name = option.substr(0, option.find('='));
  const std::string_view value = option.substr(std::min(name.size() + 1, option.size()));
  if (name == "transaction") return TakeTransaction(value, for_file, directives);
  if (name == "lock-timeout") return TakeDuration(value, directives.lock_timeout);
  if (name == "statement-timeout") return TakeDuration(value, directives.statement_timeout);
  if (name == "lock-budget") return TakeDuration(value, directives.lock_budget);
  if (option == "file") return "has to be the first word of its line, once";
  if (option != "idempotent") return "is no option";
  if (directives.idempotent) return kTwice;
  directives.idempotent = true;
  return {};
}

std::string Quote(std::string_view text) {
  return "`" + TruncateUtf8(Trim(text), kMaxQuotedBytes) + "`";
}

/// Reads the options of one directive; what is wrong with it, as the end of a sentence, or empty.
std::string ReadDirective(std::string_view options, bool is_first, CommentDirectives& directives) {
  std::string_view word = TakeWord(options);
  const bool for_file = word == "file";
  if (for_file) {
    if (!is_first) return "stands behind the file's first statement";
    word = TakeWord(options);
  }
  if (word.empty()) return "asks for nothing";
  Directives& target = for_file ? directives.file : directives.statement;
  for (; !word.empty(); word = TakeWord(options)) {
    const Refusal refusal = TakeOption(word, for_file, target);
    if (!refusal.empty()) return "is wrong: " + Quote(word) + " " + std::string(refusal);
  }
  return {};
}

std::string ReadComment(std::string_view comment, bool is_first, CommentDirectives& directives) {
  const std::optional<std::string_view> options = FindOptions(comment);
  if (!options.has_value()) return {};
  std::string_view words = *options;
  if (TakeWord(words) == "allow") return {};
  if (!comment.starts_with("--"))
    return "has to be a line that begins with --, not a /* comment */";
  return ReadDirective(*options, is_first, directives);
}

}  // namespace

Result<CommentDirectives> ParseDirectives(std::string_view comment, const SourcePosition& statement,
                                          bool is_first) {
  CommentDirectives directives;
  for (std::string_view rest = comment; !rest.empty();) {
    const std::string_view one = NextComment(rest);
    const std::string wrong = ReadComment(one, is_first, directives);
    if (wrong.empty()) continue;
    const std::string line = Quote(one.substr(0, one.find('\n')));
    return Fail(
        ErrorKind::kInvalidArgument,
        "the directive " + line + ", before this statement, " + wrong + "; " + std::string(kForms),
        statement);
  }
  return directives;
}

}  // namespace whimbrel::sql
