#pragma once

#include "whimbrel/base/backoff.h"

namespace whimbrel::testing {

/// Chance that always gives the same number.
class FixedRandom final : public Random {
 public:
  explicit FixedRandom(double value) : value_(value) {}
  double Uniform() override { return value_; }

 private:
  double value_;
};

}  // namespace whimbrel::testing
