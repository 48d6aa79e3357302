#include "controller/obstacle.h"

#include "controller/decide.h"
#include "controller/status_limits.h"
#include "whimbrel/base/redact.h"

namespace whimbrel::controller {
namespace {

using report::Reason;
using report::ReasonClass;

bool IsSourceMissing(Reason reason) {
  return reason == Reason::kSourceNotFound || reason == Reason::kSourceDigestMismatch;
}

SystemTime Since(Reason reason, const Status& status, SystemTime now) {
  return HasReason(status, reason) && status.failure ? status.failure->first_seen : now;
}

}  // namespace

Obstruction JudgeObstacle(const Obstacle& obstacle, const Status& status,
                          std::chrono::seconds source_timeout, SystemTime now) {
  Obstruction out;
  out.verdict = {.health = report::ClassOf(obstacle.reason) == ReasonClass::kReconciling
                               ? Health::kReconciling
                               : Health::kStalled,
                 .reason = obstacle.reason,
                 .message = Redact(obstacle.message)};
  // Nobody's fault, hence no failure.
  if (obstacle.reason == Reason::kSuspended) return out;
  const SystemTime since = Since(obstacle.reason, status, now);
  out.failure = FailureStatus{.message = TruncateUtf8(out.verdict.message, kMaxFailureBytes),
                              .first_seen = since};
  if (obstacle.reason == Reason::kSecretNotFound) out.look_again = kSecretPeriod;
  if (!IsSourceMissing(obstacle.reason)) return out;
  const Duration left = since + source_timeout - now;
  if (left > Duration::zero()) {
    out.look_again = left;
  } else {
    out.verdict.health = Health::kStalled;
  }
  return out;
}

}  // namespace whimbrel::controller
