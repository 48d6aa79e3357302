#include "kube/line_splitter.h"

namespace whimbrel::kube {

bool LineSplitter::Feed(std::string_view bytes) {
  while (!bytes.empty()) {
    const std::size_t end = bytes.find('\n');
    const std::string_view piece = bytes.substr(0, end);
    if (begun_.size() + piece.size() > max_line_) {
      too_long_ = true;
      return false;
    }
    if (end == std::string_view::npos) {
      begun_.append(piece);
      return true;
    }
    bytes.remove_prefix(end + 1);
    // The usual case, a whole line in one piece, is not copied.
    std::string whole;
    std::string_view line = piece;
    if (!begun_.empty()) {
      whole = std::move(begun_);
      begun_.clear();
      line = whole.append(piece);
    }
    if (line.ends_with('\r')) line.remove_suffix(1);
    if (!line.empty() && !on_line_(line)) return false;
  }
  return true;
}

}  // namespace whimbrel::kube
