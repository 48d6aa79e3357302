#include <array>
#include <utility>

#include "whimbrel/report/run_report.h"

namespace whimbrel::report {
namespace {

constexpr std::array<std::pair<Notice::Kind, std::string_view>, 8> kKinds = {{
    {Notice::Kind::kImported, "Imported"},
    {Notice::Kind::kWithdrawn, "Withdrawn"},
    {Notice::Kind::kFuture, "Future"},
    {Notice::Kind::kBaselined, "Baselined"},
    {Notice::Kind::kRetried, "Retried"},
    {Notice::Kind::kLockWait, "LockWait"},
    {Notice::Kind::kFrozenRunEnded, "FrozenRunEnded"},
    {Notice::Kind::kDatabaseChanged, "DatabaseChanged"},
}};

}  // namespace

std::string_view ToString(Notice::Kind kind) {
  for (const auto& [value, name] : kKinds) {
    if (value == kind) return name;
  }
  return "";
}

std::optional<Notice::Kind> ParseNoticeKind(std::string_view text) {
  for (const auto& [value, name] : kKinds) {
    if (name == text) return value;
  }
  return std::nullopt;
}

}  // namespace whimbrel::report
