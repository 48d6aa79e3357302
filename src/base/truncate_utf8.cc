#include "whimbrel/base/redact.h"

namespace whimbrel {
namespace {

constexpr std::string_view kReplacement = "\xEF\xBF\xBD";  // U+FFFD
constexpr std::string_view kEllipsis = "\xE2\x80\xA6";     // U+2026

bool IsBetween(char c, unsigned char low, unsigned char high) {
  const auto byte = static_cast<unsigned char>(c);
  return low <= byte && byte <= high;
}

/// Length of the well-formed character that `text` (not empty) begins with, 0 when there is none. The second
/// byte's narrower bounds shut out overlong forms, surrogates and what lies above U+10FFFF (RFC 3629 §4).
std::size_t CharacterLength(std::string_view text) {
  const char lead = text.front();
  if (IsBetween(lead, 0x00, 0x7f)) return 1;
  std::size_t length = 0;
  if (IsBetween(lead, 0xc2, 0xdf)) length = 2;
  if (IsBetween(lead, 0xe0, 0xef)) length = 3;
  if (IsBetween(lead, 0xf0, 0xf4)) length = 4;
  if (length == 0 || text.size() < length) return 0;
  const unsigned char low = lead == '\xe0' ? 0xa0 : lead == '\xf0' ? 0x90 : 0x80;
  const unsigned char high = lead == '\xed' ? 0x9f : lead == '\xf4' ? 0x8f : 0xbf;
  if (!IsBetween(text[1], low, high)) return 0;
  for (std::size_t i = 2; i < length; ++i) {
    if (!IsBetween(text[i], 0x80, 0xbf)) return 0;
  }
  return length;
}

}  // namespace

std::string TruncateUtf8(std::string_view text, std::size_t max_bytes) {
  const std::size_t room = max_bytes >= kEllipsis.size() ? max_bytes - kEllipsis.size() : max_bytes;
  std::string out;
  std::size_t cut = 0;  // The longest beginning of `out` that leaves room for the ellipsis.
  while (!text.empty() && out.size() <= max_bytes) {
    const std::size_t length = CharacterLength(text);
    out += length == 0 ? kReplacement : text.substr(0, length);
    text.remove_prefix(length == 0 ? 1 : length);
    if (out.size() <= room) cut = out.size();
  }
  if (out.size() <= max_bytes && text.empty()) return out;
  out.resize(cut);
  if (room < max_bytes) out += kEllipsis;
  return out;
}

}  // namespace whimbrel
