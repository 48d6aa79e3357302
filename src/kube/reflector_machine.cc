#include "kube/reflector_machine.h"

namespace whimbrel::kube {
namespace {

using Action = ReflectorEffect::Action;

// So long without a failure, and the next one counts as the first.
constexpr std::chrono::minutes kForgetFailuresAfter{2};
// A server that ends watches at once must not be asked in a tight loop.
constexpr std::chrono::seconds kVeryShort{1};

ReflectorEffect After(Action action, ReflectorState& state, SteadyTime now,
                      const ApiError* error = nullptr) {
  if (now - state.last_failure >= kForgetFailuresAfter) state.failures = 0;
  state.last_failure = now;
  ReflectorEffect::Wait wait{.attempt = state.failures++};
  if (error != nullptr && error->retry_after) wait.at_least = *error->retry_after;
  return {.action = action, .wait = wait};
}

// Whether the state of the last event is still good for going on.
bool MayResume(ApiErrorReason reason) {
  switch (reason) {
    case ApiErrorReason::kTransport:
    case ApiErrorReason::kServerError:
    case ApiErrorReason::kTooManyRequests:
    case ApiErrorReason::kUnauthorized:
      return true;
    default:
      return false;
  }
}

struct Machine {
  ReflectorState& state;
  const SteadyTime now;

  ReflectorEffect operator()(const ListDone& list) const {
    state.resource_version = list.resource_version;
    return {.action = Action::kWatch};
  }

  ReflectorEffect operator()(const ListFailed& list) const {
    if (list.error.reason == ApiErrorReason::kCancelled) return {.action = Action::kStop};
    return After(Action::kList, state, now, &list.error);
  }

  ReflectorEffect operator()(const EventSeen& event) const {
    if (!event.resource_version.empty()) state.resource_version = event.resource_version;
    state.listed_for_expiry = false;
    return {.action = Action::kGoOn};
  }

  ReflectorEffect operator()(const WatchEnded& watch) const {
    if (!watch.error) {
      const bool very_short = !watch.saw_event && watch.lasted < kVeryShort;
      if (very_short) return After(Action::kWatch, state, now);
      return {.action = Action::kWatch};
    }
    const ApiErrorReason reason = watch.error->reason;
    if (reason == ApiErrorReason::kCancelled) return {.action = Action::kStop};
    if (MayResume(reason)) return After(Action::kWatch, state, now, &*watch.error);
    // 410 is how the server says that we were away for too long: no reason to wait, unless the list
    // for the last one did not help.
    if (reason == ApiErrorReason::kExpired && !state.listed_for_expiry) {
      state.listed_for_expiry = true;
      return {.action = Action::kList};
    }
    return After(Action::kList, state, now, &*watch.error);
  }
};

}  // namespace

ReflectorEffect Advance(ReflectorState& state, const ReflectorInput& input, SteadyTime now) {
  return std::visit(Machine{state, now}, input);
}

}  // namespace whimbrel::kube
