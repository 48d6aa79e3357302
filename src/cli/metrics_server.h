#pragma once

#include <memory>

#include "cli/controller_command.h"
#include "whimbrel/base/error.h"
#include "whimbrel/base/metrics.h"
#include "whimbrel/kube/config.h"
#include "whimbrel/kube/object_client.h"
#include "whimbrel/serve/http_endpoint.h"
#include "whimbrel/serve/metrics_access.h"
#include "whimbrel/serve/metrics_registry.h"

namespace whimbrel::cli {

/// What a controller process counts, and /metrics for Prometheus. Thread-safe.
class MetricsServer {
 public:
  MetricsServer();

  /// Where modules report; outlives whoever gets it.
  [[nodiscard]] MetricsSink& sink() { return registry_; }

  /// Listens as the flags say. `cluster` is who judges tokens; null: there is nobody, and no
  /// token is asked for.
  Result<void> Listen(const MetricsFlags& flags, const kube::Config* cluster);

 private:
  Result<void> AskForTokens(const kube::Config& cluster);

  serve::MetricsRegistry registry_;
  std::unique_ptr<kube::ObjectClient> client_;
  std::unique_ptr<serve::AccessReviewer> reviewer_;
  std::unique_ptr<serve::MetricsAccess> access_;
  std::unique_ptr<serve::HttpEndpoint> endpoint_;  // Last: its threads use all of the above.
};

}  // namespace whimbrel::cli
