#include "controller/decide.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

#include "unit/controller/simulation.h"

namespace whimbrel::controller {
namespace {

using report::Progress;
using report::Reason;
using std::chrono::seconds;
using testing::Applied;
using ::testing::Contains;
using ::testing::ElementsAre;
using testing::Failed;
using ::testing::HasSubstr;
using ::testing::Not;
using testing::Ready;
using testing::Reconciling;
using testing::Simulation;
using testing::Stalled;
using testing::Success;
using testing::Transient;
using testing::Uncounted;

// The way of a good day

TEST(Decide, StartsARunForANewResourceAndSaysSoFirst) {
  Simulation world;
  const Action action = world.Reconcile();
  EXPECT_TRUE(action.start_run);
  EXPECT_EQ(world.Conditions(), Reconciling("Migrating"));
  EXPECT_EQ(world.status().observed_generation, 1);
  EXPECT_EQ(world.status().run->id, "run-1");
  EXPECT_EQ(world.status().run->attempt, 1);
  EXPECT_FALSE(world.status().run->ended());
  EXPECT_THAT(world.EventReasons(), ElementsAre("MigrationStarted"));
}

TEST(Decide, IsReadyAfterARunThatSucceeded) {
  Simulation world;
  const Action action = world.Run(Applied({"1", "2"}));
  EXPECT_TRUE(action.forget_run);
  EXPECT_EQ(world.Conditions(), Ready());
  EXPECT_EQ(world.status().current_version, "2");
  EXPECT_EQ(world.status().applied.size(), 2u);
  EXPECT_EQ(world.status().last_success_time, world.now());
  EXPECT_EQ(world.message(), "at version 2, 2 applied");
  EXPECT_THAT(world.EventReasons(), ElementsAre("MigrationStarted", "MigrationApplied",
                                                "MigrationApplied", "MigrationCompleted"));
}

TEST(Decide, LeavesAConvergedResourceAlone) {
  Simulation world;
  world.Run(Success());
  const int writes = world.writes();
  world.Pass(std::chrono::hours(1000));
  const Action action = world.Reconcile();
  EXPECT_FALSE(action.start_run);
  EXPECT_EQ(action.requeue_after, std::nullopt) << "no periodic run";
  EXPECT_EQ(world.writes(), writes);
}

// Edits

TEST(Decide, StartsANewRunAfterAnEditOfTheSpec) {
  Simulation world;
  world.Run(Success());
  world.EditSpec().target_version = "7";
  EXPECT_TRUE(world.Reconcile().start_run);
  EXPECT_EQ(world.status().observed_generation, 2);
}

TEST(Decide, StartsANewRunAfterAnEditOfTheFiles) {
  Simulation world;
  world.Run(Success());
  world.SetFiles("create table b()");
  EXPECT_TRUE(world.Reconcile().start_run);
  EXPECT_EQ(world.Conditions(), Reconciling("Migrating"));
}

TEST(Decide, LetsARunEndOnWhatItReadAndStartsAnewAfterwards) {
  Simulation world;
  world.Reconcile();
  world.EditSpec().target_version = "2";
  world.SetFiles("create table b()");
  world.Pass(seconds(6));
  world.Report({.phase = Progress::Phase::kMigrating, .version = "1", .total = 1});
  EXPECT_FALSE(world.Reconcile().cancel_run);
  EXPECT_EQ(world.status().observed_generation, 1) << "the edit has not been acted on";
  world.EndRun(Applied({"1"}));
  const Action action = world.Reconcile();
  EXPECT_TRUE(action.start_run);
  EXPECT_EQ(world.status().observed_generation, 2);
  EXPECT_EQ(world.status().current_version, "1") << "what the first run did is not lost";
  EXPECT_THAT(world.EventReasons(), Contains("MigrationApplied"));
}

TEST(Decide, RunsOnceMoreWhenARetryIsRequested) {
  Simulation world;
  world.Run(Success());
  world.metadata().retry_request = "2026-11-21T10:00:00Z";
  EXPECT_TRUE(world.Reconcile().start_run);
  EXPECT_EQ(world.status().retry_requested_at, "2026-11-21T10:00:00Z");
  world.EndRun(Success());
  EXPECT_FALSE(world.Reconcile().start_run) << "the request was consumed";
}

// Obstacles

TEST(Decide, SaysThatModeJobIsNotThereYet) {
  Simulation world;
  world.spec().execution.mode = ExecutionMode::kJob;
  EXPECT_FALSE(world.Reconcile().start_run);
  EXPECT_EQ(world.Conditions(), Stalled("InvalidSpec"));
  EXPECT_EQ(world.message(),
            "execution.mode Job comes with a later version of Whimbrel; set InProcess");
}

TEST(Decide, StallsOnASpecThatItDoesNotUnderstand) {
  Simulation world;
  world.observed().object.spec = Fail(ErrorKind::kInvalidArgument, "spec.x: unknown");
  world.Reconcile();
  EXPECT_EQ(world.Conditions(), Stalled("InvalidSpec"));
  EXPECT_EQ(world.message(), "spec.x: unknown");
}

TEST(Decide, StartsNothingWhileSuspended) {
  Simulation world;
  world.spec().suspend = true;
  EXPECT_FALSE(world.Reconcile().start_run);
  EXPECT_EQ(world.Conditions(), Reconciling("Suspended"));
  EXPECT_FALSE(world.status().failure) << "nothing is wrong";
  world.EditSpec().suspend = false;
  EXPECT_TRUE(world.Reconcile().start_run);
}

TEST(Decide, FinishesTheRunThatGoesOnWhenSuspended) {
  Simulation world;
  world.Reconcile();
  world.EditSpec().suspend = true;
  EXPECT_FALSE(world.Reconcile().cancel_run);
  world.EndRun(Applied({"1"}));
  world.Reconcile();
  EXPECT_EQ(world.Conditions(), Reconciling("Suspended"));
  EXPECT_EQ(world.status().current_version, "1");
}

TEST(Decide, WaitsForAMissingSourceAndStallsAfterTheTimeout) {
  Simulation world;
  world.LoseFiles({Reason::kSourceNotFound, "ConfigMap shop/orders-sql does not exist"});
  const Action first = world.Reconcile();
  EXPECT_EQ(world.Conditions(), Reconciling("SourceNotFound"));
  EXPECT_EQ(world.message(), "ConfigMap shop/orders-sql does not exist");
  EXPECT_EQ(first.requeue_after, seconds(300));
  world.Pass(seconds(299));
  EXPECT_EQ(world.Reconcile().requeue_after, seconds(1));
  EXPECT_EQ(world.Conditions(), Reconciling("SourceNotFound"));
  world.Pass(seconds(1));
  world.Reconcile();
  EXPECT_EQ(world.Conditions(), Stalled("SourceNotFound"));
  world.SetFiles("select 1");
  EXPECT_TRUE(world.Reconcile().start_run) << "and recovers by itself";
}

TEST(Decide, RunsAgainWhenTheSameFilesComeBack) {
  Simulation world;
  world.Run(Success());
  world.LoseFiles({Reason::kSourceNotFound, "gone"});
  world.Reconcile();
  world.SetFiles("create table a()");
  EXPECT_TRUE(world.Reconcile().start_run);
  world.EndRun(Success());
  world.Reconcile();
  EXPECT_EQ(world.Conditions(), Ready());
}

TEST(Decide, WaitsForTheFilesOfTheDigest) {
  Simulation world;
  world.spec().source.digest = "sha256:" + std::string(64, '0');
  world.Reconcile();
  EXPECT_EQ(world.Conditions(), Reconciling("SourceDigestMismatch"));
  EXPECT_THAT(world.message(), HasSubstr(world.spec().source.digest));
  world.Pass(seconds(301));
  world.Reconcile();
  EXPECT_EQ(world.Conditions(), Stalled("SourceDigestMismatch"));
}

TEST(Decide, LooksForAMissingSecretEveryMinuteAndNeverStalls) {
  Simulation world;
  world.LoseSecret();
  for (int minute = 0; minute < 30; ++minute) {
    EXPECT_EQ(world.Reconcile().requeue_after, seconds(60));
    EXPECT_EQ(world.Conditions(), Reconciling("SecretNotFound"));
    world.Pass(seconds(60));
  }
  EXPECT_EQ(world.writes(), 1);
  EXPECT_THAT(world.EventReasons(), ElementsAre("SecretNotFound"));
  world.FindSecret();
  EXPECT_TRUE(world.Reconcile().start_run);
}

TEST(Decide, WaitsAMinuteWhenTheRunMissesAKeyOfTheSecret) {
  Simulation world;
  const Action action = world.Run(Failed(Reason::kSecretNotFound, "the Secret has no key host"));
  EXPECT_EQ(world.Conditions(), Reconciling("SecretNotFound"));
  EXPECT_EQ(action.requeue_after, seconds(60));
  EXPECT_FALSE(action.start_run);
}

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

// While it runs

TEST(Decide, WritesProgressAtMostEveryFiveSeconds) {
  Simulation world;
  world.Reconcile();
  const int writes = world.writes();
  for (int second = 1; second <= 20; ++second) {
    world.Pass(seconds(1));
    world.Report({.phase = Progress::Phase::kMigrating,
                  .version = "1",
                  .statement = static_cast<std::uint64_t>(second),
                  .total = 3});
    const Action action = world.Reconcile();
    ASSERT_TRUE(action.requeue_after);
    EXPECT_GT(*action.requeue_after, Duration::zero());
    EXPECT_LE(*action.requeue_after, seconds(5));
  }
  EXPECT_EQ(world.writes() - writes, 4);
  EXPECT_EQ(world.status().run->statement, 20);
  EXPECT_EQ(world.message(), "applying 1 (1 of 3)");
}

TEST(Decide, ShowsWhatARunWaitsFor) {
  Simulation world;
  world.Reconcile();
  world.Pass(seconds(5));
  world.Report({.phase = Progress::Phase::kWaitingForLock, .detail = "pid 7 holds it"});
  world.Reconcile();
  EXPECT_EQ(world.Conditions(), Reconciling("WaitingForLock"));
  EXPECT_EQ(world.message(), "pid 7 holds it");
}

TEST(Decide, CancelsTheRunOnceAndWaitsForAPerson) {
  Simulation world;
  world.Reconcile();
  world.metadata().cancel_request = "2026-11-21T10:00:00Z";
  EXPECT_TRUE(world.Reconcile().cancel_run);
  EXPECT_FALSE(world.Reconcile().cancel_run);
  world.EndRun(Failed(Reason::kCancelled));
  world.Reconcile();
  EXPECT_EQ(world.Conditions(), Stalled("Cancelled"));
  EXPECT_EQ(world.cancels(), 1);
  world.Pass(std::chrono::hours(10));
  EXPECT_FALSE(world.Reconcile().start_run);
  world.metadata().retry_request = "2026-11-21T11:00:00Z";
  EXPECT_TRUE(world.Reconcile().start_run);
}

TEST(Decide, CancelsARetryThatIsDueLater) {
  Simulation world;
  world.Run(Transient());
  world.metadata().cancel_request = "2026-11-21T10:00:00Z";
  world.Reconcile();
  EXPECT_EQ(world.Conditions(), Stalled("Cancelled"));
  world.Pass(std::chrono::hours(1));
  EXPECT_FALSE(world.Reconcile().start_run);
}

TEST(Decide, TakesNoNoticeOfACancelRequestWithoutARun) {
  Simulation world;
  world.metadata().cancel_request = "2026-11-21T10:00:00Z";
  EXPECT_TRUE(world.Reconcile().start_run) << "the request is older than the resource";
  world.EndRun(Success());
  world.Reconcile();
  EXPECT_EQ(world.Conditions(), Ready());
}

TEST(Decide, CancelsTheRunOfAResourceThatIsBeingDeletedAndWritesNothing) {
  Simulation world;
  world.Reconcile();
  const int writes = world.writes();
  world.metadata().deleting = true;
  EXPECT_TRUE(world.Reconcile().cancel_run);
  world.EndRun(Failed(Reason::kCancelled));
  const Action action = world.Reconcile();
  EXPECT_TRUE(action.forget_run);
  EXPECT_FALSE(action.start_run);
  EXPECT_EQ(world.writes(), writes);
}

// Other processes

TEST(Decide, LooksAtTheDatabaseOnceAfterARestartInTheMiddleOfARun) {
  Simulation world;
  world.Reconcile();
  world.Restart();
  EXPECT_TRUE(world.Reconcile().start_run);
  EXPECT_EQ(world.runs(), 2);
  world.EndRun(Success());
  world.Reconcile();
  world.Restart();
  EXPECT_FALSE(world.Reconcile().start_run) << "a converged resource is left alone";
}

TEST(Decide, LeavesTheRunOfAnotherControllerAlone) {
  Simulation world;
  world.Reconcile();
  world.Restart();
  world.observed().foreign_run_lost = false;
  const int writes = world.writes();
  const Action action = world.Reconcile();
  EXPECT_FALSE(action.start_run);
  EXPECT_EQ(world.writes(), writes);
  EXPECT_EQ(action.requeue_after, seconds(600));
}

TEST(Decide, RebuildsAStatusThatWasLost) {
  Simulation world;
  world.Run(Applied({"1", "2"}));
  world.observed().object.status = Status();
  report::RunReport report = Success("2");
  report.applied_count = 2;
  world.Run(report);
  EXPECT_EQ(world.Conditions(), Ready());
  EXPECT_EQ(world.status().applied_count, 2);
}

// The history

TEST(Decide, StallsWhenTheHistoryLacksAVersionThatStatusHad) {
  Simulation world;
  world.Run(Success("7"));
  world.SetFiles("other");
  world.Run(Success("5"));
  EXPECT_EQ(world.Conditions(), Stalled("HistoryRegressed"));
  EXPECT_THAT(world.message(), HasSubstr("lacks version 7"));
  world.metadata().retry_request = "2026-11-21T10:00:00Z";
  world.Run(Success("5"));
  EXPECT_EQ(world.Conditions(), Ready()) << "a person accepted it";
}

TEST(Decide, TellsVersionsThatWereAppliedAgain) {
  Simulation world;
  world.Run(Applied({"1", "2"}));
  world.SetFiles("other");
  world.Run(Applied({"2"}));
  EXPECT_EQ(world.Conditions(), Ready());
  EXPECT_THAT(world.EventReasons(), Contains("HistoryRegressed"));
}

TEST(Decide, TakesAWithdrawnVersionForWhatItIs) {
  Simulation world;
  world.Run(Applied({"1", "2"}));
  world.SetFiles("other");
  report::RunReport report = Applied({"2"});
  report.notices = {{report::Notice::Kind::kWithdrawn, "2 was deleted from schema_migrations"}};
  world.Run(report);
  EXPECT_THAT(world.EventReasons(), Contains("MigrationWithdrawn"));
  EXPECT_THAT(world.EventReasons(), Not(Contains("HistoryRegressed")));
}

TEST(Decide, TellsAnotherDatabaseAndStallsOnNothing) {
  Simulation world;
  world.Run(Success("7"));
  world.EditSpec();
  report::RunReport report = Success("1");
  report.system_identifier = "43";
  world.Run(report);
  EXPECT_EQ(world.Conditions(), Ready());
  EXPECT_THAT(world.EventReasons(), Contains("DatabaseChanged"));
}

TEST(Decide, KeepsWhatIsKnownWhenARunGotNowhere) {
  Simulation world;
  world.Run(Applied({"1", "2"}));
  world.EditSpec();
  world.Run(Uncounted(Reason::kWaitingForDatabase));
  EXPECT_EQ(world.status().current_version, "2");
  EXPECT_EQ(world.status().applied_count, 2);
  EXPECT_EQ(world.status().applied.size(), 2u);
}

// Whatever happened: the next pass changes nothing.

TEST(Decide, DoesNothingMoreWhenNothingChanged) {
  const std::vector<report::RunReport> ends = {Success(),
                                               Applied({"1"}),
                                               Transient(),
                                               Uncounted(Reason::kWaitingForDatabase),
                                               Uncounted(Reason::kAuthenticationFailed),
                                               Failed(Reason::kMigrationFailed),
                                               Failed(Reason::kPermissionDenied),
                                               Failed(Reason::kSecretNotFound),
                                               Failed(Reason::kCancelled)};
  const std::vector<std::function<void(Simulation&)>> edits = {
      [](Simulation&) {},
      [](Simulation& w) { w.spec().suspend = true; },
      [](Simulation& w) { w.EditSpec().suspend = true; },
      [](Simulation& w) { w.EditSpec().execution.mode = ExecutionMode::kJob; },
      [](Simulation& w) {
        w.LoseFiles({Reason::kSourceNotFound, "gone"});
      },
      [](Simulation& w) {
        w.LoseFiles({Reason::kInvalidSource, "twice"});
      },
      [](Simulation& w) { w.EditSpec().source.digest = "sha256:no"; },
      [](Simulation& w) { w.SetFiles("new"); },
      [](Simulation& w) { w.EditSpec(), w.LoseSecret(); },
      [](Simulation& w) { w.metadata().retry_request = "2026-11-21T10:00:00Z"; },
      [](Simulation& w) { w.metadata().cancel_request = "2026-11-21T10:00:00Z"; }};
  for (std::size_t end = 0; end < ends.size(); ++end) {
    for (std::size_t edit = 0; edit < edits.size(); ++edit) {
      SCOPED_TRACE("end " + std::to_string(end) + ", edit " + std::to_string(edit));
      Simulation world;
      world.Run(ends[end]);
      edits[edit](world);
      world.Settle();
      const int writes = world.writes();
      const int runs = world.runs();
      const std::size_t events = world.events().size();
      world.Settle();
      world.Settle();
      EXPECT_EQ(world.writes(), writes);
      EXPECT_EQ(world.runs(), runs);
      EXPECT_EQ(world.events().size(), events);
      EXPECT_FALSE(world.status().IsTrue("Reconciling") && world.status().IsTrue("Stalled"));
    }
  }
}

}  // namespace
}  // namespace whimbrel::controller
