#include "whimbrel/sql/token.h"

#include <algorithm>

#include "sql/lexer.h"
#include "sql/nesting.h"

namespace whimbrel::sql {
namespace {

/// The kind of a lexeme that is a token; nullopt for white space and comments.
std::optional<TokenKind> KindOf(LexemeKind kind) {
  switch (kind) {
    case LexemeKind::kWord:
      return TokenKind::kWord;
    case LexemeKind::kQuotedIdentifier:
      return TokenKind::kQuotedIdentifier;
    case LexemeKind::kString:
      return TokenKind::kString;
    case LexemeKind::kNumber:
      return TokenKind::kNumber;
    case LexemeKind::kParameter:
      return TokenKind::kParameter;
    case LexemeKind::kOperator:
      return TokenKind::kOperator;
    case LexemeKind::kPunctuation:
    case LexemeKind::kBackslash:
      return TokenKind::kPunctuation;
    case LexemeKind::kEnd:
    case LexemeKind::kSpace:
    case LexemeKind::kLineComment:
    case LexemeKind::kBlockComment:
      break;
  }
  return std::nullopt;
}

std::string Undouble(std::string_view text, char quote) {
  std::string result;
  result.reserve(text.size());
  for (std::size_t i = 0; i < text.size(); ++i) {
    result.push_back(text[i]);
    if (text[i] == quote) ++i;
  }
  return result;
}

/// Whether quotes in `text` come in pairs only, so that it is the inside of one literal.
bool HasOnlyDoubledQuotes(std::string_view text) {
  for (std::size_t i = text.find('\''); i != std::string_view::npos; i = text.find('\'', i + 2)) {
    if (i + 1 == text.size() || text[i + 1] != '\'') return false;
  }
  return true;
}

}  // namespace

bool Token::IsWord(std::string_view lower_case) const {
  return kind == TokenKind::kWord && EqualsKeyword(text, lower_case);
}

bool Token::IsPunctuation(char c) const {
  return kind == TokenKind::kPunctuation && text.size() == 1 && text[0] == c;
}

std::string Token::Name() const {
  if (kind == TokenKind::kWord) {
    std::string name(text);
    std::transform(name.begin(), name.end(), name.begin(), [](char c) {
      return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
    });
    return name;
  }
  if (kind != TokenKind::kQuotedIdentifier) return {};
  const std::size_t open = text.find('"');
  std::string_view inside = text.substr(open + 1);
  if (inside.ends_with('"')) inside.remove_suffix(1);
  return Undouble(inside, '"');
}

std::optional<std::string> Token::StringValue() const {
  if (kind != TokenKind::kString || text.size() < 2) return std::nullopt;
  if (text.front() == '$') {
    const std::size_t delimiter = text.find('$', 1) + 1;
    if (text.size() < 2 * delimiter) return std::nullopt;
    return std::string(text.substr(delimiter, text.size() - 2 * delimiter));
  }
  if (text.front() != '\'' || text.back() != '\'') return std::nullopt;
  const std::string_view inside = text.substr(1, text.size() - 2);
  if (inside.find('\\') != std::string_view::npos || !HasOnlyDoubledQuotes(inside))
    return std::nullopt;
  return Undouble(inside, '\'');
}

TokenReader::TokenReader(std::string_view text, bool standard_conforming_strings)
    : text_(text), standard_conforming_strings_(standard_conforming_strings) {
  Advance();
}

void TokenReader::Advance() {
  LexerInput input(text_);
  next_.reset();
  while (true) {
    const Lexeme lexeme = Lex(input, offset_, standard_conforming_strings_);
    if (lexeme.kind == LexemeKind::kEnd) return;
    const std::string_view text = text_.substr(offset_, lexeme.end - offset_);
    offset_ = lexeme.end;
    if (const std::optional<TokenKind> kind = KindOf(lexeme.kind)) {
      next_ = Token{.kind = *kind, .text = text};
      return;
    }
  }
}

std::optional<Token> TokenReader::Next() {
  std::optional<Token> token = next_;
  if (token.has_value()) Advance();
  return token;
}

bool TokenReader::AcceptWord(std::string_view lower_case) {
  if (!next_.has_value() || !next_->IsWord(lower_case)) return false;
  Advance();
  return true;
}

bool TokenReader::AcceptPunctuation(char c) {
  if (!next_.has_value() || !next_->IsPunctuation(c)) return false;
  Advance();
  return true;
}

bool TokenReader::AcceptQualifiedName() {
  do {
    if (!next_.has_value()) return false;
    if (next_->kind != TokenKind::kWord && next_->kind != TokenKind::kQuotedIdentifier)
      return false;
    Advance();
  } while (AcceptPunctuation('.'));
  return true;
}

bool TokenReader::AcceptParentheses() {
  if (!next_.has_value() || !next_->IsPunctuation('(')) return false;
  std::size_t depth = 0;
  do {
    if (next_->IsPunctuation('(')) ++depth;
    if (next_->IsPunctuation(')')) --depth;
    Advance();
  } while (depth > 0 && next_.has_value());
  return true;
}

bool TokenReader::SkipToWord(std::string_view lower_case) {
  while (next_.has_value()) {
    if (AcceptWord(lower_case)) return true;
    if (!AcceptParentheses()) Advance();
  }
  return false;
}

std::string_view TokenReader::Rest() const {
  if (!next_.has_value()) return text_.substr(text_.size());
  return text_.substr(static_cast<std::size_t>(next_->text.data() - text_.data()));
}

}  // namespace whimbrel::sql
