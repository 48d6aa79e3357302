#include "support/eventually.h"

#include <algorithm>

#include "whimbrel/base/clock.h"

namespace whimbrel::testing {

::testing::AssertionResult Eventually(const std::function<bool()>& condition,
                                      std::chrono::nanoseconds deadline) {
  constexpr std::chrono::nanoseconds kLongestPause = std::chrono::milliseconds(50);
  const auto& clock = Clock::System();
  const auto end = clock.SteadyNow() + deadline;
  std::chrono::nanoseconds pause = std::chrono::milliseconds(1);
  while (true) {
    if (condition()) return ::testing::AssertionSuccess();
    if (clock.SteadyNow() >= end) break;
    clock.SleepFor(pause, {});
    pause = std::min(pause * 2, kLongestPause);
  }
  return ::testing::AssertionFailure()
         << "did not happen within "
         << std::chrono::duration_cast<std::chrono::milliseconds>(deadline).count() << " ms";
}

}  // namespace whimbrel::testing
