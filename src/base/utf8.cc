#include "whimbrel/base/utf8.h"

#include <algorithm>

namespace whimbrel {
namespace {

bool IsBetween(char c, unsigned char low, unsigned char high) {
  const auto byte = static_cast<unsigned char>(c);
  return low <= byte && byte <= high;
}

}  // namespace

std::size_t Utf8CharacterLength(std::string_view text) {
  const char lead = text.front();
  if (IsBetween(lead, 0x00, 0x7f)) return 1;
  std::size_t length = 0;
  if (IsBetween(lead, 0xc2, 0xdf)) length = 2;
  if (IsBetween(lead, 0xe0, 0xef)) length = 3;
  if (IsBetween(lead, 0xf0, 0xf4)) length = 4;
  if (length == 0 || text.size() < length) return 0;
  // The second byte's narrower bounds shut out overlong forms, surrogates and what lies above
  // U+10FFFF.
  const unsigned char low = lead == '\xe0' ? 0xa0 : lead == '\xf0' ? 0x90 : 0x80;
  const unsigned char high = lead == '\xed' ? 0x9f : lead == '\xf4' ? 0x8f : 0xbf;
  if (!IsBetween(text[1], low, high)) return 0;
  for (std::size_t i = 2; i < length; ++i) {
    if (!IsBetween(text[i], 0x80, 0xbf)) return 0;
  }
  return length;
}

std::size_t FindInvalidUtf8(std::string_view text) {
  for (std::size_t i = 0; i < text.size();) {
    const std::size_t length = Utf8CharacterLength(text.substr(i));
    if (length == 0) return i;
    i += length;
  }
  return std::string_view::npos;
}

std::size_t CountUtf8Characters(std::string_view text) {
  const auto begins = [](char c) { return !IsBetween(c, 0x80, 0xbf); };
  return static_cast<std::size_t>(std::count_if(text.begin(), text.end(), begins));
}

}  // namespace whimbrel
