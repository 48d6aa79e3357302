#include "migration/utf8_checker.h"

#include <cstring>

#include "whimbrel/base/utf8.h"

namespace whimbrel::migration {
namespace {

constexpr std::size_t kLongestCharacter = 4;
constexpr std::string_view kReplacementCharacter = "\xEF\xBF\xBD";

/// How many bytes at the beginning are certainly ASCII without NUL; a multiple of eight.
std::size_t PlainPrefix(std::string_view text) {
  constexpr std::uint64_t kOnes = 0x0101010101010101;
  constexpr std::uint64_t kHighBits = 0x8080808080808080;
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

std::optional<TextDefect> Utf8Checker::Step(std::string_view& text) {
  const std::size_t length = Utf8CharacterLength(text);
  if (length == 0) return TextDefect::kInvalidUtf8;
  if (text.front() == '\0') return TextDefect::kNul;
  if (text.substr(0, length) == kReplacementCharacter) return TextDefect::kReplacementCharacter;
  text.remove_prefix(length);
  offset_ += length;
  return std::nullopt;
}

std::optional<Utf8Checker::Finding> Utf8Checker::Feed(std::string_view piece) {
  if (!cut_off_.empty()) {
    const std::size_t before = cut_off_.size();
    cut_off_ += piece.substr(0, kLongestCharacter - before);
    std::string_view character = cut_off_;
    if (const std::optional<TextDefect> defect = Step(character)) {
      if (defect == TextDefect::kInvalidUtf8 && cut_off_.size() < kLongestCharacter)
        return std::nullopt;
      return Finding{*defect, offset_};
    }
    piece.remove_prefix(cut_off_.size() - character.size() - before);
    cut_off_.clear();
  }
  while (!piece.empty()) {
    const std::size_t plain = PlainPrefix(piece);
    piece.remove_prefix(plain);
    offset_ += plain;
    for (std::size_t i = 0; i < sizeof(std::uint64_t) && !piece.empty(); ++i) {
      const std::optional<TextDefect> defect = Step(piece);
      if (defect == TextDefect::kInvalidUtf8 && piece.size() < kLongestCharacter) {
        cut_off_ = piece;  // The rest of it may come with the next piece.
        return std::nullopt;
      }
      if (defect) return Finding{*defect, offset_};
    }
  }
  return std::nullopt;
}

std::optional<Utf8Checker::Finding> Utf8Checker::Finish() const {
  if (cut_off_.empty()) return std::nullopt;
  return Finding{TextDefect::kInvalidUtf8, offset_};
}

}  // namespace whimbrel::migration
