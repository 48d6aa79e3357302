#include "whimbrel/report/progress.h"

#include <nlohmann/json.hpp>

namespace whimbrel::report {

std::string_view ToString(Progress::Phase phase) {
  switch (phase) {
    case Progress::Phase::kStarting:
      return "Starting";
    case Progress::Phase::kConnecting:
      return "Connecting";
    case Progress::Phase::kWaitingForDatabase:
      return "WaitingForDatabase";
    case Progress::Phase::kWaitingForLock:
      return "WaitingForLock";
    case Progress::Phase::kWaitingForSlot:
      return "WaitingForSlot";
    case Progress::Phase::kPlanning:
      return "Planning";
    case Progress::Phase::kMigrating:
      return "Migrating";
    case Progress::Phase::kRetrying:
      return "Retrying";
    case Progress::Phase::kDone:
      return "Done";
  }
  return "";
}

nlohmann::json ToJson(const Progress& progress) {
  nlohmann::json out = {{"type", "progress"}, {"phase", ToString(progress.phase)}};
  const auto text = [&](const char* name, const std::string& value) {
    if (!value.empty()) out[name] = value;
  };
  const auto number = [&](const char* name, std::uint64_t value) {
    if (value != 0) out[name] = value;
  };
  text("detail", progress.detail);
  text("version", progress.version);
  text("file", progress.path);
  number("statement", progress.statement);
  number("statements", progress.statements);
  number("line", static_cast<std::uint64_t>(progress.line));
  number("copiedBytes", progress.copied_bytes);
  text("activity", progress.activity);
  if (progress.total != 0) {
    out["done"] = progress.done;
    out["total"] = progress.total;
  }
  return out;
}

}  // namespace whimbrel::report
