#include "support/eventually.h"

#include <gtest/gtest.h>

#include <chrono>

namespace whimbrel::testing {
namespace {

TEST(EventuallyTest, AsksUntilTheConditionHolds) {
  int asked = 0;
  EXPECT_TRUE(Eventually([&] { return ++asked == 4; }));
  EXPECT_EQ(asked, 4);
}

TEST(EventuallyTest, AsksOnceMoreAtTheDeadline) {
  int asked = 0;
  EXPECT_FALSE(Eventually([&] { return ++asked < 0; }, std::chrono::nanoseconds(1)));
  EXPECT_GE(asked, 1);
}

TEST(EventuallyTest, SaysWhatItSawLast) {
  const auto result = EventuallyEquals<int>([] { return 1; }, 2, std::chrono::milliseconds(1));
  ASSERT_FALSE(result);
  EXPECT_STREQ(result.message(), "did not happen within 1 ms; the last value was 1, not 2");
}

}  // namespace
}  // namespace whimbrel::testing
