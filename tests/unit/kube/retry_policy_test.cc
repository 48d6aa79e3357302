#include "kube/retry_policy.h"

#include <gtest/gtest.h>

namespace whimbrel::kube {
namespace {

using std::chrono::seconds;
using Kind = TransportError::Kind;

TEST(RetryAfterAnswerTest, OnlyWhereTheServerAsksForIt) {
  const struct {
    const char* name;
    int attempt;
    int code;
    std::optional<seconds> retry_after;
    std::optional<Duration> expected;
  } cases[] = {
      {"429 with a time", 0, 429, seconds(2), seconds(2)},
      {"503 with a time", 9, 503, seconds(1), seconds(1)},
      {"429 without a time", 0, 429, std::nullopt, std::nullopt},
      {"500 without a time", 0, 500, std::nullopt, std::nullopt},
      {"409 with a time", 0, 409, seconds(1), std::nullopt},
      {"tried often enough", 10, 429, seconds(1), std::nullopt},
  };
  for (const auto& test : cases) {
    EXPECT_EQ(RetryAfterAnswer(test.attempt, {.code = test.code, .retry_after = test.retry_after}),
              test.expected)
        << test.name;
  }
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
