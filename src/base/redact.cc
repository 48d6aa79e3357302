#include "whimbrel/base/redact.h"

#include <algorithm>

#include "base/credential_words.h"
#include "base/quoted_value.h"
#include "whimbrel/base/ascii.h"

// Reads the text once, from left to right, by hand: regular expressions recurse in libstdc++ and
// overflow the stack on long input. Where a rule cannot tell how far a credential reaches, it takes
// out too much.

namespace whimbrel {
namespace {

constexpr auto npos = std::string_view::npos;

bool IsWordCharacter(char c) { return IsAlnum(c) || c == '_' || c == '-' || c == '.'; }

/// Whether `authority`, with no @ in it, is a host (list) with or without a port, not
/// `user:password`. `next` is the character after the URL, NUL at the end of the text.
bool IsHostAndPort(std::string_view authority, char next) {
  const std::size_t colon = authority.find(':');
  if (colon == npos || authority.starts_with('[')) return true;  // [::1]:5432
  const std::size_t end = authority.find_first_not_of("0123456789", colon + 1);
  if (end != npos) return std::string_view(",.:;)]}").find(authority[end]) != npos;
  // No digit at all: `http://host: refused`, or a password that begins with a quote.
  return colon + 1 < authority.size() || next == '\0' || IsSpace(next);
}

/// Length of the user-info that `rest`, what follows `://`, begins with; 0 when there is none.
/// People write passwords into URLs without encoding them, so a password may hold any of the
/// characters that end one.
std::size_t UserInfoLength(std::string_view rest) {
  constexpr std::string_view kAfterUrl = " \t\r\n\"'`<>";
  constexpr std::size_t kLongest = 1024;  // Bounds the work for each of many URLs.
  std::string_view line = rest.substr(0, kLongest);
  line = line.substr(0, line.find('\n'));
  const std::string_view url = line.substr(0, line.find_first_of(kAfterUrl));
  const std::string_view authority = url.substr(0, url.find_first_of("/?#"));
  if (const std::size_t at = url.rfind('@'); at != npos) {
    if (url.substr(0, at).find(':') != npos) return at;
    const std::size_t end = authority.rfind('@');
    return end == npos ? 0 : end;
  }
  if (IsHostAndPort(authority, url.size() < rest.size() ? rest[url.size()] : '\0')) return 0;
  if (const std::size_t at = line.find('@', url.size()); at != npos) {
    return line.rfind('@', line.find_first_of(kAfterUrl, at));
  }
  // Cut off before its @, or too long to look for it: all of it up to the next space.
  return std::min(rest.find_first_of(" \t\r\n", url.size()), rest.size());
}

bool EqualsIgnoringCase(std::string_view a, std::string_view lower_case) {
  return std::equal(a.begin(), a.end(), lower_case.begin(), lower_case.end(),
                    [](char x, char y) { return ToLower(x) == y; });
}

/// Length of the word of letters that `text` begins with.
std::size_t LettersLength(std::string_view text) {
  const auto end = std::find_if_not(text.begin(), text.end(), IsAlpha);
  return static_cast<std::size_t>(end - text.begin());
}

/// Whether what follows `password: ` explains instead of telling one, as in `spec.password:
/// Required value`: two words of letters, the second not being the next key, the first not being
/// HTTP's name of a scheme.
bool ReadsAsProse(std::string_view text) {
  const std::size_t first = LettersLength(text);
  if (first == 0 || first + 1 >= text.size() || text[first] != ' ') return false;
  const std::string_view word = text.substr(0, first);
  if (EqualsIgnoringCase(word, "bearer") || EqualsIgnoringCase(word, "basic")) return false;
  const std::string_view rest = text.substr(first + 1);
  const std::size_t second = LettersLength(rest);
  if (second == 0) return false;
  return second == rest.size() || std::string_view(" ,;.\r\n").find(rest[second]) != npos;
}

class Redactor {
 public:
  explicit Redactor(std::string_view text) : text_(text) { out_.reserve(text.size()); }

  std::string Run() {
    while (pos_ < text_.size()) {
      if (TakeUserInfo() || TakePem() || TakeWord()) continue;
      CopyTo(pos_ + 1);
    }
    return std::move(out_);
  }

 private:
  [[nodiscard]] std::string_view Rest() const { return text_.substr(pos_); }
  [[nodiscard]] std::size_t SkipBlanks(std::size_t i) const {
    return std::min(text_.find_first_not_of(" \t", i), text_.size());
  }
  void CopyTo(std::size_t end) {
    out_ += text_.substr(pos_, end - pos_);
    pos_ = end;
  }
  void ReplaceTo(std::size_t end) {
    if (end > pos_) out_ += kRedacted;
    pos_ = end;
  }

  bool TakeUserInfo() {
    if (!Rest().starts_with("://")) return false;
    CopyTo(pos_ + 3);
    ReplaceTo(pos_ + UserInfoLength(Rest()));
    return true;
  }

  bool TakePem() {
    if (!Rest().starts_with("-----BEGIN ")) return false;
    constexpr std::string_view kEnd = "-----END ";
    constexpr std::string_view kDashes = "-----";
    for (std::size_t at = text_.find(kEnd, pos_); at != npos; at = text_.find(kEnd, at)) {
      at += kEnd.size();
      while (at < text_.size() && (IsAlnum(text_[at]) || text_[at] == ' ')) ++at;
      if (!text_.substr(at).starts_with(kDashes)) continue;
      ReplaceTo(at + kDashes.size());
      return true;
    }
    ReplaceTo(text_.size());
    return true;
  }

