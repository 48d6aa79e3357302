#pragma once

#include <memory>
#include <string>

#include "whimbrel/base/error.h"
#include "whimbrel/base/metrics.h"
#include "whimbrel/serve/http_endpoint.h"
#include "whimbrel/serve/metrics_registry.h"

namespace whimbrel::cli {

/// What a controller process counts, and /metrics for Prometheus. Thread-safe.
class MetricsServer {
 public:
  MetricsServer();

  /// Where modules report; outlives whoever gets it.
  [[nodiscard]] MetricsSink& sink() { return registry_; }

  /// Listens on an address as --metrics-bind-address takes it; `0`: nowhere.
  Result<void> Listen(const std::string& address);

 private:
  serve::MetricsRegistry registry_;
  std::unique_ptr<serve::HttpEndpoint> endpoint_;  // Last: its threads read the registry.
};

}  // namespace whimbrel::cli
