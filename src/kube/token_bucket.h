#pragma once

#include "whimbrel/base/clock.h"

namespace whimbrel::kube {

/// Lets `burst` through at once and `per_second` in the long run. Not thread-safe.
class TokenBucket {
 public:
  TokenBucket(double per_second, double burst, SteadyTime now)
      : per_second_(per_second), burst_(burst), tokens_(burst), at_(now) {}

  /// Takes a token, on credit if need be: how long to wait before using it.
  Duration Reserve(SteadyTime now);
  /// Takes a token if there is one now.
  bool TryTake(SteadyTime now);
  /// As full as it can be: nothing is lost by forgetting it.
  [[nodiscard]] bool IsFull(SteadyTime now) const { return TokensAt(now) >= burst_; }

 private:
  [[nodiscard]] double TokensAt(SteadyTime now) const;
  void Refill(SteadyTime now);

  double per_second_;
  double burst_;
  double tokens_;
  SteadyTime at_;
};

}  // namespace whimbrel::kube
