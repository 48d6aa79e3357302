#pragma once

#include <span>

#include "whimbrel/base/metrics.h"

namespace whimbrel::kube {

/// What a RestClient reports; client-go's names and buckets (component-base/metrics/prometheus).
[[nodiscard]] std::span<const MetricDescription> RestClientMetrics();

/// What a WorkQueue reports; client-go's names (controller-runtime pkg/metrics/workqueue.go), with
/// the label `name` alone.
[[nodiscard]] std::span<const MetricDescription> WorkQueueMetrics();

/// What a LeaderElector reports; client-go's name (tools/leaderelection/metrics.go).
[[nodiscard]] std::span<const MetricDescription> LeaderElectionMetrics();

}  // namespace whimbrel::kube
