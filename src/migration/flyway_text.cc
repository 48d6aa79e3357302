#include "migration/flyway_text.h"

#include <algorithm>

#include "migration/line_end.h"
#include "whimbrel/base/hash.h"

namespace whimbrel::migration {

void FlywayChecksum::Feed(std::string_view piece) {
  while (!piece.empty()) {
    const std::size_t line = FindLineEnd(piece);
    crc_ = Crc32(piece.substr(0, line), crc_);
    piece.remove_prefix(std::min(line + 1, piece.size()));
  }
}

std::string FlywayChecksum::ToString() const {
  return std::to_string(static_cast<std::int32_t>(crc_));
}

void PlaceholderFinder::Feed(std::string_view piece) {
  for (std::size_t at = 0; at < piece.size() && !found_; ++at) {
    if (dollar_) {
      if (piece[at] == '{') found_ = offset_ + at - 1;
      dollar_ = false;
      continue;
    }
    at = std::min(piece.find('$', at), piece.size());
    dollar_ = at < piece.size();
  }
  offset_ += piece.size();
}

}  // namespace whimbrel::migration
