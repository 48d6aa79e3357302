#include "kube/reflector_machine.h"

#include <algorithm>

namespace whimbrel::kube {
namespace {

using Action = ReflectorEffect::Action;

// So long without a failure, and the next one counts as the first.
constexpr std::chrono::minutes kForgetFailuresAfter{2};
// Nobody may keep us away for longer.
constexpr std::chrono::minutes kMaxRetryAfter{1};
// The server sends bookmarks about every minute (apiserver, cacher.go, defaultBookmarkFrequency).
// When it has sent neither one nor an event for so long, it may have gone back in time, restored
// from a backup: it keeps quiet then until it has reached our resourceVersion again.
constexpr std::chrono::minutes kSilence{3};
// A server that ends watches at once must not be asked in a tight loop.
constexpr std::chrono::seconds kVeryShort{1};

ReflectorEffect After(Action action, ReflectorState& state, SteadyTime now,
                      const ApiError* error = nullptr) {
  if (now - state.last_failure >= kForgetFailuresAfter) state.failures = 0;
  state.last_failure = now;
  ReflectorEffect::Wait wait{.attempt = state.failures++};
  if (error != nullptr && error->retry_after) {
    wait.at_least = std::min<Duration>(*error->retry_after, kMaxRetryAfter);
  }
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
    // As kube-rs does: a watch that brings something is worth asking for again soon.
    state.failures = 0;
    return {.action = Action::kGoOn};
  }

  ReflectorEffect operator()(const WatchEnded& watch) const {
    if (!watch.error) {
      const bool very_short = !watch.saw_event && watch.lasted < kVeryShort;
      if (very_short) return After(Action::kWatch, state, now);
      if (!watch.saw_event && watch.lasted >= kSilence) return {.action = Action::kList};
      return {.action = Action::kWatch};
    }
    const ApiErrorReason reason = watch.error->reason;
    if (reason == ApiErrorReason::kCancelled) return {.action = Action::kStop};
    if (MayResume(reason)) return After(Action::kWatch, state, now, &*watch.error);
    // An expired version (410) too: the wait differs from one reflector to the next, so that a
    // server that was restarted is not asked for all its lists by all of them at once.
    return After(Action::kList, state, now, &*watch.error);
  }
};

}  // namespace

ReflectorEffect Advance(ReflectorState& state, const ReflectorInput& input, SteadyTime now) {
  return std::visit(Machine{state, now}, input);
}

}  // namespace whimbrel::kube
