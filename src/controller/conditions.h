#pragma once

#include <cstdint>
#include <string>

#include "whimbrel/base/clock.h"
#include "whimbrel/controller/status.h"
#include "whimbrel/report/reason.h"

namespace whimbrel::controller {

/// What the three conditions say together. Never both Reconciling and Stalled: kstatus would take
/// the first in the list.
enum class Health { kReady, kReconciling, kStalled };

struct Verdict {
  Health health = Health::kReconciling;
  report::Reason reason = report::Reason::kInitializing;
  std::string message;  ///< Cut here to what a condition should hold.
};

/// Writes Ready, Reconciling and Stalled, and observedGeneration everywhere: kubectl wait ignores a
/// condition without it (reference/ecosystem.md §0, finding 7). lastTransitionTime moves only where
/// a condition flips.
void SetConditions(Status& status, const Verdict& verdict, std::int64_t generation, SystemTime now);

/// `status` says so already.
[[nodiscard]] bool Says(const Status& status, const Verdict& verdict);
/// The reason that Ready has now; empty before the first look.
[[nodiscard]] std::string_view ReadyReason(const Status& status);
[[nodiscard]] bool HasReason(const Status& status, report::Reason reason);

}  // namespace whimbrel::controller
