#include "whimbrel/controller/metric_descriptions.h"

#include <span>

#include "whimbrel/kube/metrics.h"

namespace whimbrel::controller {
namespace {

using enum MetricKind;

// Those of controller-runtime (pkg/internal/controller/metrics).
const std::vector<double>& PassBuckets() {
  static const std::vector<double> buckets{
      0.005, 0.01, 0.025, 0.05, 0.1,  0.15, 0.2,  0.25, 0.3, 0.35, 0.4, 0.45, 0.5, 0.6,
      0.7,   0.8,  0.9,   1,    1.25, 1.5,  1.75, 2,    2.5, 3,    3.5, 4,    4.5, 5,
      6,     7,    8,     9,    10,   15,   20,   25,   30,  40,   50,  60};
  return buckets;
}

std::vector<MetricDescription> OwnMetrics() {
  return {
      {"whimbrel_build_info", kGauge, "1; the version that runs.", {"version"}},
      {"whimbrel_leader", kGauge, "1 while this process may work, 0 while it stands by."},
      {"whimbrel_reconcile_total", kCounter, "Reconcile passes, by result.", {"result"}},
      {"whimbrel_reconcile_errors_total", kCounter,
       "Reconcile passes that failed and are made again."},
      {"whimbrel_reconcile_duration_seconds",
       kHistogram,
       "How long reconcile passes took; none waits for a database.",
       {},
       PassBuckets()},
      {"whimbrel_workqueue_depth", kGauge, "Resources that wait for a pass."},
      {"whimbrel_databasemigration_status_condition",
       kGauge,
       "1 for the status that a condition (Ready, Reconciling, Stalled) of a resource has, 0 for "
       "those that it has not.",
       {"namespace", "name", "condition", "status"}},
      {"whimbrel_databasemigration_pending_versions",
       kGauge,
       "Migrations of a resource that are not applied yet.",
       {"namespace", "name"}},
      {"whimbrel_databasemigration_last_success_timestamp_seconds",
       kGauge,
       "When a run of a resource last succeeded, in Unix time.",
       {"namespace", "name"}},
      {"whimbrel_databasemigration_run_start_timestamp_seconds",
       kGauge,
       "When the run that goes on for a resource began, in Unix time; absent while none does.",
       {"namespace", "name"}},
      {"whimbrel_migrations_applied_total", kCounter, "Migrations that runs have applied."},
      {"whimbrel_migrations_failed_total",
       kCounter,
       "Attempts that ended in a failure, transient ones too, by its reason.",
       {"reason"}},
      {"whimbrel_migration_duration_seconds",
       kHistogram,
       "How long migrations took; of one run the newest 20.",
       {},
       {0.01, 0.05, 0.1, 0.5, 1, 5, 10, 30, 60, 300, 900, 3600, 14400, 86400}},
      {"whimbrel_lock_wait_seconds",
       kHistogram,
       "How long runs waited for the migration lock.",
       {},
       {0.1, 0.5, 1, 5, 10, 30, 60, 300, 900, 3600}},
  };
}

std::vector<MetricDescription> ControllerRuntimeMetrics() {
  return {
      {"controller_runtime_reconcile_total",
       kCounter,
       "Reconcile passes, by controller and result.",
       {"controller", "result"}},
      {"controller_runtime_reconcile_errors_total",
       kCounter,
       "Reconcile passes that failed, by controller.",
       {"controller"}},
      {"controller_runtime_reconcile_panics_total",
       kCounter,
       "Reconcile passes that threw, by controller.",
       {"controller"}},
      {"controller_runtime_reconcile_time_seconds",
       kHistogram,
       "How long reconcile passes took, by controller.",
       {"controller"},
       PassBuckets()},
      {"controller_runtime_active_workers",
       kGauge,
       "Workers that make a pass now, by controller.",
       {"controller"}},
      {"controller_runtime_max_concurrent_reconciles",
       kGauge,
       "Workers that there are, by controller.",
       {"controller"}},
  };
}

void Append(std::vector<MetricDescription>& all, std::span<const MetricDescription> more) {
  all.insert(all.end(), more.begin(), more.end());
}

}  // namespace

const std::vector<MetricDescription>& ControllerMetrics() {
  static const std::vector<MetricDescription> metrics = [] {
    std::vector<MetricDescription> all = OwnMetrics();
    Append(all, ControllerRuntimeMetrics());
    Append(all, kube::WorkQueueMetrics());
    Append(all, kube::RestClientMetrics());
    Append(all, kube::LeaderElectionMetrics());
    return all;
  }();
  return metrics;
}

}  // namespace whimbrel::controller
