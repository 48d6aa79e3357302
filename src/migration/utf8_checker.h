#pragma once

#include <cstdint>
#include <optional>
#include <string_view>

namespace whimbrel::migration {

/// Something in a text that PostgreSQL would refuse, or that is no longer what was written.
enum class TextDefect {
  kNul,
  kInvalidUtf8,           ///< As RFC 3629 has it, and so PostgreSQL: no surrogates, nothing overlong.
  kReplacementCharacter,  ///< U+FFFD: what the API server makes of bytes that are no UTF-8.
};

/// Checks a text piece by piece (reference/reliability.md §7 rule 13 and §0.10). Linear; eight bytes at
/// a time where the text is ASCII.
class Utf8Checker {
 public:
  struct Finding {
    TextDefect defect;
    std::uint64_t offset;  ///< Of the first byte of the character.
  };

  /// The first defect up to the end of this piece. Not to be fed any more after one.
  std::optional<Finding> Feed(std::string_view piece);
  /// A character that the text broke off.
  [[nodiscard]] std::optional<Finding> Finish() const;

 private:
  /// The defect that this byte makes plain, if any.
  std::optional<TextDefect> Step(unsigned char byte);

  std::uint64_t offset_ = 0;      ///< Of the next byte.
  std::uint64_t character_ = 0;   ///< Offset of the character that is being read.
  std::uint32_t value_ = 0;       ///< Its bits so far.
  int missing_ = 0;               ///< Its bytes to come.
  unsigned char least_ = 0x80;    ///< What the next of them may be.
  unsigned char greatest_ = 0xBF;
};

}  // namespace whimbrel::migration
