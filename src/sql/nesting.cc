#include "sql/nesting.h"

#include <algorithm>

namespace whimbrel::sql {

bool EqualsKeyword(std::string_view word, std::string_view lower_case) {
  return std::equal(word.begin(), word.end(), lower_case.begin(), lower_case.end(),
                    [](char a, char b) {
                      return (a >= 'A' && a <= 'Z' ? static_cast<char>(a - 'A' + 'a') : a) == b;
                    });
}

void RoutineBody::OnToken(LexemeKind kind, std::string_view text) {
  if (state_ == State::kOther) return;
  const auto is = [kind, text](std::string_view keyword) {
    return kind == LexemeKind::kWord && EqualsKeyword(text, keyword);
  };
  switch (state_) {
    case State::kFirst:
      state_ = is("create") ? State::kCreate : State::kOther;
      break;
    case State::kCreate:
      if (is("or") || is("replace")) break;
      state_ = is("function") || is("procedure") ? State::kRoutine : State::kOther;
      break;
    case State::kRoutine:
      if (is("begin")) state_ = State::kBegin;
      break;
    case State::kBegin:
      if (is("begin")) break;
      state_ = is("atomic") ? State::kStatementStart : State::kRoutine;
      break;
    case State::kStatementStart:
    case State::kStatement:
      if (text == ";") {
        state_ = State::kStatementStart;
      } else {
        state_ = state_ == State::kStatementStart && is("end") ? State::kOther : State::kStatement;
      }
      break;
    case State::kOther:
      break;
  }
}

void Nesting::OnToken(LexemeKind kind, std::string_view text, std::size_t offset) {
  if (kind == LexemeKind::kPunctuation) {
    if (text == "(" && depth_++ == 0) parenthesis_ = offset;
    if (text == ")" && depth_ > 0) --depth_;  // As in psql, one too many is the server's to refuse.
  }
  if (depth_ > 0) return;
  const bool was_open = body_.IsOpen();
  body_.OnToken(kind, text);
  if (body_.IsOpen() && !was_open) begin_ = previous_;
  previous_ = offset;
}

std::optional<Nesting::Open> Nesting::FindOpen() const {
  if (depth_ > 0) return Open{parenthesis_, "this parenthesis is not closed; add a )"};
  if (body_.IsOpen()) return Open{begin_, "this BEGIN ATOMIC is not closed; end it with END"};
  return std::nullopt;
}

}  // namespace whimbrel::sql
