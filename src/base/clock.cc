#include "whimbrel/base/clock.h"

#include <condition_variable>
#include <mutex>

namespace whimbrel {
namespace {

class SystemClock final : public Clock {
 public:
  [[nodiscard]] SteadyTime SteadyNow() const override { return std::chrono::steady_clock::now(); }
  [[nodiscard]] SystemTime SystemNow() const override { return std::chrono::system_clock::now(); }

  bool SleepUntil(SteadyTime deadline, std::stop_token stop) const override {
    // Of this call alone: nobody but the stop token notifies it, which it does through a callback.
    std::mutex mutex;
    std::condition_variable_any wake_up;
    std::unique_lock lock(mutex);
    wake_up.wait_until(lock, stop, deadline, [] { return false; });
    return !stop.stop_requested();
  }
};

}  // namespace

const Clock& Clock::System() {
  static const SystemClock clock;
  return clock;
}

bool Clock::SleepFor(Duration duration, std::stop_token stop) const {
  const SteadyTime now = SteadyNow();
  const bool too_long = duration > SteadyTime::max() - now;
  return SleepUntil(too_long ? SteadyTime::max() : now + duration, std::move(stop));
}

}  // namespace whimbrel
