#include "sql/psql_arguments.h"

#include <algorithm>
#include <utility>

namespace whimbrel::sql {
namespace {

constexpr std::size_t kMaxValueBytes = std::size_t{1} << 20;

bool IsSpace(char c) { return std::string_view(" \t\n\r\f\v").find(c) != std::string_view::npos; }
bool IsOctal(char c) { return c >= '0' && c <= '7'; }

int HexDigit(char c) {
  if (c >= '0' && c <= '9') return c - '0';
  const char lower = static_cast<char>(c | 0x20);
  return lower >= 'a' && lower <= 'f' ? lower - 'a' + 10 : -1;
}

/// Doubles `quote`, and `also` if it is there.
std::string Doubled(std::string_view value, char quote, char also) {
  std::string text;
  for (const char c : value) text.append(c == quote || c == also ? 2 : 1, c);
  return text;
}

/// Reads the arguments of one line, as psqlscanslash.l does for option type OT_NORMAL.
class ArgumentReader {
 public:
  ArgumentReader(std::string_view line, const PsqlVariables& variables)
      : line_(line), variables_(variables) {}

  Result<PsqlArguments> Read() {
    PsqlArguments arguments;
    while (true) {
      while (!AtEnd() && IsSpace(line_[at_])) ++at_;
      if (AtEnd()) break;
      if (line_[at_] == '\\') {
        if (line_.substr(at_, 2) == "\\\\") at_ += 2;
        break;
      }
      Result<std::string> argument = ReadOne();
      if (!argument) return tl::make_unexpected(std::move(argument).error());
      arguments.values.push_back(*std::move(argument));
    }
    arguments.size = at_;
    arguments.value_bytes = value_bytes_;
    return arguments;
  }

 private:
  [[nodiscard]] bool AtEnd() const { return at_ == line_.size(); }

  Result<std::string> ReadOne() {
    value_.clear();
    while (!AtEnd() && !IsSpace(line_[at_]) && line_[at_] != '\\') {
      const char c = line_[at_];
      if (c == '`') {
        return Fail(ErrorKind::kInvalidArgument,
                    "`…` runs a command of a shell, and migrations run where there is none: write "
                    "the value");
      }
      if (c == '\'' || c == '"') {
        if (c == '\'' ? !ReadQuoted() : !ReadDoubleQuoted()) {
          return Fail(ErrorKind::kInvalidArgument,
                      "a quote in the arguments of this command is not closed on its line");
        }
      } else if (c != ':' || !ReadReference()) {
        value_ += c;
        ++at_;
      }
      if (value_bytes_ > kMaxValueBytes) {
        return Fail(ErrorKind::kInvalidArgument,
                    "the values of variables make up more than 1 MiB of its arguments");
      }
    }
    return std::move(value_);
  }

  bool ReadReference() {
    const PsqlReference reference = ReadPsqlReference(line_.substr(at_));
    const auto known = variables_.find(reference.name);
    if (reference.size == 0) return false;
    if (known != variables_.end()) {
      const std::string value = QuotePsqlValue(known->second, reference.quote);
      value_ += value;
      value_bytes_ += value.size();
    } else {
      value_ += line_.substr(at_, reference.size);  // With its quotes.
    }
    at_ += reference.size;
    return true;
  }

  /// psql keeps these quotes.
  bool ReadDoubleQuoted() {
    const std::size_t closing = line_.find('"', at_ + 1);
    if (closing == std::string_view::npos) return false;
    value_ += line_.substr(at_, closing + 1 - at_);
    at_ = closing + 1;
    return true;
  }

  bool ReadQuoted() {
    for (++at_; !AtEnd(); ++at_) {
      const char c = line_[at_];
      if (c == '\'') {
        ++at_;
        if (AtEnd() || line_[at_] != '\'') return true;
        value_ += '\'';
      } else if (c == '\\' && at_ + 1 < line_.size()) {
        ReadEscape();
      } else {
        value_ += c;
      }
    }
    return false;
  }

  /// Goes to the last byte of the escape that begins here.
  void ReadEscape() {
    constexpr std::string_view kLetters = "ntbrf";
    constexpr std::string_view kMeanings = "\n\t\b\r\f";
    const char c = line_[++at_];
    int code = 0;
    if (IsOctal(c)) {
      const std::size_t end = std::min(at_ + 3, line_.size());
      for (; at_ < end && IsOctal(line_[at_]); ++at_) code = code * 8 + (line_[at_] - '0');
      --at_;
      value_ += static_cast<char>(code);
    } else if (c == 'x' && at_ + 1 < line_.size() && HexDigit(line_[at_ + 1]) >= 0) {
      const std::size_t end = std::min(at_ + 2, line_.size() - 1);
      for (; at_ < end && HexDigit(line_[at_ + 1]) >= 0; ++at_)
        code = code * 16 + HexDigit(line_[at_ + 1]);
      value_ += static_cast<char>(code);
    } else {
      const std::size_t letter = kLetters.find(c);
      value_ += letter == std::string_view::npos ? c : kMeanings[letter];
    }
  }

  const std::string_view line_;
  const PsqlVariables& variables_;
  std::size_t at_ = 0;
  std::string value_;
  std::size_t value_bytes_ = 0;
};

}  // namespace

bool IsPsqlNameByte(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_' ||
         static_cast<unsigned char>(c) >= 0x80;
}

bool IsPsqlVariableName(std::string_view name) {
  return !name.empty() && std::all_of(name.begin(), name.end(), IsPsqlNameByte);
}

PsqlReference ReadPsqlReference(std::string_view text) {
  const char quote = text.size() > 1 && (text[1] == '\'' || text[1] == '"') ? text[1] : '\0';
  const std::size_t begin = quote == '\0' ? 1 : 2;
  std::size_t end = begin;
  while (end < text.size() && IsPsqlNameByte(text[end])) ++end;
  if (end <= begin) return {};
  const std::string_view name = text.substr(begin, end - begin);
  if (quote == '\0') return {.name = name, .size = end};
  if (end == text.size() || text[end] != quote) return {};
  return {.name = name, .quote = quote, .size = end + 1};
}

std::string QuotePsqlValue(std::string_view value, char quote) {
  if (quote == '\0') return std::string(value);
  if (quote == '"') return "\"" + Doubled(value, '"', '"') + "\"";
  // PQescapeLiteral: safe under any standard_conforming_strings, the blank keeps the E apart.
  const bool escapes = value.find('\\') != std::string_view::npos;
  return (escapes ? " E'" : "'") + Doubled(value, '\'', escapes ? '\\' : '\'') + "'";
}

Result<PsqlArguments> ReadPsqlArguments(std::string_view line, const PsqlVariables& variables) {
  return ArgumentReader(line, variables).Read();
}

}  // namespace whimbrel::sql
