#include "sql/psql_value.h"

#include <algorithm>
#include <utility>

#include "sql/psql_arguments.h"

namespace whimbrel::sql {
namespace {

constexpr std::size_t kMaxBytes = std::size_t{1} << 20;
constexpr std::size_t kMaxDepth = 64;
constexpr std::size_t kMaxNested = 200'000;

tl::unexpected<Error> Refuse(std::string_view name, std::string_view why) {
  return Fail(ErrorKind::kInvalidArgument,
              "the value of the variable " + std::string(name) + " " + std::string(why));
}

}  // namespace

Result<std::string> PsqlValueReader::Read(std::string_view name, std::string_view value) {
  if (Result<void> appended = Append(name, value); !appended)
    return tl::make_unexpected(appended.error());
  return std::move(text_);
}

Result<void> PsqlValueReader::Append(std::string_view name, std::string_view value) {
  // Values that hold each other twice and come to nothing would take exponential time.
  if (within_.size() > kMaxDepth || nested_values_ > kMaxNested) {
    return Refuse(within_.front(), "holds other variables more than 64 deep, or 200000 of them");
  }
  within_.push_back(name);
  LexerInput input(value);
  for (std::size_t at = 0; at < value.size();) {
    if (text_.size() > kMaxBytes) return Refuse(name, "becomes longer than 1 MiB");
    const Lexeme lexeme = Lex(input, at, standard_conforming_strings_);
    if (lexeme.unterminated || lexeme.kind == LexemeKind::kLineComment) {
      return Refuse(name, "opens a string or a comment that does not end within it");
    }
    std::string_view text = value.substr(at, lexeme.end - at);
    if (text == ":") {
      const Result<std::size_t> size = AppendReference(value.substr(at));
      if (!size) return tl::make_unexpected(size.error());
      at += *size;
      if (*size > 0) continue;
      const std::string_view pair = value.substr(at, 2);
      if (pair == "::" || pair == ":=") text = pair;  // Operators, whatever follows them.
    }
    const bool space =
        lexeme.kind == LexemeKind::kSpace || lexeme.kind == LexemeKind::kBlockComment;
    on_token_(space ? LexemeKind::kSpace : lexeme.kind, text);
    text_ += text;
    at += text.size();
  }
  within_.pop_back();
  return {};
}

Result<std::size_t> PsqlValueReader::AppendReference(std::string_view rest) {
  const PsqlReference reference = ReadPsqlReference(rest);
  const auto known = variables_.find(reference.name);
  if (reference.size == 0 || known == variables_.end() || in_subscript_()) return 0;
  const bool within = std::find(within_.begin(), within_.end(), reference.name) != within_.end();
  if (within && reference.quote == '\0') return 0;
  ++nested_values_;
  if (reference.quote == '\0') {
    if (Result<void> appended = Append(known->first, known->second); !appended)
      return tl::make_unexpected(appended.error());
  } else {
    const std::string quoted = QuotePsqlValue(known->second, reference.quote);
    on_token_(reference.quote == '"' ? LexemeKind::kQuotedIdentifier : LexemeKind::kString, quoted);
    text_ += quoted;
  }
  return reference.size;
}

}  // namespace whimbrel::sql
