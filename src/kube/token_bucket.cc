#include "kube/token_bucket.h"

#include <algorithm>

namespace whimbrel::kube {

using Seconds = std::chrono::duration<double>;

void TokenBucket::Refill(SteadyTime now) {
  if (now <= at_) return;
  tokens_ = std::min(burst_, tokens_ + Seconds(now - at_).count() * per_second_);
  at_ = now;
}

Duration TokenBucket::Reserve(SteadyTime now) {
  Refill(now);
  tokens_ -= 1;
  if (tokens_ >= 0) return Duration::zero();
  return std::chrono::duration_cast<Duration>(Seconds(-tokens_ / per_second_));
}

bool TokenBucket::TryTake(SteadyTime now) {
  Refill(now);
  if (tokens_ < 1) return false;
  tokens_ -= 1;
  return true;
}

bool TokenBucket::IsFull(SteadyTime now) {
  Refill(now);
  return tokens_ >= burst_;
}

}  // namespace whimbrel::kube
