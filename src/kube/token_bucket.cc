#include "kube/token_bucket.h"

#include <algorithm>

namespace whimbrel::kube {

using Seconds = std::chrono::duration<double>;

double TokenBucket::TokensAt(SteadyTime now) const {
  if (now <= at_) return tokens_;
  return std::min(burst_, tokens_ + Seconds(now - at_).count() * per_second_);
}

void TokenBucket::Refill(SteadyTime now) {
  tokens_ = TokensAt(now);
  at_ = std::max(at_, now);
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

}  // namespace whimbrel::kube
