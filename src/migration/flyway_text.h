#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace whimbrel::migration {

/// Flyway's sum of a file (internal/resolver/ChecksumCalculator.java, since 4.0): CRC-32 over the
/// UTF-8 bytes of its lines without line ends. The byte order mark is the caller's to leave out.
class FlywayChecksum {
 public:
  void Feed(std::string_view piece);
  /// As flyway_schema_history has it: a signed 32-bit number in decimal.
  [[nodiscard]] std::string ToString() const;

 private:
  std::uint32_t crc_ = 0;
};

/// Finds the first placeholder that Flyway would replace
/// (internal/parser/PlaceholderReplacingReader.java): any `${`, also within strings and comments.
/// Its reader looks at the byte after a `$` only once, so
/// `$${` begins none.
class PlaceholderFinder {
 public:
  void Feed(std::string_view piece);
  /// Offset of its `$` in the text that was fed.
  [[nodiscard]] std::optional<std::uint64_t> found() const { return found_; }

 private:
  std::uint64_t offset_ = 0;  ///< Of the next byte.
  bool dollar_ = false;       ///< The byte before it is a `$` whose partner has yet to come.
  std::optional<std::uint64_t> found_;
};

}  // namespace whimbrel::migration
