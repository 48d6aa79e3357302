#pragma once

#include <memory>

#include "whimbrel/kube/object_client.h"
#include "whimbrel/serve/metrics_access.h"

namespace whimbrel::cli {

/// Asks the API server by TokenReview and SubjectAccessReview, which its ClusterRole
/// `system:auth-delegator` allows. `client` must outlive the reviewer, and may write whoever leads.
[[nodiscard]] std::unique_ptr<serve::AccessReviewer> NewClusterReviewer(kube::ObjectClient& client);

}  // namespace whimbrel::cli
