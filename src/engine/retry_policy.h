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

  RetryPolicy(std::chrono::milliseconds lock_timeout, SteadyTime lock_budget_ends, Random& random)
      : lock_timeout_(lock_timeout), lock_budget_ends_(lock_budget_ends), random_(random) {}

  /// nullopt: this run is over.
  [[nodiscard]] std::optional<Retry> Decide(const RunFailure& failure, SteadyTime now);
  /// Something was applied: earlier failures no longer count.
  void Reset() { retries_.clear(); }

 private:
  std::chrono::milliseconds lock_timeout_;
  SteadyTime lock_budget_ends_;
  Random& random_;
  std::map<std::string, int> retries_;  ///< By the rule's pattern.
};

}  // namespace whimbrel::engine
