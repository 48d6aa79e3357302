#include "whimbrel/kube/work_queue.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <atomic>
#include <future>
#include <map>
#include <mutex>
#include <random>
#include <thread>
#include <vector>

#include "support/eventually.h"
#include "support/fake_clock.h"
#include "support/fixed_random.h"

namespace whimbrel::kube {
namespace {

using std::chrono::milliseconds;
using std::chrono::minutes;
using std::chrono::seconds;
using testing::FakeClock;
using testing::FixedRandom;

const ObjectKey kA{"ns", "a"};
const ObjectKey kB{"ns", "b"};
const ObjectKey kC{"ns", "c"};

class WorkQueueTest : public ::testing::Test {
 protected:
  /// What can be handed out now, without waiting.
  std::vector<ObjectKey> TakeAll() {
    std::vector<ObjectKey> keys;
    while (queue_.Depth() > 0) keys.push_back(*queue_.Get({}));
    return keys;
  }

  /// Advances the clock under a worker that waits for a key.
  std::optional<ObjectKey> GetAfter(Duration duration) {
    auto worker = std::async(std::launch::async, [this] { return queue_.Get({}); });
    EXPECT_TRUE(clock_.WaitForSleepers(1));
    clock_.Advance(duration);
    return worker.get();
  }

  FakeClock clock_;
  FixedRandom middle_{0.5};  // No deviation from the backoff.
  WorkQueue queue_{{}, clock_, middle_};
};

TEST_F(WorkQueueTest, HandsKeysOutInOrderOfArrival) {
  queue_.Add(kB);
  queue_.Add(kA);
  queue_.Add(kC);
  EXPECT_EQ(TakeAll(), (std::vector{kB, kA, kC}));
}

TEST_F(WorkQueueTest, AKeyThatIsAddedTwiceIsHandedOutOnce) {
  queue_.Add(kA);
  queue_.Add(kA);
  EXPECT_EQ(queue_.Depth(), 1U);
  EXPECT_EQ(TakeAll(), std::vector{kA});
}

TEST_F(WorkQueueTest, AKeyThatIsBeingProcessedIsHandedOutOnceMoreWhenItIsDone) {
  queue_.Add(kA);
  ASSERT_EQ(queue_.Get({}), kA);
  queue_.Add(kA);
  queue_.Add(kA);
  EXPECT_EQ(queue_.Depth(), 0U);
  queue_.Done(kA);
  EXPECT_EQ(TakeAll(), std::vector{kA});
  queue_.Done(kA);
  EXPECT_EQ(queue_.Depth(), 0U);
}

TEST_F(WorkQueueTest, ADelayedKeyIsHandedOutAtItsTime) {
  queue_.AddAfter(kA, seconds(10));
  EXPECT_EQ(queue_.Depth(), 0U);
  EXPECT_EQ(GetAfter(seconds(10)), kA);
}

TEST_F(WorkQueueTest, ADelayOfZeroOrLessIsNoDelay) {
  queue_.AddAfter(kA, Duration::zero());
  queue_.AddAfter(kB, -seconds(1));
  EXPECT_EQ(TakeAll(), (std::vector{kA, kB}));
}

TEST_F(WorkQueueTest, TheEarlierOfTwoTimesWins) {
  queue_.AddAfter(kA, seconds(10));
  queue_.AddAfter(kA, seconds(60));
  EXPECT_EQ(GetAfter(seconds(10)), kA);
  queue_.Done(kA);
  queue_.AddAfter(kA, seconds(60));
  queue_.AddAfter(kA, seconds(10));
  EXPECT_EQ(GetAfter(seconds(10)), kA);
  queue_.Done(kA);
  // Nothing is left of the later time.
  queue_.AddAfter(kB, seconds(100));
  EXPECT_EQ(GetAfter(seconds(100)), kB);
}

TEST_F(WorkQueueTest, AnAddOvertakesADelay) {
  queue_.AddAfter(kA, seconds(10));
  queue_.Add(kA);
  EXPECT_EQ(TakeAll(), std::vector{kA});
  queue_.Done(kA);
  queue_.AddAfter(kB, seconds(20));
  EXPECT_EQ(GetAfter(seconds(20)), kB);  // And not kA once more.
}

TEST_F(WorkQueueTest, ADelayThatEndsDuringProcessingCountsWhenItIsDone) {
  queue_.Add(kA);
  ASSERT_EQ(queue_.Get({}), kA);
  queue_.AddAfter(kA, seconds(1));
  queue_.AddAfter(kB, seconds(2));
  EXPECT_EQ(GetAfter(seconds(2)), kB);
  EXPECT_EQ(queue_.Depth(), 0U);
  queue_.Done(kA);
  EXPECT_EQ(TakeAll(), std::vector{kA});
}

TEST_F(WorkQueueTest, AnEarlierKeyWakesAWorkerThatWaitsForALaterOne) {
  queue_.AddAfter(kA, minutes(10));
  auto worker = std::async(std::launch::async, [this] { return queue_.Get({}); });
  ASSERT_TRUE(clock_.WaitForSleepers(1));
  queue_.AddAfter(kB, seconds(1));
  // The worker sleeps anew, for a shorter time: until it does, a step of the clock could be too
  // early for it, which is why the step is repeated.
  EXPECT_TRUE(testing::Eventually([&] {
    clock_.Advance(seconds(1));
    return worker.wait_for(seconds(0)) == std::future_status::ready;
  }));
  EXPECT_EQ(worker.get(), kB);
}

TEST_F(WorkQueueTest, AWorkerThatLeavesWithAKeyPassesTheWatchForTheNextTimeOn) {
  auto first = std::async(std::launch::async, [this] { return queue_.Get({}); });
  ASSERT_TRUE(clock_.WaitForSleepers(1));
  auto second = std::async(std::launch::async, [this] { return queue_.Get({}); });
  ASSERT_TRUE(clock_.WaitForSleepers(2));
  queue_.AddAfter(kA, seconds(5));
  queue_.Add(kB);
  EXPECT_TRUE(testing::Eventually([&] {
    clock_.Advance(seconds(1));
    return first.wait_for(seconds(0)) == std::future_status::ready &&
           second.wait_for(seconds(0)) == std::future_status::ready;
  }));
  EXPECT_NE(first.get(), second.get());
}

TEST_F(WorkQueueTest, FailuresDoubleTheDelayUntilTheyAreForgotten) {
  const milliseconds delays[] = {milliseconds(5), milliseconds(10), milliseconds(20)};
  for (const milliseconds delay : delays) {
    queue_.AddRateLimited(kA);
    EXPECT_EQ(GetAfter(delay), kA) << delay.count();
    queue_.Done(kA);
  }
  EXPECT_EQ(queue_.NumRequeues(kA), 3);
  EXPECT_EQ(queue_.NumRequeues(kB), 0);
  queue_.Forget(kA);
  EXPECT_EQ(queue_.NumRequeues(kA), 0);
  queue_.AddRateLimited(kA);
  EXPECT_EQ(GetAfter(milliseconds(5)), kA);
}

TEST_F(WorkQueueTest, TheDelayDeviatesByATenthAtMost) {
  FixedRandom lowest(0);
  WorkQueue queue({.rate_limit = {seconds(10), seconds(10)}}, clock_, lowest);
  queue.AddRateLimited(kA);
  auto worker = std::async(std::launch::async, [&] { return queue.Get({}); });
  ASSERT_TRUE(clock_.WaitForSleepers(1));
  clock_.Advance(seconds(9));
  EXPECT_EQ(worker.get(), kA);
}

TEST_F(WorkQueueTest, AStopEndsTheWaitAtOnce) {
  std::stop_source stop;
  auto worker = std::async(std::launch::async, [&] { return queue_.Get(stop.get_token()); });
  ASSERT_TRUE(clock_.WaitForSleepers(1));
  stop.request_stop();
  EXPECT_EQ(worker.get(), std::nullopt);
  queue_.Add(kA);
  EXPECT_EQ(queue_.Get(stop.get_token()), std::nullopt) << "stopped, although a key is ready";
  EXPECT_EQ(TakeAll(), std::vector{kA}) << "the key is still there for others";
}

TEST_F(WorkQueueTest, AShutDownEndsAllWaitsAndHandsNothingOutAnyMore) {
  std::vector<std::future<std::optional<ObjectKey>>> workers;
  workers.reserve(3);
  for (int i = 0; i < 3; ++i) {
    workers.push_back(std::async(std::launch::async, [this] { return queue_.Get({}); }));
  }
  ASSERT_TRUE(clock_.WaitForSleepers(3));
  queue_.ShutDown();
  for (auto& worker : workers) EXPECT_EQ(worker.get(), std::nullopt);
  queue_.Add(kA);
  queue_.AddAfter(kB, seconds(1));
  EXPECT_EQ(queue_.Depth(), 0U);
  EXPECT_EQ(queue_.Get({}), std::nullopt);
}

// Many workers on the real clock: no key is ever in two hands, and after its last Add every key is
// processed once more.
TEST(WorkQueueStressTest, NoKeyIsInTwoHandsAndNoAddIsLost) {
  constexpr int kKeys = 20;
  constexpr int kWorkers = 4;
  constexpr int kAdds = 2000;
  WorkQueue queue;
  std::map<ObjectKey, std::atomic<int>> in_hands;
  std::map<ObjectKey, std::atomic<int>> wanted;
  std::map<ObjectKey, std::atomic<int>> seen;
  std::vector<ObjectKey> keys;
  for (int i = 0; i < kKeys; ++i) {
    keys.push_back({"ns", std::to_string(i)});
    in_hands[keys.back()] = wanted[keys.back()] = seen[keys.back()] = 0;
  }
  std::atomic<bool> shared = false;
  std::vector<std::jthread> workers;
  workers.reserve(kWorkers);
  for (int i = 0; i < kWorkers; ++i) {
    workers.emplace_back([&](const std::stop_token& stop) {
      while (const std::optional<ObjectKey> key = queue.Get(stop)) {
        if (in_hands.at(*key).fetch_add(1) != 0) shared = true;
        seen.at(*key) = wanted.at(*key).load();
        in_hands.at(*key).fetch_sub(1);
        queue.Done(*key);
      }
    });
  }
  std::mt19937 random(7);
  for (int i = 0; i < kAdds; ++i) {
    const ObjectKey& key = keys[random() % kKeys];
    ++wanted.at(key);
    switch (random() % 3) {
      case 0:
        queue.Add(key);
        break;
      case 1:
        queue.AddAfter(key, std::chrono::microseconds(random() % 2000));
        break;
      default:
        queue.AddAfter(key, milliseconds(random() % 5));
        break;
    }
  }
  for (const ObjectKey& key : keys) {
    EXPECT_TRUE(testing::Eventually([&] { return seen.at(key) == wanted.at(key); }))
        << key.ToString();
  }
  queue.ShutDown();
  workers.clear();
  EXPECT_FALSE(shared);
}

}  // namespace
}  // namespace whimbrel::kube
