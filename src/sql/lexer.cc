#include "sql/lexer.h"

#include <array>
#include <cstring>

namespace whimbrel::sql {
namespace {

/// What a byte can begin. Bytes from 0x80 on are letters, as in scan.l: no-break space is one too.
enum class ByteClass : std::uint8_t {
  kOther,
  kSpace,
  kLetter,
  kDigit,
  kOperator,
  kSingleQuote,
  kDoubleQuote,
  kDollar,
  kBackslash,
};

constexpr std::array<ByteClass, 256> MakeByteClasses() {
  std::array<ByteClass, 256> classes{};
  for (std::size_t c = 'a'; c <= 'z'; ++c) classes[c] = classes[c - 'a' + 'A'] = ByteClass::kLetter;
  for (std::size_t c = 0x80; c <= 0xff; ++c) classes[c] = ByteClass::kLetter;
  classes['_'] = ByteClass::kLetter;
  for (std::size_t c = '0'; c <= '9'; ++c) classes[c] = ByteClass::kDigit;
  for (char c : std::string_view(" \t\n\r\f\v"))
    classes[static_cast<unsigned char>(c)] = ByteClass::kSpace;
  for (char c : std::string_view("~!@#^&|`?+-*/%<>=")) {
    classes[static_cast<unsigned char>(c)] = ByteClass::kOperator;
  }
  classes['\''] = ByteClass::kSingleQuote;
  classes['"'] = ByteClass::kDoubleQuote;
  classes['$'] = ByteClass::kDollar;
  classes['\\'] = ByteClass::kBackslash;
  return classes;
}

constexpr std::array<ByteClass, 256> kByteClasses = MakeByteClasses();

ByteClass ClassOf(char c) { return kByteClasses[static_cast<unsigned char>(c)]; }
bool IsSpace(char c) { return ClassOf(c) == ByteClass::kSpace; }
bool IsLetter(char c) { return ClassOf(c) == ByteClass::kLetter; }
bool IsDigit(char c) { return ClassOf(c) == ByteClass::kDigit; }
bool IsHexDigit(char c) { return IsDigit(c) || (c >= 'a' && c <= 'f') || (c >= 'A' && c <= 'F'); }
bool IsOperator(char c) { return ClassOf(c) == ByteClass::kOperator; }
bool IsTagByte(char c) { return IsLetter(c) || IsDigit(c); }
bool IsWordByte(char c) { return IsTagByte(c) || c == '$'; }
bool IsNotNewline(char c) { return c != '\n' && c != '\r'; }
char ToLower(char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c; }

enum class Escapes { kNone, kBackslash };

/// Lexes one lexeme: `at_` runs from its beginning to its end.
class Scanner {
 public:
  Scanner(LexerInput& input, std::size_t at, bool standard_conforming_strings)
      : input_(input),
        start_(at),
        at_(at),
        standard_conforming_strings_(standard_conforming_strings) {}

  Lexeme Scan();

 private:
  bool Has(std::size_t offset) {
    while (offset >= input_.view().size()) {
      if (!input_.More()) return false;
    }
    return true;
  }
  /// The byte that lies `ahead` bytes after the current one; NUL at the end, which no rule wants.
  char Look(std::size_t ahead = 0) { return Has(at_ + ahead) ? input_.view()[at_ + ahead] : '\0'; }
  bool AtEnd() { return !Has(at_); }

  template <class Predicate>
  void SkipWhile(Predicate wanted, std::size_t limit = std::string_view::npos) {
    do {
      const std::string_view view = input_.view().substr(0, limit);
      while (at_ < view.size() && wanted(view[at_])) ++at_;
      if (at_ < view.size() || at_ == limit) return;
    } while (input_.More());
  }
  /// Goes to the next such byte; false, and at the end, when there is none.
  bool SkipTo(char wanted);

  Lexeme Done(LexemeKind kind) const { return {.kind = kind, .end = at_}; }
  Lexeme Unterminated(LexemeKind kind) const {
    return {.kind = kind, .unterminated = true, .end = at_};
  }

  Lexeme ScanLineComment();
  Lexeme ScanBlockComment();
  Lexeme ScanOperator();
  Lexeme ScanWord();
  Lexeme ScanNumber();
  Lexeme ScanDollar();
  Lexeme ScanDollarQuoted(std::size_t delimiter_size);
  Lexeme ScanQuotedIdentifier();
  Lexeme ScanString(Escapes escapes);
  bool SkipToClosingQuote(char quote, Escapes escapes);
  bool SkipContinuation();
  void SkipDigits(bool (*is_digit)(char));

