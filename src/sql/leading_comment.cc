#include "sql/leading_comment.h"

namespace whimbrel::sql {
namespace {

constexpr std::size_t kMaxBytes = std::size_t{64} << 10;

}  // namespace

void LeadingComment::OnComment(std::string_view comment) {
  if (own_line_) {
    text_.append(comment).append(1, '\n');
    // Seldom, so that many comments cost linear time.
    if (text_.size() > 2 * kMaxBytes) text_.erase(0, FirstKeptByte());
  }
  OnOtherGap(comment);
}

void LeadingComment::OnOtherGap(std::string_view text) {
  own_line_ = own_line_ || text.find('\n') != std::string_view::npos;
}

std::size_t LeadingComment::FirstKeptByte() const {
  if (text_.size() <= kMaxBytes) return 0;
  return text_.find('\n', text_.size() - kMaxBytes - 1) + 1;
}

}  // namespace whimbrel::sql
