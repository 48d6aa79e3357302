#include "engine/retry_policy.h"

#include <gtest/gtest.h>

#include "support/fixed_random.h"
#include "whimbrel/postgres/sqlstate.h"

namespace whimbrel::engine {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;

RunFailure ServerError(const std::string& sql_state) {
  postgres::PgError error;
  error.sql_state = sql_state;
  error.connection_usable = true;
  return FromPgError(error, "testing");
}

class RetryPolicyTest : public ::testing::Test {
 protected:
  whimbrel::testing::FixedRandom random_{0.5};
  SteadyTime now_{};
  RetryPolicy policy_{milliseconds(100), seconds(60), random_};
};

TEST_F(RetryPolicyTest, NeverRepeatsWhatIsPermanent) {
  EXPECT_FALSE(policy_.Decide(ServerError("42P01"), now_).has_value());
  EXPECT_FALSE(policy_.Decide(ServerError("23505"), now_).has_value());
}

TEST_F(RetryPolicyTest, RepeatsATransientErrorAsOftenAsItsRuleSays) {
  const RunFailure deadlock = ServerError("40P01");
  const int limit = postgres::FindRule(*deadlock.cause).max_retries;
  ASSERT_GT(limit, 0);
  for (int i = 0; i < limit; ++i) EXPECT_TRUE(policy_.Decide(deadlock, now_).has_value()) << i;
  EXPECT_FALSE(policy_.Decide(deadlock, now_).has_value());
}

TEST_F(RetryPolicyTest, CountsEachRuleByItselfAndAnewAfterSuccess) {
  const RunFailure deadlock = ServerError("40P01");
  while (policy_.Decide(deadlock, now_)) {
  }
  EXPECT_TRUE(policy_.Decide(ServerError("40001"), now_).has_value());
  policy_.Reset();
  EXPECT_TRUE(policy_.Decide(deadlock, now_).has_value());
}

TEST_F(RetryPolicyTest, PausesForNineTimesTheLockTimeoutUntilTheBudgetIsSpent) {
  const auto retry = policy_.Decide(ServerError("55P03"), now_);
  ASSERT_TRUE(retry.has_value());
  EXPECT_GE(retry->wait, milliseconds(900));
  EXPECT_FALSE(retry->reconnect);
  EXPECT_TRUE(policy_.Decide(ServerError("55P03"), now_ + seconds(59)).has_value());
  EXPECT_FALSE(policy_.Decide(ServerError("55P03"), now_ + seconds(60)).has_value());
  // A long run that gets on is not punished for an early wait.
  policy_.Reset();
  EXPECT_TRUE(policy_.Decide(ServerError("55P03"), now_ + seconds(3600)).has_value());
}

TEST_F(RetryPolicyTest, ReconnectsAfterALostConnection) {
  postgres::PgError lost;
  lost.message = "server closed the connection";
  const auto retry = policy_.Decide(FromPgError(lost, "testing"), now_);
  ASSERT_TRUE(retry.has_value());
  EXPECT_TRUE(retry->reconnect);
}

TEST_F(RetryPolicyTest, AlwaysLooksAgainAfterAnUnknownOutcome) {
  postgres::PgError lost;
  lost.outcome_unknown = true;
  EXPECT_TRUE(policy_.Decide(FromPgError(lost, "committing"), now_).has_value());
}

TEST_F(RetryPolicyTest, PlansAnewAtOnceButNotForEver) {
  RunFailure overtaken;
  overtaken.plan_anew = true;
  int times = 0;
  while (const auto retry = policy_.Decide(overtaken, now_)) {
    EXPECT_EQ(retry->wait, Duration(0));
    ASSERT_LT(++times, 1000);
  }
  EXPECT_GT(times, 0);
}

TEST_F(RetryPolicyTest, LeavesRefusedLoginsAndInterruptionsToTheCaller) {
  postgres::PgError refused;
  refused.sql_state = "28P01";
  refused.connecting = true;
  EXPECT_FALSE(policy_.Decide(FromPgError(refused, "connecting"), now_).has_value());
  postgres::PgError stopped;
  stopped.interruption = postgres::Interruption::kStopRequested;
  EXPECT_FALSE(policy_.Decide(FromPgError(stopped, "waiting"), now_).has_value());
}

}  // namespace
}  // namespace whimbrel::engine
