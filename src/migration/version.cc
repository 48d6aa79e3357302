#include "whimbrel/migration/version.h"

#include <algorithm>
#include <utility>

namespace whimbrel::migration {
namespace {

bool IsDigit(char c) { return c >= '0' && c <= '9'; }

/// Digits with single dots between them.
bool IsVersion(std::string_view text) {
  char before = '.';
  for (const char c : text) {
    if (!IsDigit(c) && !(c == '.' && IsDigit(before))) return false;
    before = c;
  }
  return IsDigit(before);
}

/// Cuts the first part off `rest`, without its leading zeros; `0` where there is none.
std::string_view TakePart(std::string_view& rest) {
  const std::size_t dot = std::min(rest.find('.'), rest.size());
  std::string_view part = rest.substr(0, dot);
  rest.remove_prefix(std::min(dot + 1, rest.size()));
  part.remove_prefix(std::min(part.find_first_not_of('0'), part.size()));
  return part.empty() ? "0" : part;
}

std::string Canonical(std::string_view display) {
  std::string canonical;
  std::size_t significant = 0;  // Length up to the last part that is not 0, or to the first part.
  while (!display.empty()) {
    const std::string_view part = TakePart(display);
    if (!canonical.empty()) canonical += '.';
    canonical += part;
    if (part != "0" || significant == 0) significant = canonical.size();
  }
  canonical.resize(significant);
  return canonical;
}

}  // namespace

Result<Version> Version::Parse(std::string_view text) {
  Version version;
  version.display_ = text;
  std::replace(version.display_.begin(), version.display_.end(), '_', '.');
  if (!IsVersion(version.display_)) {
    return Fail(ErrorKind::kInvalidArgument,
                "`" + std::string(text) +
                    "` is not a version: write digits, with `.` or `_` between parts");
  }
  version.canonical_ = Canonical(version.display_);
  return version;
}

std::strong_ordering operator<=>(const Version& a, const Version& b) {
  // Without leading zeros the longer number is the larger one, so no number needs to be computed.
  std::string_view left = a.canonical_;
  std::string_view right = b.canonical_;
  if (left.empty() || right.empty()) return left.size() <=> right.size();
  while (!left.empty() || !right.empty()) {
    const std::string_view l = TakePart(left);
    const std::string_view r = TakePart(right);
    if (l.size() != r.size()) return l.size() <=> r.size();
    if (const int order = l.compare(r); order != 0) return order <=> 0;
  }
  return std::strong_ordering::equal;
}

}  // namespace whimbrel::migration
