#pragma once

#include <optional>
#include <string>
#include <variant>

#include "whimbrel/base/clock.h"
#include "whimbrel/kube/api_error.h"

namespace whimbrel::kube {

/// When a reflector lists, watches and waits: the rules of client-go's reflector, and of kube-rs'
/// watcher where that costs the server less. Pure: no clock, no thread, no request.
struct ReflectorState {
  std::string resource_version;  ///< Where the next watch goes on.
  int failures = 0;              ///< Of late; the exponent of the next wait.
  SteadyTime last_failure;
};

// What happened.
struct ListDone {
  std::string resource_version;
};
struct ListFailed {
  ApiError error;
};
struct EventSeen {  ///< A bookmark, too.
  std::string resource_version;
};
struct WatchEnded {
  std::optional<ApiError> error;  ///< Empty: as agreed, by its timeout.
  Duration lasted{};
  bool saw_event = false;
};
using ReflectorInput = std::variant<ListDone, ListFailed, EventSeen, WatchEnded>;

/// What to do next, after `wait` if there is one.
struct ReflectorEffect {
  enum class Action { kGoOn, kList, kWatch, kStop };
  struct Wait {
    int attempt = 0;      ///< For the backoff.
    Duration at_least{};  ///< What the server asked for.
    friend bool operator==(const Wait&, const Wait&) = default;
  };
  Action action = Action::kGoOn;
  std::optional<Wait> wait;
  friend bool operator==(const ReflectorEffect&, const ReflectorEffect&) = default;
};

[[nodiscard]] ReflectorEffect Advance(ReflectorState& state, const ReflectorInput& input,
                                      SteadyTime now);

}  // namespace whimbrel::kube
