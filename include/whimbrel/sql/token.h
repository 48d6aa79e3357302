#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

namespace whimbrel::sql {

enum class TokenKind : std::uint8_t {
  kWord,              ///< A keyword or an unquoted identifier.
  kQuotedIdentifier,  ///< "…" or U&"…"; never a keyword.
  kString,  ///< Any literal: '…', E'…', U&'…', B'…', X'…', $tag$…$tag$, with continuations.
  kNumber,
  kParameter,    ///< $1
  kOperator,     ///< A run of operator characters.
  kPunctuation,  ///< One of ( ) [ ] , ; : . or any other single character; besides `..`.
};

/// A token of a statement; `text` as written, a view into the statement.
struct Token {
  TokenKind kind = TokenKind::kPunctuation;
  std::string_view text;

  /// Whether it is this keyword, given in lower case. A quoted identifier never is.
  [[nodiscard]] bool IsWord(std::string_view lower_case) const;
  [[nodiscard]] bool IsPunctuation(char c) const;
  /// The name that an identifier stands for: a word folded to lower case, a quoted identifier
  /// without its quotes (U& escapes stay as written). Empty for other tokens.
  [[nodiscard]] std::string Name() const;
  /// The value of a plain '…' literal or $$…$$ string; nullopt for literals with escapes or
  /// continuations and for other tokens.
  [[nodiscard]] std::optional<std::string> StringValue() const;
};

/// Reads the tokens of one statement in order; comments and white space are skipped. Cheap to make
/// and to throw away; keeps nothing but the place where it is. Text that ends within a literal
/// gives that literal as the last token. Not thread-safe.
class TokenReader {
 public:
  /// `text` must outlive the reader and the tokens.
  explicit TokenReader(std::string_view text, bool standard_conforming_strings = true);

  /// The token that Next() returns; nullopt at the end.
  [[nodiscard]] const std::optional<Token>& Peek() const { return next_; }
  std::optional<Token> Next();

  /// Steps over the next token if it is this keyword (given in lower case), this character.
  bool AcceptWord(std::string_view lower_case);
  bool AcceptPunctuation(char c);
  /// Steps over a name of one or more parts (`a."b".c`); false, and the reader somewhere within it,
  /// when there is none.
  bool AcceptQualifiedName();
  /// Steps over `( … )` with everything in it; false when the next token is no `(`.
  bool AcceptParentheses();
  /// Steps over tokens up to and including this keyword outside of parentheses; false at the end.
  bool SkipToWord(std::string_view lower_case);

  /// What is left, from the next token on, in the text as written.
  [[nodiscard]] std::string_view Rest() const;

 private:
  void Advance();

  std::string_view text_;
  std::size_t offset_ = 0;  ///< First byte that was not yet looked at.
  bool standard_conforming_strings_;
  std::optional<Token> next_;
};

}  // namespace whimbrel::sql
