#pragma once

#include <chrono>
#include <iosfwd>
#include <optional>
#include <stop_token>
#include <string>
#include <vector>

#include "whimbrel/base/clock.h"
#include "whimbrel/cli/exit_code.h"
#include "whimbrel/controller/controller.h"

namespace whimbrel::cli {

/// As controller-runtime has it.
struct LeaderElectFlags {
  bool enabled = false;
  Duration lease_duration = std::chrono::seconds(15);
  Duration renew_deadline = std::chrono::seconds(10);
  Duration retry_period = std::chrono::seconds(2);
  std::string resource_name = "whimbrel-controller";
  std::string resource_namespace;  ///< Empty: that of the pod, or of the kubeconfig's context.
};

/// As kubebuilder has it.
struct MetricsFlags {
  std::string bind_address = "0";  ///< As serve::ParseBindAddress has it.
  bool secure = false;             ///< HTTPS.
  std::string certificate_folder;  ///< With `tls.crt` and `tls.key`; empty: one of our own.
  bool auth = false;               ///< By token, with the API server as judge.
};

/// Options of `whimbrel controller`.
struct ControllerCommandOptions {
  std::string kubeconfig;
  std::string context;
  std::vector<std::string>
      manifests;  ///< Instead of an API server: folders that are kept converged.
  std::vector<std::string> namespaces;
  int resync_seconds = 600;
  int source_timeout_seconds = 300;
  int max_concurrent_migrations = 4;
  double qps = 500;
  int burst = 1000;
  LeaderElectFlags leader_elect;
  controller::RunnerImage runner;
  int graceful_shutdown_timeout_seconds = 30;
  /// As serve::ParseBindAddress has it; absent: `:8081`, or with manifests nowhere.
  std::optional<std::string> health_probe_bind_address;
  MetricsFlags metrics;
};

/// Runs until a stop is requested. kRetryable: the lease was lost, and somebody should start it
/// again.
ExitCode RunController(const ControllerCommandOptions& options, std::stop_token stop,
                       std::ostream& err);

}  // namespace whimbrel::cli
