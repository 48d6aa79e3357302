#include "whimbrel/base/redact.h"
#include "whimbrel/base/utf8.h"

namespace whimbrel {
namespace {

constexpr std::string_view kReplacement = "\xEF\xBF\xBD";  // U+FFFD
constexpr std::string_view kEllipsis = "\xE2\x80\xA6";     // U+2026

}  // namespace

std::string TruncateUtf8(std::string_view text, std::size_t max_bytes) {
  const std::size_t room = max_bytes >= kEllipsis.size() ? max_bytes - kEllipsis.size() : max_bytes;
  std::string out;
  std::size_t cut = 0;  // The longest beginning of `out` that leaves room for the ellipsis.
  while (!text.empty() && out.size() <= max_bytes) {
    const std::size_t length = Utf8CharacterLength(text);
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
