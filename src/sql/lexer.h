#pragma once

#include <cstddef>
#include <cstdint>
#include <string_view>

namespace whimbrel::sql {

/// A text of which only the beginning may be there yet.
class LexerInput {
 public:
  explicit LexerInput(std::string_view view = {}) : view_(view) {}
  LexerInput(const LexerInput&) = default;
  LexerInput& operator=(const LexerInput&) = default;
  virtual ~LexerInput() = default;

  [[nodiscard]] std::string_view view() const { return view_; }
  /// Makes view() longer at its end; its bytes stay the same but may move. False when there are no
  /// more.
  virtual bool More() { return false; }

 protected:
  std::string_view view_;
};

enum class LexemeKind : std::uint8_t {
  kEnd,
  kSpace,  ///< At most kMaxSpace bytes of it.
  kLineComment,
  kBlockComment,
  kWord,
  kQuotedIdentifier,
  kString,
  kNumber,
  kParameter,
  kOperator,
  kPunctuation,
  kBackslash,
};

struct Lexeme {
  LexemeKind kind = LexemeKind::kEnd;
  bool unterminated = false;  ///< The text ended within it.
  std::size_t end = 0;        ///< Offset of the first byte after it.
};

inline constexpr std::size_t kMaxSpace = 4096;

/// The lexeme that begins at offset `at` of the input, by the rules of PostgreSQL's scan.l. Asks
/// for more bytes until the lexeme is complete, and for no more than it must see to know that it
/// is.
Lexeme Lex(LexerInput& input, std::size_t at, bool standard_conforming_strings);

/// What to tell a person about a lexeme of this kind in which the text ended.
[[nodiscard]] std::string_view DescribeUnterminated(LexemeKind kind);

}  // namespace whimbrel::sql
