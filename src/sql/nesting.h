#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string_view>

#include "sql/lexer.h"

namespace whimbrel::sql {

/// Whether `word` is this keyword, given in lower case.
[[nodiscard]] bool EqualsKeyword(std::string_view word, std::string_view lower_case);

/// Follows the tokens of a statement and knows when a `;` belongs to the body of a routine, between
/// BEGIN ATOMIC and END (PostgreSQL 14): CREATE [OR REPLACE] FUNCTION | PROCEDURE … BEGIN ATOMIC
/// statement; … END. Every statement of the body ends with `;`, so END closes the body where a
/// statement could begin and nowhere else: neither `CASE … END` nor `AS end` can be mistaken for
/// it.
class RoutineBody {
 public:
  /// The next token; those within parentheses are left out.
  void OnToken(LexemeKind kind, std::string_view text);
  /// Whether the body is open, so that `;` does not end the statement.
  [[nodiscard]] bool IsOpen() const {
    return state_ == State::kStatementStart || state_ == State::kStatement;
  }

 private:
  enum class State : std::uint8_t {
    kFirst,           ///< Before the statement's first word.
    kCreate,          ///< After CREATE, CREATE OR, CREATE OR REPLACE.
    kRoutine,         ///< In a statement that creates a routine.
    kBegin,           ///< After BEGIN in one.
    kStatementStart,  ///< In the body, where a statement may begin.
    kStatement,       ///< In the body, within a statement.
    kOther,           ///< No body can follow.
  };
  State state_ = State::kFirst;
};

/// What is open in a statement: a `;` ends the statement only when nothing is.
class Nesting {
 public:
  void OnToken(LexemeKind kind, std::string_view text, std::size_t offset);
  [[nodiscard]] bool IsOpen() const { return depth_ > 0 || body_.IsOpen(); }

  struct Open {
    std::size_t offset;
    std::string_view what_to_do;
  };
  /// What is open and where it was opened.
  [[nodiscard]] std::optional<Open> FindOpen() const;

 private:
  RoutineBody body_;
  std::size_t depth_ = 0;
  std::size_t parenthesis_ = 0;  ///< The outermost open one.
  std::size_t previous_ = 0;     ///< The token before, outside of parentheses.
  std::size_t begin_ = 0;        ///< The BEGIN of an open body.
};

}  // namespace whimbrel::sql
