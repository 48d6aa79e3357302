#pragma once

#include <iosfwd>
#include <stop_token>
#include <string>
#include <vector>

#include "whimbrel/cli/exit_code.h"

namespace whimbrel::cli {

/// Options of `whimbrel run -f …`.
struct RunManifestsOptions {
  std::vector<std::string> paths;
  std::string ns = "default";  ///< Of objects without a namespace.
  int max_concurrent_migrations = 4;
  bool json = false;
};

/// Runs the controller itself over manifests in memory until every resource is Ready or Stalled
/// (design §1).
ExitCode RunManifests(const RunManifestsOptions& options, std::stop_token stop, std::ostream& out,
                      std::ostream& err);

}  // namespace whimbrel::cli
