#pragma once

#include <chrono>

#include "whimbrel/base/clock.h"

namespace whimbrel {

/// The seam through which chance enters. Thread-safe.
class Random {
 public:
  virtual ~Random() = default;
  /// Uniform in [0, 1).
  [[nodiscard]] virtual double Uniform() = 0;
  /// Seeded by the operating system.
  static Random& System();
};

/// Exponential growth between two bounds.
struct Backoff {
  Duration initial = std::chrono::seconds(1);
  Duration max = std::chrono::seconds(30);

  /// `initial * 2^attempt`, never above max; attempt counts from 0.
  [[nodiscard]] Duration Ceiling(int attempt) const;
  /// Full jitter: uniform in [0, Ceiling(attempt)), so that those who failed together do not come
  /// back together (AWS Architecture Blog, "Exponential Backoff And Jitter").
  [[nodiscard]] Duration FullJitter(int attempt, Random& random) const;
};

}  // namespace whimbrel
