#include "controller/check_access.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <atomic>
#include <nlohmann/json.hpp>
#include <thread>

#include "support/fake_clock.h"
#include "unit/kube/fake_object_client.h"

namespace whimbrel::controller {
namespace {

using kube::ApiErrorReason;
using kube::FakeObjectClient;
using ::testing::HasSubstr;
using whimbrel::testing::FakeClock;

class CheckAccessTest : public ::testing::Test {
 protected:
  CheckAccessTest() {
    client_.list = [this](const kube::ListOptions&, const kube::ListHandler&,
                          std::stop_token stop) -> kube::ApiResult<std::string> {
      ++asked_;
      if (stop.stop_requested()) return FakeObjectClient::Failure(ApiErrorReason::kCancelled);
      if (failures_ == 0) return "1";
      --failures_;
      return FakeObjectClient::Failure(failure_);
    };
  }
  void FailWith(ApiErrorReason reason, int times) {
    failure_ = reason;
    failures_ = times;
  }
  Result<void> Check(const Clock& clock, std::stop_token stop = {}) {
    return CheckAccess(client_, {"shop"}, /*jobs=*/true, clock, Random::System(), std::move(stop));
  }

  FakeObjectClient client_;
  FakeClock clock_{FakeClock::Sleep::kJumps};
  std::atomic<int> asked_ = 0;
  ApiErrorReason failure_ = ApiErrorReason::kTransport;
  int failures_ = 0;
};

TEST_F(CheckAccessTest, AsksOnceForEachKindThatItWillList) {
  EXPECT_TRUE(Check(clock_));
  EXPECT_EQ(asked_, 4);
}

TEST_F(CheckAccessTest, AsksAgainUntilTheServerAnswers) {
  for (const ApiErrorReason reason :
       {ApiErrorReason::kTransport, ApiErrorReason::kServerError, ApiErrorReason::kTooManyRequests,
        ApiErrorReason::kTooLargeResourceVersion}) {
    SCOPED_TRACE(ToString(reason));
    asked_ = 0;
    FailWith(reason, 20);
    const SteadyTime began = clock_.SteadyNow();
    EXPECT_TRUE(Check(clock_));
    EXPECT_EQ(asked_, 24);
    // 0.8 s + 1.6 s + … + 25.6 s, then 14 times 30 s, and each at most twice as long.
    EXPECT_GE(clock_.SteadyNow() - began, std::chrono::seconds(470));
    EXPECT_LE(clock_.SteadyNow() - began, std::chrono::seconds(941));
  }
}

TEST_F(CheckAccessTest, EndsAtOnceForWhatSomebodyMustMend) {
  const struct {
    ApiErrorReason reason;
    ErrorKind kind;
    std::string text;
  } cases[] = {
      {ApiErrorReason::kNotFound, ErrorKind::kNotFound, "kubectl apply -f crds/"},
      {ApiErrorReason::kForbidden, ErrorKind::kPermissionDenied, "databasemigrations in namespace"},
      {ApiErrorReason::kUnauthorized, ErrorKind::kUnauthenticated, "does not accept"},
      {ApiErrorReason::kMalformed, ErrorKind::kUnavailable, "cannot be asked"},
  };
  for (const auto& c : cases) {
    SCOPED_TRACE(c.text);
    asked_ = 0;
    FailWith(c.reason, 1);
    const Result<void> checked = Check(clock_);
    ASSERT_FALSE(checked);
    EXPECT_EQ(checked.error().kind, c.kind);
    EXPECT_THAT(checked.error().message, HasSubstr(c.text));
    EXPECT_EQ(asked_, 1);
  }
}

TEST_F(CheckAccessTest, AStopEndsTheWaiting) {
  const FakeClock standing_still;
  FailWith(ApiErrorReason::kTransport, 1'000'000);
  std::stop_source stop;
  std::jthread stopper([&] {
    EXPECT_TRUE(standing_still.WaitForSleepers(1));
    stop.request_stop();
  });
  const Result<void> checked = Check(standing_still, stop.get_token());
  ASSERT_FALSE(checked);
  EXPECT_EQ(checked.error().kind, ErrorKind::kCancelled);
  EXPECT_EQ(asked_, 1);
}

}  // namespace
}  // namespace whimbrel::controller
