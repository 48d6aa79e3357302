#include "whimbrel/base/backoff.h"

#include <algorithm>
#include <random>

namespace whimbrel {
namespace {

class SystemRandom final : public Random {
 public:
  double Uniform() override {
    // One engine a thread: no lock, and no two threads draw the same row.
    thread_local std::mt19937_64 engine{std::random_device{}()};
    constexpr double kTwoToMinus53 = 0x1p-53;
    return static_cast<double>(engine() >> 11) * kTwoToMinus53;
  }
};

}  // namespace

Random& Random::System() {
  static SystemRandom random;
  return random;
}

Duration Backoff::Ceiling(int attempt) const {
  Duration ceiling = initial;
  for (int i = 0; i < attempt && ceiling > Duration::zero(); ++i) {
    if (ceiling > max / 2) return max;
    ceiling *= 2;
  }
  return std::min(ceiling, max);
}

Duration Backoff::FullJitter(int attempt, Random& random) const {
  return std::chrono::duration_cast<Duration>(Ceiling(attempt) * random.Uniform());
}

}  // namespace whimbrel
