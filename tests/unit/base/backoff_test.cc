#include "whimbrel/base/backoff.h"

#include <gtest/gtest.h>

#include <climits>

#include "support/fixed_random.h"

namespace whimbrel {
namespace {

using std::chrono::milliseconds;
using std::chrono::nanoseconds;
using std::chrono::seconds;
using testing::FixedRandom;

constexpr double kAlmostOne = 1.0 - 0x1p-53;

TEST(BackoffTest, CeilingDoublesUpToTheMaximum) {
  const Backoff backoff{.initial = seconds(1), .max = seconds(30)};
  const std::pair<int, seconds> cases[] = {
      {-1, seconds(1)},  {0, seconds(1)},        {1, seconds(2)},  {2, seconds(4)},
      {3, seconds(8)},   {4, seconds(16)},       {5, seconds(30)}, {6, seconds(30)},
      {63, seconds(30)}, {INT_MAX, seconds(30)},
  };
  for (const auto& [attempt, ceiling] : cases)
    EXPECT_EQ(backoff.Ceiling(attempt), ceiling) << attempt;
}

TEST(BackoffTest, CeilingKeepsItsBoundsWithOddSettings) {
  EXPECT_EQ((Backoff{.initial = seconds(9), .max = seconds(5)}.Ceiling(0)), seconds(5));
  EXPECT_EQ((Backoff{.initial = seconds(0), .max = seconds(5)}.Ceiling(INT_MAX)), seconds(0));
  EXPECT_EQ((Backoff{.initial = seconds(1), .max = Duration::max()}.Ceiling(1000)),
            Duration::max());
  EXPECT_EQ((Backoff{.initial = milliseconds(500), .max = seconds(4)}.Ceiling(3)), seconds(4));
}

TEST(BackoffTest, FullJitterSpreadsOverTheWholeRange) {
  const Backoff backoff{.initial = seconds(1), .max = seconds(30)};
  FixedRandom lowest(0), middle(0.5), highest(kAlmostOne);
  for (const int attempt : {0, 1, 4, 5, 100}) {
    const Duration ceiling = backoff.Ceiling(attempt);
    EXPECT_EQ(backoff.FullJitter(attempt, lowest), seconds(0)) << attempt;
    EXPECT_EQ(backoff.FullJitter(attempt, middle), ceiling / 2) << attempt;
    EXPECT_LT(backoff.FullJitter(attempt, highest), ceiling) << attempt;
    EXPECT_GE(backoff.FullJitter(attempt, highest), ceiling - nanoseconds(10)) << attempt;
  }
}

TEST(SystemRandomTest, DrawsDifferentNumbersFromZeroToOne) {
  Random& random = Random::System();
  double sum = 0;
  double previous = -1;
  constexpr int kDraws = 10'000;
  for (int i = 0; i < kDraws; ++i) {
    const double value = random.Uniform();
    ASSERT_GE(value, 0.0);
    ASSERT_LT(value, 1.0);
    ASSERT_NE(value, previous);
    previous = value;
    sum += value;
  }
  // The mean of 10,000 draws has a standard deviation of 0.003.
  EXPECT_NEAR(sum / kDraws, 0.5, 0.03);
}

}  // namespace
}  // namespace whimbrel
