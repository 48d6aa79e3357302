#include "sql/encoding.h"

#include <cstdint>
#include <cstring>

#include "whimbrel/base/utf8.h"

namespace whimbrel::sql {
namespace {

/// Whether these eight bytes are ASCII and none is NUL.
bool ArePlain(const char* bytes) {
  constexpr std::uint64_t kOnes = 0x0101010101010101;
  constexpr std::uint64_t kHighBits = 0x8080808080808080;
  std::uint64_t word = 0;
  std::memcpy(&word, bytes, sizeof(word));
  return ((word | (word - kOnes)) & kHighBits) == 0;
}

}  // namespace

std::size_t FindUnacceptableByte(std::string_view text) {
  for (std::size_t at = 0; at < text.size();) {
    if (text.size() - at >= sizeof(std::uint64_t) && ArePlain(text.data() + at)) {
      at += sizeof(std::uint64_t);
      continue;
    }
    const std::size_t length = Utf8CharacterLength(text.substr(at));
    if (length == 0 || text[at] == '\0') return at;
    at += length;
  }
  return std::string_view::npos;
}

}  // namespace whimbrel::sql
