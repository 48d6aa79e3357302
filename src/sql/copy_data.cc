#include "sql/copy_data.h"

namespace whimbrel::sql {
namespace {

enum class LineKind { kData, kMarker, kUndecided };

/// What the line is that `text` begins with; it begins with a backslash.
LineKind KindOfLine(std::string_view text, bool complete) {
  if (text.starts_with("\\.\n") || text.starts_with("\\.\r\n")) return LineKind::kMarker;
  if (text == "\\." || text == "\\.\r") return complete ? LineKind::kMarker : LineKind::kUndecided;
  return text == "\\" && !complete ? LineKind::kUndecided : LineKind::kData;
}

}  // namespace

CopyDataScan ScanCopyData(std::string_view text, bool at_line_start, bool complete) {
  for (std::size_t at = text.find('\\'); at != std::string_view::npos;
       at = text.find('\\', at + 1)) {
    if (at == 0 ? !at_line_start : text[at - 1] != '\n') continue;
    const LineKind kind = KindOfLine(text.substr(at), complete);
    if (kind != LineKind::kData) return {.data_size = at, .marker = kind == LineKind::kMarker};
  }
  return {.data_size = text.size()};
}

}  // namespace whimbrel::sql
