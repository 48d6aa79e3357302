#include "whimbrel/postgres/connection.h"

namespace whimbrel::postgres {

SourcePosition MapPosition(const SourcePosition& statement_start, std::string_view statement_text,
                           std::uint32_t character_position) {
  SourcePosition at = statement_start;
  std::uint32_t left = character_position == 0 ? 0 : character_position - 1;
  for (std::size_t i = 0; i < statement_text.size() && left > 0; --left) {
    const bool line_end = statement_text[i] == '\n';
    do {
      ++i;
    } while (i < statement_text.size() &&
             (static_cast<unsigned char>(statement_text[i]) & 0xC0U) == 0x80U);
    at.offset = statement_start.offset + i;
    if (line_end) {
      ++at.line;
      at.column = 1;
    } else {
      ++at.column;
    }
  }
  return at;
}

}  // namespace whimbrel::postgres
