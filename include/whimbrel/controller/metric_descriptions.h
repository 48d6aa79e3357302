#pragma once

#include <vector>

#include "whimbrel/base/metrics.h"

namespace whimbrel::controller {

/// Every metric that a controller process reports (docs/metrics.md), for whoever collects them:
/// Whimbrel's own, those of controller-runtime that dashboards ask for, and those of the work
/// queue, the API client and leader election.
[[nodiscard]] const std::vector<MetricDescription>& ControllerMetrics();

}  // namespace whimbrel::controller
