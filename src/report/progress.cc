#include "whimbrel/report/progress.h"

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

}  // namespace whimbrel::report
