#pragma once

#include <stop_token>
#include <string>
#include <vector>

#include "whimbrel/base/error.h"
#include "whimbrel/kube/object_client.h"

namespace whimbrel::controller {

/// Whether the API server serves DatabaseMigrations and lets us list them and the ConfigMaps, and,
/// where runs are `jobs`, Jobs and pods; the error says what to do.
[[nodiscard]] Result<void> CheckAccess(kube::ObjectClient& client,
                                       const std::vector<std::string>& namespaces, bool jobs,
                                       std::stop_token stop);

}  // namespace whimbrel::controller
