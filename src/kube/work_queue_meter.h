#pragma once

#include <string>
#include <unordered_map>

#include "whimbrel/base/clock.h"
#include "whimbrel/base/metrics.h"
#include "whimbrel/kube/resource.h"

namespace whimbrel::kube {

/// Measures a work queue, as client-go's util/workqueue/metrics.go does. The queue's lock guards
/// it.
class WorkQueueMeter {
 public:
  WorkQueueMeter(std::string name, MetricsSink& sink, const Clock& clock);

  [[nodiscard]] bool enabled() const { return &sink_ != &MetricsSink::Null(); }

  void Ready(const ObjectKey& key, std::size_t depth);
  void Taken(const ObjectKey& key, std::size_t depth);
  void Done(const ObjectKey& key);
  void Later();
  /// Work that does not end shows in nothing but this: call it again and again.
  void ReportUnfinished();

 private:
  void Gauge(std::string_view metric, double value);
  void Observe(std::string_view metric, SteadyTime since);

  const std::string name_;
  MetricsSink& sink_;
  const Clock& clock_;
  std::unordered_map<ObjectKey, SteadyTime> ready_since_;
  std::unordered_map<ObjectKey, SteadyTime> taken_at_;
};

}  // namespace whimbrel::kube
