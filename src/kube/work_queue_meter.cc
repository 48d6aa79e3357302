#include "kube/work_queue_meter.h"

#include <algorithm>
#include <utility>

namespace whimbrel::kube {
namespace {

double Seconds(Duration duration) { return std::chrono::duration<double>(duration).count(); }

}  // namespace

WorkQueueMeter::WorkQueueMeter(std::string name, MetricsSink& sink, const Clock& clock)
    : name_(std::move(name)), sink_(sink), clock_(clock) {}

void WorkQueueMeter::Ready(const ObjectKey& key, std::size_t depth) {
  if (!enabled()) return;
  ready_since_.emplace(key, clock_.SteadyNow());
  sink_.Count("workqueue_adds_total", {{"name", name_}}, 1);
  Gauge("workqueue_depth", static_cast<double>(depth));
}

void WorkQueueMeter::Taken(const ObjectKey& key, std::size_t depth) {
  if (!enabled()) return;
  if (const auto it = ready_since_.find(key); it != ready_since_.end()) {
    Observe("workqueue_queue_duration_seconds", it->second);
    ready_since_.erase(it);
  }
  taken_at_[key] = clock_.SteadyNow();
  Gauge("workqueue_depth", static_cast<double>(depth));
}

void WorkQueueMeter::Done(const ObjectKey& key) {
  const auto it = taken_at_.find(key);
  if (it == taken_at_.end()) return;
  Observe("workqueue_work_duration_seconds", it->second);
  taken_at_.erase(it);
}

void WorkQueueMeter::Later() {
  if (enabled()) sink_.Count("workqueue_retries_total", {{"name", name_}}, 1);
}

void WorkQueueMeter::ReportUnfinished() {
  const SteadyTime now = clock_.SteadyNow();
  Duration sum{};
  Duration longest{};
  for (const auto& [key, since] : taken_at_) {
    sum += now - since;
    longest = std::max<Duration>(longest, now - since);
  }
  Gauge("workqueue_unfinished_work_seconds", Seconds(sum));
  Gauge("workqueue_longest_running_processor_seconds", Seconds(longest));
}

void WorkQueueMeter::Gauge(std::string_view metric, double value) {
  sink_.Gauge(metric, {{"name", name_}}, value);
}

void WorkQueueMeter::Observe(std::string_view metric, SteadyTime since) {
  sink_.Observe(metric, {{"name", name_}}, Seconds(clock_.SteadyNow() - since));
}

}  // namespace whimbrel::kube
