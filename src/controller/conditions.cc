#include "controller/conditions.h"

#include <utility>

#include "whimbrel/base/redact.h"

namespace whimbrel::controller {
namespace {

constexpr std::size_t kMaxMessageBytes = 2048;

Truth TruthOf(bool value) { return value ? Truth::kTrue : Truth::kFalse; }

Condition MakeCondition(const Status& before, std::string type, Truth truth, const Verdict& verdict,
                        bool with_message) {
  Condition condition{
      .type = std::move(type),
      .status = truth,
      .reason = std::string(report::ToString(verdict.reason)),
      .message = with_message ? TruncateUtf8(verdict.message, kMaxMessageBytes) : std::string()};
  if (const Condition* old = before.Find(condition.type); old != nullptr && old->status == truth) {
    condition.last_transition_time = old->last_transition_time;
  }
  return condition;
}

}  // namespace

void SetConditions(Status& status, const Verdict& verdict, std::int64_t generation,
                   SystemTime now) {
  const bool reconciling = verdict.health == Health::kReconciling;
  const bool stalled = verdict.health == Health::kStalled;
  // A condition that does not hold needs no text: describe shows each sentence where it belongs.
  std::vector<Condition> conditions = {
      MakeCondition(status, "Ready", TruthOf(verdict.health == Health::kReady), verdict, true),
      MakeCondition(status, "Reconciling", TruthOf(reconciling), verdict, reconciling),
      MakeCondition(status, "Stalled", TruthOf(stalled), verdict, stalled)};
  for (Condition& condition : conditions) {
    condition.observed_generation = generation;
    if (condition.last_transition_time == SystemTime()) {
      condition.last_transition_time = std::chrono::floor<std::chrono::seconds>(now);
    }
  }
  status.conditions = std::move(conditions);
  status.observed_generation = generation;
}

bool Says(const Status& status, const Verdict& verdict) {
  const Condition* ready = status.Find("Ready");
  return ready != nullptr && ready->reason == report::ToString(verdict.reason) &&
         ready->message == TruncateUtf8(verdict.message, kMaxMessageBytes) &&
         status.IsTrue("Ready") == (verdict.health == Health::kReady) &&
         status.IsTrue("Stalled") == (verdict.health == Health::kStalled);
}

std::string_view ReadyReason(const Status& status) {
  const Condition* ready = status.Find("Ready");
  return ready == nullptr ? std::string_view() : std::string_view(ready->reason);
}

bool HasReason(const Status& status, report::Reason reason) {
  return ReadyReason(status) == report::ToString(reason);
}

}  // namespace whimbrel::controller
