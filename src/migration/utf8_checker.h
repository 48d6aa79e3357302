#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace whimbrel::migration {

/// Something in a text that PostgreSQL would refuse, or that is no longer what was written.
enum class TextDefect {
  kNul,
  kInvalidUtf8,  ///< As RFC 3629 has it, and so PostgreSQL: no surrogates, nothing overlong.
  kReplacementCharacter,  ///< U+FFFD: what the API server makes of bytes that are no UTF-8.
};

/// Checks a text piece by piece (reference/reliability.md §7 rule 13 and §0.10). Linear; eight
/// bytes at a time where the text is ASCII.
class Utf8Checker {
 public:
  struct Finding {
    TextDefect defect;
    std::uint64_t offset;  ///< Of the first byte of the character.
  };

  /// The first defect up to the end of this piece. Not to be fed any more after one.
  std::optional<Finding> Feed(std::string_view piece);
  /// Whether the text broke off within a character.
  [[nodiscard]] std::optional<Finding> Finish() const;

 private:
  /// Steps over the character that `text` begins with, unless it is a defect or cut off.
  std::optional<TextDefect> Step(std::string_view& text);

  std::uint64_t offset_ = 0;  ///< Of the first byte that was not stepped over.
  std::string cut_off_;       ///< What the last piece had of its last character.
};

}  // namespace whimbrel::migration
