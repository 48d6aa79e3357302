#include <algorithm>

#include "migration/down_section.h"
#include "migration/line_end.h"
#include "migration/section_marker.h"

namespace whimbrel::migration {
namespace {

constexpr std::string_view kBlanks = " \t\v\f";
constexpr std::size_t kLineBytes = 256;  ///< Far more than any marker has.

}  // namespace

bool SectionHint::IsMarker() const {
  if (where_ != Where::kComment || !line_.starts_with("--")) return false;
  const SectionMarker marker = ReadSectionMarker(std::string_view(line_).substr(2));
  return marker != SectionMarker::kNone && marker != SectionMarker::kDecoration &&
         marker != SectionMarker::kUp;
}

void SectionHint::EndLine() {
  found_ = found_ || IsMarker();
  line_.clear();
  where_ = Where::kIndent;
}

void SectionHint::Feed(std::string_view piece) {
  while (!piece.empty() && !found_) {
    if (where_ == Where::kIndent) {
      piece.remove_prefix(std::min(piece.find_first_not_of(kBlanks), piece.size()));
      if (piece.empty()) return;
      where_ = piece.front() == '-' ? Where::kComment : Where::kElsewhere;
    }
    const std::size_t end = FindLineEnd(piece);
    if (where_ == Where::kComment)
      line_ += piece.substr(0, std::min(end, kLineBytes - line_.size()));
    if (end == piece.size()) return;
    EndLine();
    piece.remove_prefix(end + 1);
  }
}

}  // namespace whimbrel::migration
