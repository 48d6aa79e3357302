#include "utf8_checker.h"

#include <cstring>

namespace whimbrel::migration {
namespace {

constexpr std::uint64_t kOnes = 0x0101010101010101;
constexpr std::uint64_t kHighBits = 0x8080808080808080;

/// How many bytes at the beginning are certainly ASCII without NUL; a multiple of eight.
std::size_t PlainPrefix(std::string_view text) {
  std::size_t size = 0;
  for (; text.size() - size >= sizeof(std::uint64_t); size += sizeof(std::uint64_t)) {
    std::uint64_t word = 0;
    std::memcpy(&word, text.data() + size, sizeof(word));
    // A byte above 0x7F has its high bit; taking one away gives it to a zero byte.
    if ((((word - kOnes) | word) & kHighBits) != 0) break;
  }
  return size;
}

}  // namespace

std::optional<TextDefect> Utf8Checker::Step(unsigned char byte) {
  if (missing_ > 0) {
    if (byte < least_ || byte > greatest_) return TextDefect::kInvalidUtf8;
    least_ = 0x80;
    greatest_ = 0xBF;
    value_ = value_ << 6 | (byte & 0x3FU);
    if (--missing_ == 0 && value_ == 0xFFFD) return TextDefect::kReplacementCharacter;
    return std::nullopt;
  }
  character_ = offset_;
  if (byte == 0) return TextDefect::kNul;
  if (byte < 0x80) return std::nullopt;
  if (byte < 0xC2 || byte > 0xF4) return TextDefect::kInvalidUtf8;
  missing_ = byte < 0xE0 ? 1 : byte < 0xF0 ? 2 : 3;
  value_ = byte & (0x3FU >> missing_);
  // RFC 3629 §4: the bounds that keep overlong forms, surrogates and what is above U+10FFFF out.
  if (byte == 0xE0) least_ = 0xA0;
  if (byte == 0xED) greatest_ = 0x9F;
  if (byte == 0xF0) least_ = 0x90;
  if (byte == 0xF4) greatest_ = 0x8F;
  return std::nullopt;
}

std::optional<Utf8Checker::Finding> Utf8Checker::Feed(std::string_view piece) {
  while (!piece.empty()) {
    const std::size_t plain = missing_ == 0 ? PlainPrefix(piece) : 0;
    piece.remove_prefix(plain);
    offset_ += plain;
    for (std::size_t i = 0; i < sizeof(std::uint64_t) && !piece.empty(); ++i) {
      const std::optional<TextDefect> defect = Step(static_cast<unsigned char>(piece.front()));
      if (defect) return Finding{*defect, character_};
      piece.remove_prefix(1);
      ++offset_;
    }
  }
  return std::nullopt;
}

std::optional<Utf8Checker::Finding> Utf8Checker::Finish() const {
  if (missing_ == 0) return std::nullopt;
  return Finding{TextDefect::kInvalidUtf8, character_};
}

}  // namespace whimbrel::migration
