#pragma once

#include <chrono>
#include <cstddef>
#include <memory>
#include <optional>
#include <stop_token>
#include <string>

#include "whimbrel/base/backoff.h"
#include "whimbrel/base/clock.h"
#include "whimbrel/base/metrics.h"
#include "whimbrel/kube/resource.h"

namespace whimbrel::kube {

struct WorkQueueOptions {
  /// Per key, doubled at each failure, as client-go's DefaultTypedControllerRateLimiter; but its
  /// 1,000 s would be a quarter of an hour of silence after the API server has come back.
  Backoff rate_limit{std::chrono::milliseconds(5), std::chrono::seconds(30)};
  /// The label `name` of its metrics.
  std::string name = {};
  /// Gets `workqueue_*` (see metrics.h); outlives the queue.
  MetricsSink* metrics = &MetricsSink::Null();
};

/// client-go's rate-limiting work queue (util/workqueue): a key is never handed to two workers at
/// once, and a key that is added while it is being processed is processed once more afterwards. A
/// key waits for one time only: the earliest of those asked for. Thread-safe.
class WorkQueue {
 public:
  explicit WorkQueue(WorkQueueOptions options = {}, const Clock& clock = Clock::System(),
                     Random& random = Random::System());
  ~WorkQueue();

  void Add(const ObjectKey& key);
  /// A delay of zero or less is Add.
  void AddAfter(const ObjectKey& key, Duration delay);
  /// After the backoff of its failures so far, ±10 %; counts one failure more.
  void AddRateLimited(const ObjectKey& key);
  /// The failures of this key are over.
  void Forget(const ObjectKey& key);
  [[nodiscard]] int NumRequeues(const ObjectKey& key) const;

  /// Waits for a key; nullopt when a stop was requested or the queue was shut down: keys that wait
  /// are not handed out any more. Whoever got a key calls Done with it, after its AddAfter or the
  /// like.
  std::optional<ObjectKey> Get(std::stop_token stop);
  void Done(const ObjectKey& key);
  void ShutDown();
  /// How many keys could be handed out now; neither those that wait for a time nor those being
  /// processed.
  [[nodiscard]] std::size_t Depth() const;

 private:
  class Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace whimbrel::kube