  /// A whole word, with the value that belongs to it.
  bool TakeWord() {
    const std::size_t begin = pos_;
    std::size_t end = begin;
    while (end < text_.size() && IsWordCharacter(text_[end]) &&
           !text_.substr(end).starts_with("-----")) {
      ++end;
    }
    if (end == begin) return false;
    const std::string_view word = text_.substr(begin, end - begin);
    const bool in_path = begin > 0 && text_[begin - 1] == '/';
    CopyTo(end);
    if (NamesPassword(word) && TakeSqlLiteral(word)) return true;
    if (NamesCredential(word)) TakeKeysValue(in_path);
    if (EqualsIgnoringCase(word, "bearer")) TakeBearerToken();
    return true;
  }

  /// PASSWORD 'literal'; `password's` is prose.
  bool TakeSqlLiteral(std::string_view word) {
    std::size_t begin = pos_;
    while (begin < text_.size() && IsSpace(text_[begin])) ++begin;
    if (!IsSqlLiteralAt(text_, begin)) return false;
    if (begin == pos_ && ToLower(word.back()) == word.back()) return false;
    const QuotedValue literal = *FindQuotedValue(text_, begin);
    CopyTo(begin);
    // Without an E, it depends on a setting of the server whether \' ends the literal; both
    // readings must be covered.
    const bool ambiguous =
        text_[begin] == '\'' && text_.substr(begin, literal.end - begin).find("\\'") != npos;
    if (ambiguous) {
      ReplaceTo(text_.size());
    } else {
      ReplaceQuoted(literal);
    }
    return true;
  }

  /// The beginning of the value of the key that ends here, npos when this is no key.
  [[nodiscard]] std::size_t ValueBegin(bool in_path) const {
    std::size_t i = std::min(text_.find_first_not_of('\\', pos_), text_.size());
    if (i < text_.size() && (text_[i] == '"' || text_[i] == '\'')) ++i;
    i = SkipBlanks(i);
    const std::string_view rest = text_.substr(i);
    if (!rest.starts_with('=') && !rest.starts_with(':')) return npos;
    // A cast in SQL; a URL's scheme.
    if (rest.starts_with("::") || rest.starts_with("://")) return npos;
    if (in_path && rest.starts_with(": ")) return npos;  // /run/token: No such file
    ++i;
    while (i < text_.size() && (text_[i] == '=' || text_[i] == '>')) ++i;  // := == =>
    return SkipBlanks(i);
  }

  void TakeKeysValue(bool in_path) {
    const std::size_t begin = ValueBegin(in_path);
    if (begin == npos) return;
    const bool has_colon = text_.substr(pos_, begin - pos_).find('=') == npos;
    CopyTo(begin);
    if (const auto quoted = FindQuotedValue(text_, begin)) {
      ReplaceQuoted(*quoted);
      return;
    }
    if (has_colon && ReadsAsProse(Rest())) return;
    ReplaceTo(has_colon ? std::min(text_.find_first_of("\r\n", begin), text_.size())
                        : EndOfUnquoted());
  }

  /// `Bearer eyJhb…`, not "bearer token" or "Bearer authentication".
  void TakeBearerToken() {
    constexpr std::size_t kLongestWord = 15;
    const std::size_t begin = SkipBlanks(pos_);
    if (begin == pos_) return;
    const std::string_view rest = text_.substr(begin);
    const auto is_token = [](char c) {
      return IsWordCharacter(c) || c == '~' || c == '+' || c == '/' || c == '=';
    };
    const auto length = static_cast<std::size_t>(
        std::find_if_not(rest.begin(), rest.end(), is_token) - rest.begin());
    const std::string_view token = rest.substr(0, length);
    const std::size_t letters = LettersLength(token);
    const bool is_word = letters <= kLongestWord && token.find_first_not_of('.', letters) == npos;
    if (is_word) return;
    CopyTo(begin);
    ReplaceTo(begin + length);
  }

  /// As libpq reads a conninfo value: up to a space that no backslash stands before. To the end of
  /// the text where it is a line break: it may be a part of the value, or the next line's key.
  [[nodiscard]] std::size_t EndOfUnquoted() const {
    std::size_t end = pos_;
    while (end < text_.size() && !IsSpace(text_[end])) {
      const bool escapes = text_[end] == '\\';
      const std::string_view next = text_.substr(end + 1, 1);
      if (escapes && (next == "\n" || next == "\r")) return text_.size();
      end += escapes ? 2 : 1;
    }
    return std::min(end, text_.size());
  }

  /// Leaves the quotes, so that JSON and SQL keep their form. A word right behind the closing quote
  /// tells that it was an opening one: that the text before was cut off within quotes, and that
  /// nobody knows what is quoted in the rest.
  void ReplaceQuoted(const QuotedValue& value) {
    CopyTo(value.body_begin);
    ReplaceTo(value.body_end);
    CopyTo(value.end);
    if (pos_ < text_.size() && IsWordCharacter(text_[pos_])) ReplaceTo(text_.size());
  }

  std::string_view text_;
  std::size_t pos_ = 0;
  std::string out_;
};

}  // namespace

std::string Redact(std::string_view text) { return Redactor(text).Run(); }

}  // namespace whimbrel
