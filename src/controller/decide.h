#pragma once

#include "controller/action.h"
#include "controller/observed.h"
#include "whimbrel/base/clock.h"

namespace whimbrel::controller {

/// How often a missing Secret is looked for, and a refused login tried again while passwords may
/// rotate (design §5).
inline constexpr std::chrono::seconds kSecretPeriod{60};
/// How long a refused login or a missing database counts as something that heals itself.
inline constexpr std::chrono::minutes kRotationWindow{10};
/// The shortest time between two writes of progress.
inline constexpr std::chrono::seconds kProgressPeriod{5};

/// `status.run.phase` of a Job that is being ended because a person asked for it.
inline constexpr const char* kCancellingPhase = "Cancelling";

/// The middle of a reconcile pass: what is known → what to do. Pure, hence tested as tables; made
/// again with what it wrote it does nothing.
[[nodiscard]] Action Decide(const Observed& observed, SystemTime now);

}  // namespace whimbrel::controller
