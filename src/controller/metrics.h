#pragma once

#include <cstddef>
#include <mutex>
#include <optional>

#include "whimbrel/base/clock.h"
#include "whimbrel/base/metrics.h"
#include "whimbrel/controller/status.h"
#include "whimbrel/kube/api_error.h"
#include "whimbrel/kube/resource.h"
#include "whimbrel/report/run_report.h"

namespace whimbrel::controller {

/// How a pass ended, in controller-runtime's words.
enum class PassResult {
  kSuccess,       ///< Nothing is to be done until something changes.
  kRequeueAfter,  ///< Again at a time.
  kRequeue,       ///< Made again for a reason that is no error: two writers met, or an end.
  kError,
  kThrew,
};
[[nodiscard]] PassResult ResultOf(const kube::ApiResult<std::optional<Duration>>& next);

/// Counts and times the passes of one controller. Thread-safe.
class PassMetrics {
 public:
  /// The counters are there from now on, at zero.
  PassMetrics(MetricsSink& sink, int workers);

  /// So many keys wait for a worker now.
  void Waiting(std::size_t keys);
  void Began();
  void Ended(PassResult result, Duration took);

 private:
  void AddActive(int change);

  MetricsSink& sink_;
  std::mutex mutex_;
  int active_ = 0;
};

/// Where a resource stands, as its status says; the same call brings it up to date.
void PutResource(MetricsSink& sink, const kube::ObjectKey& key, const Status& status);
/// Ends every series of a resource that is gone.
void DropResource(MetricsSink& sink, const kube::ObjectKey& key);

/// A run that ended; to be called once for it.
void CountRun(MetricsSink& sink, const report::RunReport& report);

}  // namespace whimbrel::controller
