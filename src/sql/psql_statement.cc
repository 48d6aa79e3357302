#include "sql/psql_statement.h"

#include "sql/copy_statement.h"
#include "whimbrel/sql/statement_facts.h"

namespace whimbrel::sql {
namespace {

/// A COPY that names each of a table's 1,600 columns is shorter.
constexpr std::size_t kKeptBytes = std::size_t{256} << 10;

}  // namespace

void Brackets::OnToken(LexemeKind kind, std::string_view text) {
  const Previous previous = previous_;
  previous_ = kind == LexemeKind::kWord && EqualsKeyword(text, "array") ? Previous::kArray
                                                                        : Previous::kOther;
  if (kind != LexemeKind::kPunctuation) return;
  if (text == "(") open_.push_back(Open::kParenthesis);
  if (text == ")") Close(true);
  if (text == "]") Close(false);
  if (text == "[") {
    const bool nested =
        previous == Previous::kOpenOrComma && !open_.empty() && open_.back() == Open::kConstructor;
    const bool constructor = previous == Previous::kArray || nested;
    open_.push_back(constructor ? Open::kConstructor : Open::kSubscript);
  }
  if (text == "[" || text == ",") previous_ = Previous::kOpenOrComma;
}

void Brackets::Close(bool parenthesis) {
  if (!open_.empty() && (open_.back() == Open::kParenthesis) == parenthesis) open_.pop_back();
}

void PsqlStatement::OnToken(LexemeKind kind, std::string_view text) {
  begun_ = true;
  nesting_.OnToken(kind, text, 0);
  brackets_.OnToken(kind, text);
  if (text_.size() + text.size() <= kKeptBytes) text_ += text;
}

void PsqlStatement::OnSpace() {
  if (begun_ && text_.size() < kKeptBytes) text_ += ' ';
}

PsqlStatement::Effect PsqlStatement::End(bool standard_conforming_strings) const {
  return {
      .reads_data = FindCopyStream(text_, standard_conforming_strings) == CopyStream::kFromStdin,
      .standard_conforming_strings = StandardConformingStringsAfter(
          Classify(text_, standard_conforming_strings), standard_conforming_strings, true)};
}

}  // namespace whimbrel::sql
