#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "controller/decide.h"
#include "unit/controller/simulation.h"

namespace whimbrel::controller::testing {
namespace {

using report::Progress;
using report::Reason;
using std::chrono::seconds;
using ::testing::Contains;
using ::testing::HasSubstr;
using ::testing::Not;

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

TEST(Decide, ShowsWhatTheServerIsDoingAndNothingOfItAfterTheEnd) {
  Simulation world;
  world.Reconcile();
  world.Pass(seconds(5));
  world.Report({.phase = Progress::Phase::kMigrating,
                .version = "1",
                .path = "001_big.sql",
                .statement = 2,
                .statements = 3,
                .line = 40,
                .copied_bytes = 4096,
                .activity = "waiting for a lock held by pid 7 (psql, password=hunter2)",
                .total = 1});
  world.Reconcile();
  const RunState during = *world.status().run;
  EXPECT_EQ(during.file, "001_big.sql");
  EXPECT_EQ(during.statements, 3);
  EXPECT_EQ(during.line, 40);
  EXPECT_EQ(during.copied_bytes, 4096);
  EXPECT_THAT(during.activity, HasSubstr("held by pid 7"));
  EXPECT_THAT(during.activity, Not(HasSubstr("hunter2")));
  world.EndRun(Success());
  world.Reconcile();
  EXPECT_EQ(world.status().run->file, "");
  EXPECT_EQ(world.status().run->line, 0);
  EXPECT_EQ(world.status().run->activity, "");
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

}  // namespace
}  // namespace whimbrel::controller::testing
