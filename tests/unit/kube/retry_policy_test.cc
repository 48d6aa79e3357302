#include "kube/retry_policy.h"

#include <gtest/gtest.h>

namespace whimbrel::kube {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;
using Kind = TransportError::Kind;

TEST(RetryAfterAnswerTest, WhereTheServerAsksForItAndAFewTimesForReads) {
  const struct {
    const char* name;
    int attempt;
    const char* method;
    int code;
    std::optional<seconds> retry_after;
    std::optional<Duration> expected;
  } cases[] = {
      {"429 with a time", 0, "PATCH", 429, seconds(2), seconds(2)},
      {"503 with a time", 9, "GET", 503, seconds(1), seconds(1)},
      {"a write that was refused without a time", 0, "PATCH", 429, std::nullopt, std::nullopt},
      {"a write that failed without a time", 0, "POST", 500, std::nullopt, std::nullopt},
      {"a read that was refused without a time", 0, "GET", 429, std::nullopt, milliseconds(100)},
      {"a read that failed without a time", 1, "GET", 500, std::nullopt, milliseconds(200)},
      {"a read that failed three times", 2, "GET", 500, std::nullopt, std::nullopt},
      {"a read of nothing", 0, "GET", 404, std::nullopt, std::nullopt},
      {"409 with a time", 0, "PATCH", 409, seconds(1), std::nullopt},
      {"tried often enough", 10, "GET", 429, seconds(1), std::nullopt},
  };
  for (const auto& test : cases) {
    EXPECT_EQ(RetryAfterAnswer(test.attempt, test.method,
                               {.code = test.code, .retry_after = test.retry_after}),
              test.expected)
        << test.name;
  }
}

TEST(RetryAfterAnswerTest, NotWhereTheServerIsBehind) {
  const ApiError behind{.reason = ApiErrorReason::kTooLargeResourceVersion, .code = 504};
  EXPECT_EQ(RetryAfterAnswer(0, "GET", behind), std::nullopt);
}

TEST(RetryAfterTransportErrorTest, OnlyGetsThatBrokeBeforeAnAnswer) {
  const struct {
    const char* name;
    int attempt;
    const char* method;
    TransportError error;
    std::optional<Duration> expected;
  } cases[] = {
      {"an idle connection had been closed",
       0,
       "GET",
       {.kind = Kind::kBroken, .reused_connection = true},
       seconds(0)},
      {"a new connection broke", 0, "GET", {.kind = Kind::kBroken}, seconds(1)},
      {"a write may have been done",
       0,
       "PATCH",
       {.kind = Kind::kBroken, .reused_connection = true},
       std::nullopt},
      {"a create may have been done", 0, "POST", {.kind = Kind::kBroken}, std::nullopt},
      {"a part of the answer was used",
       0,
       "GET",
       {.kind = Kind::kBroken, .answered = true},
       std::nullopt},
      {"no connection", 0, "GET", {.kind = Kind::kConnect}, std::nullopt},
      {"too late", 0, "GET", {.kind = Kind::kTimeout}, std::nullopt},
      {"cancelled", 0, "GET", {.kind = Kind::kCancelled}, std::nullopt},
      {"tried often enough", 3, "GET", {.kind = Kind::kBroken}, std::nullopt},
  };
  for (const auto& test : cases) {
    EXPECT_EQ(RetryAfterTransportError(test.attempt, test.method, test.error), test.expected)
        << test.name;
  }
}

}  // namespace
}  // namespace whimbrel::kube
