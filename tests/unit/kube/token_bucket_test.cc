#include "kube/token_bucket.h"

#include <gtest/gtest.h>

namespace whimbrel::kube {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;

const SteadyTime kStart{seconds(1000)};

TEST(TokenBucketTest, LetsABurstThroughAndThenOneAfterTheOther) {
  TokenBucket bucket(/*per_second=*/2, /*burst=*/3, kStart);
  for (int i = 0; i < 3; ++i) EXPECT_EQ(bucket.Reserve(kStart), Duration::zero()) << i;
  EXPECT_EQ(bucket.Reserve(kStart), milliseconds(500));
  EXPECT_EQ(bucket.Reserve(kStart), milliseconds(1000));
  EXPECT_EQ(bucket.Reserve(kStart + seconds(10)), Duration::zero());
}

TEST(TokenBucketTest, HoldsNoMoreThanItsBurst) {
  TokenBucket bucket(1, 2, kStart);
  const SteadyTime later = kStart + seconds(1000);
  EXPECT_TRUE(bucket.TryTake(later));
  EXPECT_TRUE(bucket.TryTake(later));
  EXPECT_FALSE(bucket.TryTake(later));
  EXPECT_FALSE(bucket.TryTake(later + milliseconds(999)));
  EXPECT_TRUE(bucket.TryTake(later + milliseconds(1000)));
}

TEST(TokenBucketTest, KnowsWhenItIsFull) {
  TokenBucket bucket(1, 2, kStart);
  EXPECT_TRUE(bucket.IsFull(kStart));
  EXPECT_TRUE(bucket.TryTake(kStart));
  EXPECT_FALSE(bucket.IsFull(kStart + milliseconds(500)));
  EXPECT_TRUE(bucket.IsFull(kStart + seconds(1)));
}

TEST(TokenBucketTest, IgnoresATimeThatGoesBackwards) {
  TokenBucket bucket(1, 1, kStart);
  EXPECT_TRUE(bucket.TryTake(kStart));
  EXPECT_FALSE(bucket.TryTake(kStart - seconds(5)));
  EXPECT_FALSE(bucket.TryTake(kStart));
}

}  // namespace
}  // namespace whimbrel::kube
