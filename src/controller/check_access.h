#pragma once

#include <stop_token>
#include <string>
#include <vector>

#include "whimbrel/base/backoff.h"
#include "whimbrel/base/clock.h"
#include "whimbrel/base/error.h"
#include "whimbrel/kube/object_client.h"

namespace whimbrel::controller {

/// Whether the API server serves DatabaseMigrations and lets us list them and the ConfigMaps, and,
/// where runs are `jobs`, Jobs and pods; the error says what to do. A server that does not answer
/// (ApiError::IsTransient) is asked again, with backoff, until it does or `stop` is requested.
[[nodiscard]] Result<void> CheckAccess(kube::ObjectClient& client,
                                       const std::vector<std::string>& namespaces, bool jobs,
                                       const Clock& clock, Random& random, std::stop_token stop);

}  // namespace whimbrel::controller
