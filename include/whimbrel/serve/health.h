#pragma once

#include <functional>
#include <map>
#include <mutex>
#include <optional>
#include <set>
#include <string>
#include <string_view>

#include "whimbrel/serve/http_endpoint.h"

namespace whimbrel::serve {

/// Nothing where all is well, else why not: one sentence for the log, which probes do not get to
/// see. Returns at once: whoever asks waits a second.
using HealthCheck = std::function<std::optional<std::string>()>;

/// Named checks behind /healthz (restart me) and /readyz (send me work), answered word for word as
/// controller-runtime's pkg/healthz does: `ok`; `?verbose`; `?exclude=<name>`, repeated;
/// `/healthz/<name>` for one of them; 500 and `[-]name failed: reason withheld` otherwise.
///
///     HealthChecks health;
///     health.AddReadyCheck("informer-sync", [&] { return controller.synced() ? … });
///     HttpEndpoint::Start({.address = address}, health.ToHandler());
///
/// Add everything before the endpoint starts. Handle is thread-safe.
class HealthChecks {
 public:
  void AddHealthCheck(std::string name, HealthCheck check);
  void AddReadyCheck(std::string name, HealthCheck check);

  [[nodiscard]] Response Handle(const Request& request);
  /// Handle as a handler; this object must outlive the endpoint.
  [[nodiscard]] Handler ToHandler() {
    return [this](const Request& request) { return Handle(request); };
  }

 private:
  using Checks = std::map<std::string, HealthCheck, std::less<>>;
  Response HandleAll(std::string_view root, const Checks& checks, std::string_view query);
  bool Passes(std::string_view root, const std::string& name, const HealthCheck& check);

  Checks health_;
  Checks ready_;
  std::mutex mutex_;
  std::set<std::string> failing_;  ///< Paths; only a change is logged.
};

}  // namespace whimbrel::serve
