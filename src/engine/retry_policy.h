#pragma once

#include <map>
#include <optional>
#include <string>

#include "engine/run_failure.h"
#include "whimbrel/base/backoff.h"
#include "whimbrel/base/clock.h"

namespace whimbrel::engine {

/// Whether this run tries again after a failure, and when. Counts per SQLSTATE rule; pure but for
/// chance.
class RetryPolicy {
 public:
  struct Retry {
    Duration wait{0};
    bool reconnect = false;
  };

  RetryPolicy(std::chrono::milliseconds lock_timeout, Duration lock_budget, Random& random)
      : lock_timeout_(lock_timeout), lock_budget_(lock_budget), random_(random) {}

  /// nullopt: this run is over.
  [[nodiscard]] std::optional<Retry> Decide(const RunFailure& failure, SteadyTime now);
  /// Something was applied: earlier failures no longer count.
  void Reset() {
    retries_.clear();
    lock_missed_.reset();
  }

 private:
  std::chrono::milliseconds lock_timeout_;
  Duration lock_budget_;
  std::optional<SteadyTime> lock_missed_;  ///< When the budget began: at the first lock not got.
  Random& random_;
  std::map<std::string, int> retries_;  ///< By the rule's pattern.
};

}  // namespace whimbrel::engine
