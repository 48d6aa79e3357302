#pragma once

#include <iosfwd>
#include <stop_token>
#include <string>
#include <vector>

#include "whimbrel/cli/exit_code.h"

namespace whimbrel::cli {

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
  double qps = 50;
  int burst = 100;
};

/// Runs until a stop is requested.
ExitCode RunController(const ControllerCommandOptions& options, std::stop_token stop,
                       std::ostream& err);

}  // namespace whimbrel::cli