  LexerInput& input_;
  const std::size_t start_;
  std::size_t at_;
  const bool standard_conforming_strings_;
};

bool Scanner::SkipTo(char wanted) {
  do {
    const std::string_view view = input_.view();
    const void* found =
        at_ < view.size() ? std::memchr(view.data() + at_, wanted, view.size() - at_) : nullptr;
    if (found != nullptr) {
      at_ = static_cast<std::size_t>(static_cast<const char*>(found) - view.data());
      return true;
    }
    at_ = view.size();
  } while (input_.More());
  return false;
}

Lexeme Scanner::Scan() {
  if (AtEnd()) return Done(LexemeKind::kEnd);
  switch (ClassOf(Look())) {
    case ByteClass::kSpace:
      SkipWhile(IsSpace, start_ + kMaxSpace);
      return Done(LexemeKind::kSpace);
    case ByteClass::kLetter:
      return ScanWord();
    case ByteClass::kDigit:
      return ScanNumber();
    case ByteClass::kOperator:
      return ScanOperator();
    case ByteClass::kSingleQuote:
      return ScanString(standard_conforming_strings_ ? Escapes::kNone : Escapes::kBackslash);
    case ByteClass::kDoubleQuote:
      return ScanQuotedIdentifier();
    case ByteClass::kDollar:
      return ScanDollar();
    case ByteClass::kBackslash:
      ++at_;
      return Done(LexemeKind::kBackslash);
    case ByteClass::kOther:
      break;
  }
  if (Look() == '.' && IsDigit(Look(1))) return ScanNumber();
  at_ += Look() == '.' && Look(1) == '.' ? 2 : 1;  // `1..2` is not `1.` and `.2`.
  return Done(LexemeKind::kPunctuation);
}

Lexeme Scanner::ScanLineComment() {
  SkipWhile(IsNotNewline);
  return Done(LexemeKind::kLineComment);
}

Lexeme Scanner::ScanBlockComment() {
  at_ += 2;
  for (std::size_t depth = 1; depth > 0;) {
    SkipWhile([](char c) { return c != '*' && c != '/'; });
    if (AtEnd()) return Unterminated(LexemeKind::kBlockComment);
    const char first = Look();
    const char second = Look(1);
    if (first == '*' && second == '/') {
      --depth;
      at_ += 2;
    } else if (first == '/' && second == '*') {
      ++depth;
      at_ += 2;
    } else {
      ++at_;
    }
  }
  return Done(LexemeKind::kBlockComment);
}

Lexeme Scanner::ScanOperator() {
  while (!AtEnd() && IsOperator(Look())) {
    const bool line_comment = Look() == '-' && Look(1) == '-';
    const bool block_comment = Look() == '/' && Look(1) == '*';
    if (line_comment || block_comment) {
      if (at_ > start_) break;
      return line_comment ? ScanLineComment() : ScanBlockComment();
    }
    ++at_;
  }
  return Done(LexemeKind::kOperator);
}

Lexeme Scanner::ScanWord() {
  SkipWhile(IsWordByte);
  if (at_ != start_ + 1) return Done(LexemeKind::kWord);
  // One letter may be the prefix of a literal, if the quote follows at once.
  const char next = Look();
  if (next != '\'' && next != '&') return Done(LexemeKind::kWord);
  const char prefix = ToLower(input_.view()[start_]);
  if (next == '\'') {
    if (prefix == 'e') return ScanString(Escapes::kBackslash);
    if (prefix == 'b' || prefix == 'x') return ScanString(Escapes::kNone);
    if (prefix == 'n') {
      return ScanString(standard_conforming_strings_ ? Escapes::kNone : Escapes::kBackslash);
    }
  } else if (prefix == 'u' && (Look(1) == '\'' || Look(1) == '"')) {
    ++at_;
    return Look() == '\'' ? ScanString(Escapes::kNone) : ScanQuotedIdentifier();
  }
  return Done(LexemeKind::kWord);
}

/// Digits with single underscores between them (PostgreSQL 16).
void Scanner::SkipDigits(bool (*is_digit)(char)) {
  while (true) {
    SkipWhile(is_digit);
    if (Look() != '_' || !is_digit(Look(1))) return;
    ++at_;
  }
}

Lexeme Scanner::ScanNumber() {
  const char base = Look() == '0' ? ToLower(Look(1)) : '\0';
  if ((base == 'x' || base == 'o' || base == 'b') && IsHexDigit(Look(2))) {
    at_ += 2;
    SkipDigits(IsHexDigit);
    return Done(LexemeKind::kNumber);
  }
  SkipDigits(IsDigit);
  if (Look() == '.' && Look(1) != '.') {
    ++at_;
    SkipDigits(IsDigit);
  }
  if (ToLower(Look()) == 'e') {
    const std::size_t digits = Look(1) == '+' || Look(1) == '-' ? 2 : 1;
    if (IsDigit(Look(digits))) {
      at_ += digits;
      SkipDigits(IsDigit);
    }
  }
  return Done(LexemeKind::kNumber);
}

Lexeme Scanner::ScanDollar() {
  ++at_;
  if (IsDigit(Look())) {
    SkipWhile(IsDigit);
    return Done(LexemeKind::kParameter);
  }
  SkipWhile(IsTagByte);
  if (Look() == '$') {
    ++at_;
    return ScanDollarQuoted(at_ - start_);
  }
  at_ = start_ + 1;  // A lone `$`; what follows it is lexed by itself.
  return Done(LexemeKind::kPunctuation);
}

/// scan.l looks for any delimiter and gives the last `$` of a wrong one back; since a tag has no
/// `$`, that is the search for the first place where the right one stands.
Lexeme Scanner::ScanDollarQuoted(std::size_t delimiter_size) {
  while (SkipTo('$')) {
    if (!Has(at_ + delimiter_size - 1)) {
      at_ = input_.view().size();
      break;
    }
    const std::string_view view = input_.view();
    if (view.substr(at_, delimiter_size) == view.substr(start_, delimiter_size)) {
      at_ += delimiter_size;
      return Done(LexemeKind::kString);
    }
    ++at_;
  }
  return Unterminated(LexemeKind::kString);
}

Lexeme Scanner::ScanQuotedIdentifier() {
  ++at_;
  return SkipToClosingQuote('"', Escapes::kNone) ? Done(LexemeKind::kQuotedIdentifier)
                                                 : Unterminated(LexemeKind::kQuotedIdentifier);
}

Lexeme Scanner::ScanString(Escapes escapes) {
  ++at_;
  do {
    if (!SkipToClosingQuote('\'', escapes)) return Unterminated(LexemeKind::kString);
  } while (SkipContinuation());
  return Done(LexemeKind::kString);
}

/// Goes behind the quote that closes what is open; a doubled quote stands for one. False at the
/// end.
bool Scanner::SkipToClosingQuote(char quote, Escapes escapes) {
  while (true) {
    if (escapes == Escapes::kNone) {
      if (!SkipTo(quote)) return false;
    } else {
      SkipWhile([quote](char c) { return c != quote && c != '\\'; });
      if (AtEnd()) return false;
      if (Look() == '\\') {
        ++at_;
        if (AtEnd()) return false;
        ++at_;
        continue;
      }
    }
    ++at_;
    if (Look() != quote) return true;
    ++at_;
  }
}

/// A literal goes on after white space that has a newline in it, in the state that it was in. Goes
/// behind the quote that opens it again; false, and where it was, when the literal has ended.
bool Scanner::SkipContinuation() {
  const std::size_t closed = at_;
  bool newline = false;
  while (!AtEnd()) {
    const char c = Look();
    if (IsSpace(c)) {
      newline = newline || !IsNotNewline(c);
      ++at_;
    } else if (c == '-' && Look(1) == '-') {
      SkipWhile(IsNotNewline);
    } else if (c == '\'' && newline) {
      ++at_;
      return true;
    } else {
      break;
    }
  }
  at_ = closed;
  return false;
}

}  // namespace

Lexeme Lex(LexerInput& input, std::size_t at, bool standard_conforming_strings) {
  return Scanner(input, at, standard_conforming_strings).Scan();
}

std::string_view DescribeUnterminated(LexemeKind kind) {
  switch (kind) {
    case LexemeKind::kBlockComment:
      return "this comment is not closed; close it with */";
    case LexemeKind::kQuotedIdentifier:
      return "this quoted identifier is not closed; close it with \"";
    default:
      return "this string is not closed; close it with the quote that opened it";
  }
}

}  // namespace whimbrel::sql
