#include <algorithm>
#include <optional>
#include <string>

#include "fuzz/fuzz.h"
#include "unit/sql/splitting.h"
#include "whimbrel/sql/directives.h"

// What the comments before a statement ask for, written in the documented form, asks for the same;
// other comments change nothing; and where the word does not stand, nothing is asked for.
namespace whimbrel::fuzz {
namespace {

using sql::CommentDirectives;
using sql::Directives;

std::string Written(const Directives& directives, std::string_view scope) {
  std::string options;
  if (directives.transaction == sql::TransactionMode::kOne) options += " transaction=one";
  if (directives.transaction == sql::TransactionMode::kNone) options += " transaction=none";
  if (directives.idempotent) options += " idempotent";
  const auto add = [&options](std::string_view name, const auto& duration, std::string_view unit) {
    if (!duration) return;
    options.append(name).append(std::to_string(duration->count())).append(unit);
  };
  add(" lock-timeout=", directives.lock_timeout, "ms");
  add(" statement-timeout=", directives.statement_timeout, "ms");
  add(" lock-budget=", directives.lock_budget, "s");
  return options.empty() ? "" : "-- whimbrel:" + std::string(scope) + options + "\n";
}

std::optional<CommentDirectives> Parse(std::string_view comment, bool is_first) {
  auto directives = sql::ParseDirectives(comment, {.line = 7, .column = 3}, is_first);
  if (directives) return *directives;
  Require(directives.error().kind == ErrorKind::kInvalidArgument &&
              directives.error().position->line == 7,
          "an error stands at the statement", directives.error().ToString());
  return std::nullopt;
}

bool AsksForNothing(const CommentDirectives& directives) {
  return directives.file == Directives() && directives.statement == Directives();
}

void TryComment(std::string_view comment) {
  const auto directives = Parse(comment, true);
  std::string lower(comment);
  std::ranges::transform(lower, lower.begin(), [](char c) {
    return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
  });
  if (lower.find("whimbrel") == std::string::npos) {
    Require(directives && AsksForNothing(*directives), "nothing is asked for", comment);
  }
  const auto with_more = Parse("-- x\n" + std::string(comment) + "/* -- y */\n", true);
  Require(with_more.has_value() == directives.has_value(), "other comments do not matter", comment);
  if (!directives) return;
  const std::string written =
      Written(directives->file, " file") + Written(directives->statement, "");
  const auto again = Parse(written, true);
  Require(again && again->file == directives->file && again->statement == directives->statement,
          "the documented form says the same", std::string(comment) + "\n<>\n" + written);
  if (directives->file == Directives() && comment.find("file") == std::string_view::npos) {
    const auto later = Parse(comment, false);
    Require(later && later->statement == directives->statement,
            "for a statement it does not matter which it is", comment);
  }
}

}  // namespace

void Try(std::string_view input) {
  (void)Parse(input, false);
  const auto statements = sql::SplitAll(std::string(input) + "\n;select 1");
  if (!statements) return;
  for (const sql::OwnedStatement& statement : *statements) TryComment(statement.leading_comment);
}

}  // namespace whimbrel::fuzz
