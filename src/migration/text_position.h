#pragma once

#include <string_view>

#include "whimbrel/base/source_position.h"

namespace whimbrel::migration {

inline constexpr std::string_view kByteOrderMark = "\xEF\xBB\xBF";

/// Moves line and column over a text without a byte order mark: lines end with `\n`, columns count
/// characters.
inline void AdvanceLine(SourcePosition& position, std::string_view text) {
  for (const char c : text) {
    const bool continues_character = (static_cast<unsigned char>(c) & 0xC0) == 0x80;
    if (c == '\n') {
      ++position.line;
      position.column = 1;
    } else if (!continues_character) {
      ++position.column;
    }
  }
}

}  // namespace whimbrel::migration
