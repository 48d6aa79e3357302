#pragma once

#include <chrono>
#include <memory>
#include <optional>
#include <stop_token>

#include "whimbrel/base/backoff.h"
#include "whimbrel/base/clock.h"
#include "whimbrel/kube/resource.h"

namespace whimbrel::kube {

struct WorkQueueOptions {
  Backoff rate_limit{std::chrono::milliseconds(5), std::chrono::seconds(1000)};  ///< Per key, doubled at each failure.
};

/// client-go's rate-limiting work queue: a key is never handed to two workers at once, and a key that is added while it is
/// being processed is processed once more afterwards; a later Add wins nothing, an earlier time does. Thread-safe.
class WorkQueue {
 public:
  explicit WorkQueue(WorkQueueOptions options = {}, const Clock& clock = Clock::System(),
                     Random& random = Random::System());
  ~WorkQueue();

  void Add(const ObjectKey& key);
  void AddAfter(const ObjectKey& key, Duration delay);
  /// After the backoff of its failures so far, ±10 %.
  void AddRateLimited(const ObjectKey& key);
  /// The failures of this key are over.
  void Forget(const ObjectKey& key);
  [[nodiscard]] int NumRequeues(const ObjectKey& key) const;

  /// Waits for a key; nullopt when a stop was requested or the queue was shut down: keys that wait are not handed out any more.
  std::optional<ObjectKey> Get(std::stop_token stop);
  void Done(const ObjectKey& key);
  void ShutDown();
  [[nodiscard]] std::size_t Depth() const;

 private:
  class Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace whimbrel::kube
