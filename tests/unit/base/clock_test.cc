#include "whimbrel/base/clock.h"

#include <gtest/gtest.h>

#include <atomic>
#include <future>
#include <thread>
#include <vector>

namespace whimbrel {
namespace {

using std::chrono::hours;
using std::chrono::milliseconds;
using std::chrono::seconds;

/// Far longer than a machine under load needs, far shorter than the waits that are to be cut short.
constexpr seconds kPatience(60);

TEST(SystemClockTest, SteadyTimeNeverGoesBack) {
  const SteadyTime first = Clock::System().SteadyNow();
  EXPECT_LE(first, Clock::System().SteadyNow());
}

TEST(SystemClockTest, SleepsUntilTheDeadline) {
  const Clock& clock = Clock::System();
  const SteadyTime begin = clock.SteadyNow();
  EXPECT_TRUE(clock.SleepFor(milliseconds(5), std::stop_token()));
  EXPECT_GE(clock.SteadyNow() - begin, milliseconds(5));
}

TEST(SystemClockTest, DoesNotWaitForADeadlineThatHasPassed) {
  const Clock& clock = Clock::System();
  EXPECT_TRUE(clock.SleepUntil(clock.SteadyNow() - hours(1), std::stop_token()));
}

TEST(SystemClockTest, AStopThatWasRequestedBeforeWins) {
  std::stop_source stop;
  stop.request_stop();
  const Clock& clock = Clock::System();
  EXPECT_FALSE(clock.SleepFor(hours(1), stop.get_token()));
  EXPECT_FALSE(clock.SleepUntil(clock.SteadyNow() - hours(1), stop.get_token()));
}

/// Requests the stop while another thread sleeps, however the two race.
void ExpectStopWakes(Duration sleep) {
  std::stop_source stop;
  std::promise<void> about_to_sleep;
  auto slept = std::async(std::launch::async, [&] {
    about_to_sleep.set_value();
    return Clock::System().SleepFor(sleep, stop.get_token());
  });
  about_to_sleep.get_future().wait();
  stop.request_stop();
  ASSERT_EQ(slept.wait_for(kPatience), std::future_status::ready);
  EXPECT_FALSE(slept.get());
}

TEST(SystemClockTest, AStopWakesTheSleeperAtOnce) {
  for (int i = 0; i < 200; ++i) ExpectStopWakes(hours(1));
}

TEST(SystemClockTest, ASleepTooLongForTheClockWaitsForTheStop) { ExpectStopWakes(Duration::max()); }

TEST(SystemClockTest, OneStopWakesEverySleeper) {
  std::stop_source stop;
  std::atomic<int> stopped = 0;
  {
    std::vector<std::jthread> sleepers;
    for (int i = 0; i < 8; ++i) {
      sleepers.emplace_back([&] {
        if (!Clock::System().SleepFor(hours(1), stop.get_token())) ++stopped;
      });
    }
    stop.request_stop();
  }
  EXPECT_EQ(stopped, 8);
}

}  // namespace
}  // namespace whimbrel
