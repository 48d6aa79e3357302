#pragma once

#include <memory>
#include <mutex>
#include <string>

#include "whimbrel/base/error.h"
#include "whimbrel/controller/controller.h"
#include "whimbrel/kube/leader_elector.h"
#include "whimbrel/serve/health.h"
#include "whimbrel/serve/http_endpoint.h"

namespace whimbrel::cli {

/// /healthz and /readyz of one controller process. Healthy: alive, and no leader past its lease
/// that has not noticed; an API server that is down makes nobody unhealthy. Ready: has listed
/// everything, or stands by for a leader that has.
class Probes {
 public:
  /// `elector`: null without leader election; must outlive this.
  explicit Probes(const kube::LeaderElector* elector);
  Probes(const Probes&) = delete;
  Probes& operator=(const Probes&) = delete;

  /// Listens on an address as --health-probe-bind-address takes it; `0`: nowhere.
  Result<void> Listen(const std::string& address);

  /// Whom readiness is asked of from now on; null: nobody, and only who stands by is ready.
  void Watch(const controller::Controller* controller);

 private:
  [[nodiscard]] bool Ready() const;

  const kube::LeaderElector* const elector_;
  mutable std::mutex mutex_;
  const controller::Controller* controller_ = nullptr;  ///< Guarded by mutex_.
  serve::HealthChecks checks_;
  std::unique_ptr<serve::HttpEndpoint> endpoint_;  // Last: its threads use all of the above.
};

}  // namespace whimbrel::cli
