#include "migration/source_path.h"

#include <algorithm>

#include "whimbrel/base/redact.h"
#include "whimbrel/base/utf8.h"

namespace whimbrel::migration {
namespace {

bool IsControl(char c) { return static_cast<unsigned char>(c) < 0x20 || c == 0x7F; }

/// What is wrong with it, as the end of a sentence; empty when nothing is.
std::string_view Defect(std::string_view path) {
  if (path.empty()) return "is empty";
  if (std::any_of(path.begin(), path.end(), IsControl)) return "holds a control character";
  if (!IsUtf8(path)) return "is not valid UTF-8";
  if (path.find('\\') != std::string_view::npos) return "holds a backslash";
  if (path.front() == '/') return "begins with `/`";
  while (!path.empty()) {
    const std::size_t slash = std::min(path.find('/'), path.size());
    const std::string_view part = path.substr(0, slash);
    if (part.empty() || part == "." || part == "..") return "has a part that is empty, `.` or `..`";
    if (slash + 1 == path.size()) return "ends with `/`";
    path.remove_prefix(std::min(slash + 1, path.size()));
  }
  return {};
}

}  // namespace

std::string PrintablePath(std::string_view path) {
  std::string text = TruncateUtf8(path, 256);
  std::replace_if(text.begin(), text.end(), IsControl, '?');
  return text;
}

Result<void> CheckPath(std::string_view path, std::string_view origin) {
  const std::string_view defect = Defect(path);
  if (defect.empty()) return {};
  return Fail(ErrorKind::kInvalidArgument, "the path `" + PrintablePath(path) +
                                               "` of a file from " + std::string(origin) + " " +
                                               std::string(defect) + ": rename the file");
}

}  // namespace whimbrel::migration
