#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

#include "controller/decide.h"
#include "unit/controller/simulation.h"

namespace whimbrel::controller::testing {
namespace {

using report::Progress;
using report::Reason;
using std::chrono::seconds;
using ::testing::HasSubstr;
using ::testing::Not;

// Failures

struct AfterFailure {
  std::string_view sentence;
  report::RunReport report;
  std::string conditions;
  std::optional<seconds> next;  ///< When the next attempt is due.
};

class FailureTest : public ::testing::TestWithParam<AfterFailure> {};

TEST_P(FailureTest, EndsAsTheTableSays) {
  Simulation world;
  const Action action = world.Run(GetParam().report);
  EXPECT_EQ(world.Conditions(), GetParam().conditions);
  const auto due = world.status().run->next_retry_time;
  ASSERT_EQ(due.has_value(), GetParam().next.has_value());
  if (!due) {
    EXPECT_EQ(action.requeue_after, std::nullopt);
    world.Pass(std::chrono::hours(100));
    EXPECT_FALSE(world.Reconcile().start_run) << "only an edit helps";
    world.SetFiles("create table mended()");
    EXPECT_TRUE(world.Reconcile().start_run);
    return;
  }
  EXPECT_EQ(*due - world.now(), *GetParam().next);
  world.Pass(*GetParam().next - seconds(1));
  EXPECT_FALSE(world.Reconcile().start_run);
  world.Pass(seconds(1));
  EXPECT_TRUE(world.Reconcile().start_run);
}

INSTANTIATE_TEST_SUITE_P(
    Decide, FailureTest,
    ::testing::Values(
        // Jitter is one half: 2.5 s of 5 s, in whole seconds.
        AfterFailure{"a transient failure is retried", Transient(), Reconciling("Retrying"),
                     seconds(3)},
        AfterFailure{"a database that is not there is waited for",
                     Uncounted(Reason::kWaitingForDatabase), Reconciling("WaitingForDatabase"),
                     seconds(3)},
        AfterFailure{"a lock is waited for", Uncounted(Reason::kWaitingForLock),
                     Reconciling("WaitingForLock"), seconds(3)},
        AfterFailure{"an SQL error waits for an edit", Failed(Reason::kMigrationFailed),
                     Stalled("MigrationFailed"), std::nullopt},
        AfterFailure{"an edited applied file waits for an edit", Failed(Reason::kChecksumMismatch),
                     Stalled("ChecksumMismatch"), std::nullopt},
        AfterFailure{"files that cannot be read wait for an edit", Failed(Reason::kInvalidSource),
                     Stalled("InvalidSource"), std::nullopt},
        AfterFailure{"a deadline waits for an edit", Failed(Reason::kDeadlineExceeded),
                     Stalled("DeadlineExceeded"), std::nullopt},
        AfterFailure{"another history waits for an edit", Failed(Reason::kHistoryConflict),
                     Stalled("HistoryConflict"), std::nullopt},
        AfterFailure{"missing rights are tried again at each resync",
                     Failed(Reason::kPermissionDenied), Stalled("PermissionDenied"), seconds(600)},
        AfterFailure{"a read-only database is tried again at each resync",
                     Failed(Reason::kReadOnlyDatabase), Stalled("ReadOnlyDatabase"), seconds(600)},
        AfterFailure{"a bug of ours is tried again at each resync", Failed(Reason::kInternalError),
                     Stalled("InternalError"), seconds(600)},
        AfterFailure{"a reason to wait without a reason to try again is a bug of ours",
                     Failed(Reason::kMigrating), Stalled("InternalError"), seconds(600)},
        AfterFailure{"a run that was ended by nobody's wish goes on", Failed(Reason::kCancelled),
                     Reconciling("Cancelled"), seconds(3)}),
    [](const auto& param_info) {
      std::string name(param_info.param.sentence);
      for (char& c : name) c = std::isalnum(static_cast<unsigned char>(c)) != 0 ? c : '_';
      return name;
    });

TEST(Decide, TellsAFailureWithFileLineColumnAndSqlState) {
  Simulation world;
  report::RunReport report = Failed(Reason::kMigrationFailed, "relation \"x\" does not exist");
  report.failure->version = "3";
  report.failure->position = {.file = "003_x.sql", .line = 4, .column = 12};
  report.failure->sql_state = "42P01";
  world.Run(report);
  EXPECT_EQ(world.message(), "3: 003_x.sql:4:12: relation \"x\" does not exist (SQLSTATE 42P01)");
  EXPECT_EQ(world.status().failure->line, 4);
  EXPECT_EQ(world.status().failure->sql_state, "42P01");
  EXPECT_EQ(world.events().back().reason, "MigrationFailed");
}

TEST(Decide, NeverTellsAPassword) {
  Simulation world;
  world.Run(Failed(Reason::kMigrationFailed, "cannot use postgresql://u:hunter2@db/x"));
  EXPECT_THAT(ToJson(world.status()).dump(), Not(HasSubstr("hunter2")));
  for (const EventNote& event : world.events()) EXPECT_THAT(event.note, Not(HasSubstr("hunter2")));
}

TEST(Decide, RetriesWithGrowingWaitsUpToTheLimitAndKeepsWhatPostgresSaid) {
  Simulation world;
  world.spec().execution.retry = {.limit = 2, .backoff = {seconds(10), seconds(15)}};
  world.Run(Transient("server closed the connection"));
  EXPECT_EQ(*world.status().run->next_retry_time - world.now(), seconds(5));
  EXPECT_THAT(world.message(), HasSubstr("retry 1 of 2"));
  world.Pass(seconds(5));
  world.Run(Transient("server closed the connection"));
  EXPECT_EQ(*world.status().run->next_retry_time - world.now(), seconds(8)) << "half of maxSeconds";
  EXPECT_EQ(world.status().run->attempt, 2);
  world.Pass(seconds(8));
  world.Run(Transient("server closed the connection"));
  EXPECT_EQ(world.Conditions(), Stalled("RetryLimitExceeded"));
  EXPECT_THAT(world.message(), HasSubstr("server closed the connection"));
  EXPECT_EQ(world.status().failure->message, "server closed the connection");
  EXPECT_EQ(*world.status().run->next_retry_time - world.now(), seconds(600));
  EXPECT_EQ(world.runs(), 3);
}

TEST(Decide, DoesNotFlapWhileAnOutsideCauseIsTriedAgain) {
  Simulation world;
  world.Run(Failed(Reason::kPermissionDenied));
  const std::size_t events = world.events().size();
  const SystemTime since = world.status().Find("Stalled")->last_transition_time;
  for (int i = 0; i < 3; ++i) {
    world.Pass(seconds(600));
    EXPECT_TRUE(world.Reconcile().start_run);
    EXPECT_EQ(world.Conditions(), Stalled("PermissionDenied"));
    world.Pass(seconds(6));
    world.Report({.phase = Progress::Phase::kWaitingForLock});
    world.Reconcile();
    EXPECT_EQ(world.Conditions(), Stalled("PermissionDenied"));
    world.EndRun(Failed(Reason::kPermissionDenied));
    world.Reconcile();
    EXPECT_EQ(world.Conditions(), Stalled("PermissionDenied"));
  }
  EXPECT_EQ(world.events().size(), events) << "once per fact";
  EXPECT_EQ(world.status().Find("Stalled")->last_transition_time, since);
  world.Pass(seconds(600));
  world.Run(Success());
  EXPECT_EQ(world.Conditions(), Ready()) << "and heals by itself";
}

TEST(Decide, DoesNotCountWaits) {
  Simulation world;
  for (int i = 0; i < 20; ++i) {
    world.Run(Uncounted(Reason::kWaitingForDatabase));
    EXPECT_EQ(world.Conditions(), Reconciling("WaitingForDatabase"));
    world.Pass(seconds(3));
  }
  EXPECT_EQ(world.status().run->retries, 0);
  EXPECT_EQ(world.runs(), 20);
}

TEST(Decide, CountsAnewWhenAnAttemptCameFurther) {
  Simulation world;
  for (int i = 0; i < 10; ++i) {
    report::RunReport report = Transient();
    report.applied_this_run = 1;
    world.Run(report);
    EXPECT_EQ(world.Conditions(), Reconciling("Retrying"));
    world.Pass(seconds(3));
  }
}

class RotationTest : public ::testing::TestWithParam<Reason> {};

TEST_P(RotationTest, TriesAtOnceThenEachMinuteForTenMinutesThenStalls) {
  Simulation world;
  const std::string name(ToString(GetParam()));
  const Action first = world.Run(Uncounted(GetParam()));
  EXPECT_TRUE(first.start_run) << "at once, with the Secret read anew";
  EXPECT_EQ(world.Conditions(), Reconciling(name));
  world.EndRun(Uncounted(GetParam()));
  world.Reconcile();
  for (int minute = 1; minute < 10; ++minute) {
    EXPECT_EQ(*world.status().run->next_retry_time - world.now(), seconds(60));
    world.Pass(seconds(60));
    world.Run(Uncounted(GetParam()));
    EXPECT_EQ(world.Conditions(), Reconciling(name));
  }
  world.Pass(seconds(60));
  world.Run(Uncounted(GetParam()));
  EXPECT_EQ(world.Conditions(), Stalled(name));
  EXPECT_EQ(*world.status().run->next_retry_time - world.now(), seconds(600));
  world.Pass(seconds(600));
  world.Run(Uncounted(GetParam()));
  EXPECT_EQ(world.Conditions(), Stalled(name));
  world.Pass(seconds(600));
  world.Run(Success());
  EXPECT_EQ(world.Conditions(), Ready());
  EXPECT_FALSE(world.status().failure);
}

INSTANTIATE_TEST_SUITE_P(Decide, RotationTest,
                         ::testing::Values(Reason::kAuthenticationFailed, Reason::kDatabaseMissing),
                         [](const auto& param_info) {
                           return std::string(ToString(param_info.param));
                         });

}  // namespace
}  // namespace whimbrel::controller::testing
