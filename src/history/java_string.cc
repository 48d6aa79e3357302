#include "history/java_string.h"

#include <bit>

namespace whimbrel::history {

namespace {

/// One character, as well as malformed UTF-8 allows: a stray byte counts as a character of its own.
struct Character {
  std::uint32_t code = 0;
  std::size_t bytes = 1;

  [[nodiscard]] std::size_t units() const { return code >= 0x10000 ? 2 : 1; }
};

Character Decode(std::string_view text) {
  const auto lead = static_cast<unsigned char>(text[0]);
  const std::size_t bytes = lead < 0xC0 ? 1 : lead < 0xE0 ? 2 : lead < 0xF0 ? 3 : 4;
  if (bytes == 1 || bytes > text.size()) return {lead, 1};
  std::uint32_t code = lead & (0xFFU >> (bytes + 1));
  for (std::size_t i = 1; i < bytes; ++i) {
    code = code << 6 | (static_cast<unsigned char>(text[i]) & 0x3FU);
  }
  return {code, bytes};
}

}  // namespace

std::int32_t JavaHashCode(std::string_view utf8) {
  std::uint32_t hash = 0;
  while (!utf8.empty()) {
    const Character character = Decode(utf8);
    if (character.units() == 2) {
      const std::uint32_t offset = character.code - 0x10000;
      hash = hash * 31 + (0xD800 + (offset >> 10));
      hash = hash * 31 + (0xDC00 + (offset & 0x3FF));
    } else {
      hash = hash * 31 + character.code;
    }
    utf8.remove_prefix(character.bytes);
  }
  return std::bit_cast<std::int32_t>(hash);
}

std::size_t JavaLength(std::string_view utf8) {
  std::size_t units = 0;
  while (!utf8.empty()) {
    const Character character = Decode(utf8);
    units += character.units();
    utf8.remove_prefix(character.bytes);
  }
  return units;
}

std::string_view JavaPrefix(std::string_view utf8, std::size_t units) {
  std::size_t length = 0;
  while (length < utf8.size()) {
    const Character character = Decode(utf8.substr(length));
    if (character.units() > units) break;
    units -= character.units();
    length += character.bytes;
  }
  return utf8.substr(0, length);
}

}  // namespace whimbrel::history
