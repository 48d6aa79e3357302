#include "support/fake_clock.h"

#include <gtest/gtest.h>

#include <atomic>
#include <chrono>
#include <thread>

#include "support/eventually.h"

namespace whimbrel::testing {
namespace {

using std::chrono_literals::operator""s;

TEST(FakeClockTest, StandsStillUntilAdvanced) {
  FakeClock clock;
  const auto steady = clock.SteadyNow();
  const auto system = clock.SystemNow();
  EXPECT_EQ(FormatRfc3339(system), "2026-01-02T03:04:05Z");
  EXPECT_EQ(clock.SteadyNow(), steady);
  clock.Advance(90s);
  EXPECT_EQ(clock.SteadyNow() - steady, 90s);
  EXPECT_EQ(clock.SystemNow() - system, 90s);
}

TEST(FakeClockTest, WakesASleeperAtItsDeadlineAndNotBefore) {
  FakeClock clock;
  std::atomic<bool> awake = false;
  std::jthread sleeper([&] {
    EXPECT_TRUE(clock.SleepFor(10s, {}));
    awake = true;
  });
  ASSERT_TRUE(clock.WaitForSleepers(1));
  clock.Advance(9s);
  EXPECT_FALSE(awake);
  clock.Advance(1s);
  EXPECT_TRUE(Eventually([&] { return awake.load(); }));
}

TEST(FakeClockTest, WakesASleeperThatIsAskedToStop) {
  FakeClock clock;
  std::stop_source stop;
  std::jthread sleeper([&] { EXPECT_FALSE(clock.SleepFor(10s, stop.get_token())); });
  ASSERT_TRUE(clock.WaitForSleepers(1));
  stop.request_stop();
}

TEST(FakeClockTest, JumpsToTheDeadlineWhenTold) {
  FakeClock clock(FakeClock::Sleep::kJumps);
  const auto start = clock.SteadyNow();
  EXPECT_TRUE(clock.SleepUntil(start + 5s, {}));
  EXPECT_TRUE(clock.SleepUntil(start + 3s, {}));
  EXPECT_EQ(clock.SteadyNow() - start, 5s);
}

}  // namespace
}  // namespace whimbrel::testing
