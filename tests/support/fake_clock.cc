#include "support/fake_clock.h"

#include <algorithm>
#include <utility>

#include "support/eventually.h"

namespace whimbrel::testing {
namespace {

// Not zero: code that takes an unset time point for "long ago" would go unnoticed.
constexpr SteadyTime kSteadyStart{std::chrono::hours(1000)};
constexpr SystemTime kSystemStart{std::chrono::seconds(1767323045)};

}  // namespace

FakeClock::FakeClock(Sleep sleep) : sleep_(sleep) {}

SteadyTime FakeClock::SteadyNow() const {
  const std::lock_guard lock(mutex_);
  return kSteadyStart + elapsed_;
}

SystemTime FakeClock::SystemNow() const {
  const std::lock_guard lock(mutex_);
  return kSystemStart + std::chrono::duration_cast<SystemTime::duration>(elapsed_);
}

bool FakeClock::SleepUntil(SteadyTime deadline, std::stop_token stop) const {
  std::unique_lock lock(mutex_);
  if (stop.stop_requested()) return false;
  if (sleep_ == Sleep::kJumps && deadline != SteadyTime::max()) {
    elapsed_ = std::max(elapsed_, Duration(deadline - kSteadyStart));
    changed_.notify_all();
    return true;
  }
  ++sleepers_;
  changed_.notify_all();
  changed_.wait(lock, stop, [&] { return kSteadyStart + elapsed_ >= deadline; });
  --sleepers_;
  return !stop.stop_requested();
}

void FakeClock::Advance(Duration duration) {
  const std::lock_guard lock(mutex_);
  elapsed_ += duration;
  changed_.notify_all();
}

bool FakeClock::WaitForSleepers(int count) const {
  std::unique_lock lock(mutex_);
  return changed_.wait_for(lock, kDeadline, [&] { return sleepers_ >= count; });
}

}  // namespace whimbrel::testing
