#pragma once

#include <condition_variable>
#include <mutex>
#include <stop_token>

#include "whimbrel/base/clock.h"

namespace whimbrel::testing {

/// Time that moves only when a test says so. It starts at 2026-01-02T03:04:05Z. Thread-safe.
class FakeClock final : public Clock {
 public:
  /// What SleepUntil does: wait for Advance, or move the time to the deadline and return at once
  /// (for tests that only care about how long somebody would have waited). A sleep without an end
  /// waits for the stop in both.
  enum class Sleep { kWaits, kJumps };

  explicit FakeClock(Sleep sleep = Sleep::kWaits);

  [[nodiscard]] SteadyTime SteadyNow() const override;
  [[nodiscard]] SystemTime SystemNow() const override;
  bool SleepUntil(SteadyTime deadline, std::stop_token stop) const override;

  /// Moves the time, and wakes whoever slept until then.
  void Advance(Duration duration);

  /// Waits until `count` threads sleep on this clock; false when they do not within the deadline of
  /// real time. A test calls it before Advance, so that no sleeper misses the step.
  [[nodiscard]] bool WaitForSleepers(int count) const;

 private:
  const Sleep sleep_;
  mutable std::mutex mutex_;
  mutable std::condition_variable_any changed_;
  mutable Duration elapsed_{0};
  mutable int sleepers_ = 0;
};

}  // namespace whimbrel::testing
