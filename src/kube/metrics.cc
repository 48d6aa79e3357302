#include "whimbrel/kube/metrics.h"

#include <array>

namespace whimbrel::kube {
namespace {

const std::vector<double>& Decades() {
  static const std::vector<double> buckets{1e-8, 1e-7, 1e-6, 1e-5, 1e-4, 1e-3,
                                           1e-2, 1e-1, 1,    10,   100,  1000};
  return buckets;
}

}  // namespace

std::span<const MetricDescription> RestClientMetrics() {
  static const std::array<MetricDescription, 3> metrics{{
      {.name = "rest_client_requests_total",
       .help = "Requests to the API server, by code of the answer and method; <error>: no answer.",
       .labels = {"code", "method", "host"}},
      {.name = "rest_client_request_duration_seconds",
       .kind = MetricKind::kHistogram,
       .help = "How long requests other than watches took.",
       .labels = {"verb", "host"},
       .buckets = {0.005, 0.025, 0.1, 0.25, 0.5, 1, 2, 4, 8, 15, 30, 60}},
      {.name = "rest_client_rate_limiter_duration_seconds",
       .kind = MetricKind::kHistogram,
       .help = "How long requests waited for the client's own limit.",
       .labels = {"verb", "host"},
       .buckets = {0.005, 0.025, 0.1, 0.25, 0.5, 1, 2, 4, 8, 15, 30, 60}},
  }};
  return metrics;
}

std::span<const MetricDescription> WorkQueueMetrics() {
  static const std::array<MetricDescription, 7> metrics{{
      {.name = "workqueue_depth",
       .kind = MetricKind::kGauge,
       .help = "Keys that a worker could take now.",
       .labels = {"name"}},
      {.name = "workqueue_adds_total",
       .help = "Keys that became ready to be taken.",
       .labels = {"name"}},
      {.name = "workqueue_retries_total",
       .help = "Keys that were added for later, after a failure or for another look.",
       .labels = {"name"}},
      {.name = "workqueue_queue_duration_seconds",
       .kind = MetricKind::kHistogram,
       .help = "How long keys waited for a worker.",
       .labels = {"name"},
       .buckets = Decades()},
      {.name = "workqueue_work_duration_seconds",
       .kind = MetricKind::kHistogram,
       .help = "How long workers had a key.",
       .labels = {"name"},
       .buckets = Decades()},
      {.name = "workqueue_unfinished_work_seconds",
       .kind = MetricKind::kGauge,
       .help = "For how long workers have had the keys that they have now, added up.",
       .labels = {"name"}},
      {.name = "workqueue_longest_running_processor_seconds",
       .kind = MetricKind::kGauge,
       .help = "For how long the slowest worker has had its key.",
       .labels = {"name"}},
  }};
  return metrics;
}

std::span<const MetricDescription> LeaderElectionMetrics() {
  static const std::array<MetricDescription, 1> metrics{{
      {.name = "leader_election_master_status",
       .kind = MetricKind::kGauge,
       .help = "1 while this replica leads, 0 while it stands by; name: of the Lease.",
       .labels = {"name"}},
  }};
  return metrics;
}

}  // namespace whimbrel::kube
