#include "controller/metrics.h"

#include <array>
#include <chrono>
#include <string_view>

#include "whimbrel/report/reason.h"

namespace whimbrel::controller {
namespace {

constexpr std::string_view kController = "databasemigration";
constexpr std::string_view kCondition = "whimbrel_databasemigration_status_condition";
constexpr std::string_view kPending = "whimbrel_databasemigration_pending_versions";
constexpr std::string_view kLastSuccess =
    "whimbrel_databasemigration_last_success_timestamp_seconds";
constexpr std::string_view kRunStart = "whimbrel_databasemigration_run_start_timestamp_seconds";

constexpr std::array<std::string_view, 3> kConditions{"Ready", "Reconciling", "Stalled"};
constexpr std::array<std::pair<Truth, std::string_view>, 3> kTruths{
    {{Truth::kTrue, "True"}, {Truth::kFalse, "False"}, {Truth::kUnknown, "Unknown"}}};

double Seconds(Duration duration) { return std::chrono::duration<double>(duration).count(); }
double UnixSeconds(SystemTime time) { return Seconds(time.time_since_epoch()); }

std::string_view ToString(PassResult result) {
  switch (result) {
    case PassResult::kSuccess:
      return "success";
    case PassResult::kRequeueAfter:
      return "requeue_after";
    case PassResult::kRequeue:
      return "requeue";
    case PassResult::kError:
    case PassResult::kThrew:
      break;
  }
  return "error";
}

void CountResult(MetricsSink& sink, PassResult result, double increment) {
  const std::string_view text = ToString(result);
  sink.Count("whimbrel_reconcile_total", {{"result", text}}, increment);
  sink.Count("controller_runtime_reconcile_total", {{"controller", kController}, {"result", text}},
             increment);
}

void CountErrors(MetricsSink& sink, double increment) {
  sink.Count("whimbrel_reconcile_errors_total", {}, increment);
  sink.Count("controller_runtime_reconcile_errors_total", {{"controller", kController}}, increment);
}

void CountThrows(MetricsSink& sink, double increment) {
  sink.Count("controller_runtime_reconcile_panics_total", {{"controller", kController}}, increment);
}

// Absent: a value that nobody knows has no series.
void PutOptional(MetricsSink& sink, std::string_view name, const kube::ObjectKey& key,
                 std::optional<double> value) {
  const MetricsSink::Labels labels = {{"namespace", key.ns}, {"name", key.name}};
  if (value) {
    sink.Gauge(name, labels, *value);
  } else {
    sink.Drop(name, labels);
  }
}

}  // namespace

PassResult ResultOf(const kube::ApiResult<std::optional<Duration>>& next) {
  if (next) return *next ? PassResult::kRequeueAfter : PassResult::kSuccess;
  const bool normal =
      next.error().IsConflict() || next.error().reason == kube::ApiErrorReason::kCancelled;
  return normal ? PassResult::kRequeue : PassResult::kError;
}

PassMetrics::PassMetrics(MetricsSink& sink, int workers) : sink_(sink) {
  for (const PassResult result : {PassResult::kSuccess, PassResult::kRequeueAfter,
                                  PassResult::kRequeue, PassResult::kError}) {
    CountResult(sink_, result, 0);
  }
  CountErrors(sink_, 0);
  CountThrows(sink_, 0);
  sink_.Gauge("controller_runtime_max_concurrent_reconciles", {{"controller", kController}},
              workers);
  AddActive(0);
}

void PassMetrics::AddActive(int change) {
  const std::lock_guard lock(mutex_);
  active_ += change;
  sink_.Gauge("controller_runtime_active_workers", {{"controller", kController}}, active_);
}

void PassMetrics::Waiting(std::size_t keys) {
  sink_.Gauge("whimbrel_workqueue_depth", {}, static_cast<double>(keys));
}

void PassMetrics::Began() { AddActive(1); }

void PassMetrics::Ended(PassResult result, Duration took) {
  AddActive(-1);
  CountResult(sink_, result, 1);
  if (result == PassResult::kError || result == PassResult::kThrew) CountErrors(sink_, 1);
  if (result == PassResult::kThrew) CountThrows(sink_, 1);
  sink_.Observe("whimbrel_reconcile_duration_seconds", {}, Seconds(took));
  sink_.Observe("controller_runtime_reconcile_time_seconds", {{"controller", kController}},
                Seconds(took));
}

void PutResource(MetricsSink& sink, const kube::ObjectKey& key, const Status& status) {
  for (const std::string_view type : kConditions) {
    const Condition* condition = status.Find(type);
    const Truth now = condition == nullptr ? Truth::kUnknown : condition->status;
    for (const auto& [truth, text] : kTruths) {
      sink.Gauge(kCondition,
                 {{"namespace", key.ns}, {"name", key.name}, {"condition", type}, {"status", text}},
                 truth == now ? 1 : 0);
    }
  }
  std::optional<double> run_start;
  if (status.run && !status.run->ended() && status.run->start_time) {
    run_start = UnixSeconds(*status.run->start_time);
  }
  std::optional<double> last_success;
  if (status.last_success_time) last_success = UnixSeconds(*status.last_success_time);
  PutOptional(sink, kPending, key, status.pending_count);
  PutOptional(sink, kLastSuccess, key, last_success);
  PutOptional(sink, kRunStart, key, run_start);
}

void DropResource(MetricsSink& sink, const kube::ObjectKey& key) {
  for (const std::string_view type : kConditions) {
    for (const auto& [truth, text] : kTruths) {
      sink.Drop(kCondition,
                {{"namespace", key.ns}, {"name", key.name}, {"condition", type}, {"status", text}});
    }
  }
  for (const std::string_view name : {kPending, kLastSuccess, kRunStart}) {
    PutOptional(sink, name, key, std::nullopt);
  }
}

void CountRun(MetricsSink& sink, const report::RunReport& report) {
  sink.Count("whimbrel_migrations_applied_total", {}, report.applied_this_run);
  for (const report::AppliedMigration& applied : report.applied) {
    if (!applied.this_run) continue;
    sink.Observe("whimbrel_migration_duration_seconds", {}, Seconds(applied.duration));
  }
  sink.Observe("whimbrel_lock_wait_seconds", {}, Seconds(report.lock_wait));
  if (report.failure) {
    sink.Count("whimbrel_migrations_failed_total",
               {{"reason", report::ToString(report.failure->reason)}}, 1);
  }
}

}  // namespace whimbrel::controller
