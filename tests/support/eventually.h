#pragma once

#include <gtest/gtest.h>

#include <chrono>
#include <functional>
#include <string>

namespace whimbrel::testing {

/// Long enough for a busy machine under sanitizers; a healthy test never waits so long.
inline constexpr std::chrono::seconds kDeadline{60};

/// Waits until `condition` holds, asking again after 1 ms, then less and less often (at most every
/// 50 ms). The one place in the tests that waits by time: whoever can wait for an event does that.
///
///     EXPECT_TRUE(Eventually([&] { return store.size() == 3; }));
[[nodiscard]] ::testing::AssertionResult Eventually(const std::function<bool()>& condition,
                                                    std::chrono::nanoseconds deadline = kDeadline);

/// Waits until `read` returns `expected`; says what it returned last when it never did.
template <class T>
[[nodiscard]] ::testing::AssertionResult EventuallyEquals(
    const std::function<T()>& read, const T& expected,
    std::chrono::nanoseconds deadline = kDeadline) {
  T last{};
  auto result = Eventually(
      [&] {
        last = read();
        return last == expected;
      },
      deadline);
  if (!result) {
    result << "; the last value was " << ::testing::PrintToString(last) << ", not "
           << ::testing::PrintToString(expected);
  }
  return result;
}

}  // namespace whimbrel::testing
