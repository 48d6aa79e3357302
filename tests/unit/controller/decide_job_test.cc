#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "controller/decide.h"
#include "controller/job_observation.h"
#include "unit/controller/simulation.h"

namespace whimbrel::controller::testing {
namespace {

using report::Progress;
using report::Reason;
using std::chrono::hours;
using std::chrono::seconds;
using ::testing::Contains;
using ::testing::ElementsAre;
using ::testing::HasSubstr;

/// A resource whose runs are Jobs.
class JobWorld : public Simulation {
 public:
  JobWorld() {
    spec().execution.mode = ExecutionMode::kJob;
    jobs().available = true;
  }
  ObservedJobs& jobs() { return observed().jobs; }
  void Block(Reason reason, std::string message) {
    jobs().obstacle = Obstacle{reason, std::move(message)};
  }
  /// Another process follows the same Job: it knows what stands in status.
  void RestartController() {
    const RunState run = *status().run;
    observed().run =
        OwnRun{.state = run, .uid = "uid-1", .cancel_requested = run.phase == kCancellingPhase};
  }
};

TEST(DecideJob, NamesTheJobInStatusBeforeItIsMade) {
  JobWorld world;
  world.jobs().next_number = 4;
  const Action action = world.Reconcile();
  EXPECT_TRUE(action.start_run);
  EXPECT_EQ(world.status().run->job_name, "orders-uid-1-4");
  EXPECT_EQ(world.Conditions(), Reconciling("Migrating"));
}

TEST(DecideJob, NeverAsksForCredentials) {
  JobWorld world;
  world.LoseSecret();
  const Action action = world.Reconcile();
  EXPECT_FALSE(action.read_credentials);
  EXPECT_TRUE(action.start_run) << "the pod says what is missing";
}

TEST(DecideJob, SaysWhatAControllerWithoutAnImageLacks) {
  JobWorld world;
  world.jobs().available = false;
  EXPECT_FALSE(world.Reconcile().start_run);
  EXPECT_EQ(world.Conditions(), Stalled("InvalidSpec"));
  EXPECT_THAT(world.message(), HasSubstr("--runner-image"));
}

TEST(DecideJob, TakesOverTheReportOfThePod) {
  JobWorld world;
  world.Run(Applied({"1", "2"}));
  EXPECT_EQ(world.Conditions(), Ready());
  EXPECT_EQ(world.status().current_version, "2");
  EXPECT_EQ(world.status().run->job_name, "orders-uid-1-1") << "for its logs";
}

TEST(DecideJob, LooksAtTheDatabaseAgainWhenTheEndWasNotSeen) {
  JobWorld world;
  world.spec().execution.retry.limit = 0;
  world.Run(LostRun("its pod is gone"));
  EXPECT_EQ(world.Conditions(), Reconciling("RunnerLost"));
  EXPECT_EQ(world.status().run->retries, 0) << "not a try";
  world.Pass(seconds(10));
  world.jobs().next_number = 2;
  EXPECT_TRUE(world.Reconcile().start_run);
  EXPECT_EQ(world.status().run->job_name, "orders-uid-1-2");
}

// While it runs (design §6)

TEST(DecideJob, LetsTheAttemptEndOnWhatItReadWhenTheFilesAreEdited) {
  JobWorld world;
  world.Reconcile();
  world.SetFiles("create table b()");
  const Action action = world.Reconcile();
  EXPECT_FALSE(action.cancel_run);
  EXPECT_FALSE(action.start_run);
  world.EndRun(Success());
  EXPECT_TRUE(world.Reconcile().start_run) << "now with the new files";
}

TEST(DecideJob, StartsAnewWhenTheNodeStillHadOldFiles) {
  JobWorld world;
  world.Run(Failed(Reason::kSourceChanged, "other files than planned"));
  EXPECT_EQ(world.Conditions(), Reconciling("Retrying"));
  world.Pass(seconds(10));
  EXPECT_TRUE(world.Reconcile().start_run);
}

TEST(DecideJob, StartsNoNewAttemptWhileSuspended) {
  JobWorld world;
  world.Reconcile();
  world.EditSpec().suspend = true;
  EXPECT_FALSE(world.Reconcile().cancel_run) << "what goes on is finished";
  world.EndRun(Success());
  EXPECT_FALSE(world.Reconcile().start_run);
  EXPECT_EQ(world.Conditions(), Reconciling("Suspended"));
}

TEST(DecideJob, IsEndedByTheAnnotationAlsoByTheNextController) {
  JobWorld world;
  world.Reconcile();
  world.metadata().cancel_request = "2026-11-21T10:00:00Z";
  EXPECT_TRUE(world.Reconcile().cancel_run);
  EXPECT_EQ(world.status().run->phase, kCancellingPhase);
  world.RestartController();
  EXPECT_TRUE(world.Reconcile().cancel_run) << "the one before may have died in between";
  world.EndRun(LostRun("its Job is gone"));
  EXPECT_FALSE(world.Reconcile().start_run);
  EXPECT_THAT(world.EventReasons(), Contains("MigrationCancelled"));
  EXPECT_EQ(world.Conditions(), Stalled("Cancelled"));
}

TEST(DecideJob, EndsNoJobOfADeletedResource) {
  JobWorld world;
  world.Reconcile();
  world.metadata().deleting = true;
  const Action action = world.Reconcile();
  EXPECT_FALSE(action.start_run);
  EXPECT_TRUE(action.cancel_run) << "the runner cancels its statement";
}

TEST(DecideJob, IsFollowedByTheControllerThatComesLater) {
  JobWorld world;
  world.Reconcile();
  world.RestartController();
  EXPECT_FALSE(world.Reconcile().start_run);
  world.EndRun(Applied({"1"}));
  world.Reconcile();
  EXPECT_EQ(world.Conditions(), Ready());
  EXPECT_EQ(world.runs(), 1);
}

TEST(DecideJob, ChecksOnceWhenStatusIsLost) {
  JobWorld world;
  world.Run(Success());
  world.observed().object.status = Status();
  EXPECT_TRUE(world.Reconcile().start_run);
  world.EndRun(Success());
  world.Reconcile();
  world.Pass(hours(1000));
  EXPECT_FALSE(world.Reconcile().start_run) << "converged resources get no periodic Job";
}

// Obstacles of the cluster

TEST(DecideJob, ShowsWhyThePodDoesNotStartAndForgetsItAfterwards) {
  JobWorld world;
  world.Reconcile();
  world.Block(Reason::kJobPending, "no node can take the pod");
  EXPECT_EQ(world.Reconcile().requeue_after, std::nullopt) << "its pod wakes us";
  EXPECT_EQ(world.Conditions(), Reconciling("JobPending"));
  EXPECT_EQ(world.message(), "no node can take the pod");
  const int writes = world.writes();
  world.Reconcile();
  EXPECT_EQ(world.writes(), writes);
  world.jobs().obstacle.reset();
  world.Reconcile();
  EXPECT_EQ(world.Conditions(), Reconciling("Migrating"));
}

TEST(DecideJob, SaysOnceThatAnImageCannotBePulledAndDoesNotFlap) {
  JobWorld world;
  world.Reconcile();
  world.jobs().image_missing = true;
  world.Block(Reason::kImagePullFailed, "back-off pulling image");
  world.Reconcile();
  EXPECT_EQ(world.Conditions(), Stalled("ImagePullFailed"));
  world.Block(Reason::kJobPending, "pulling");
  world.Reconcile();
  world.Block(Reason::kImagePullFailed, "back-off pulling image");
  world.Reconcile();
  EXPECT_EQ(world.Conditions(), Stalled("ImagePullFailed"));
  EXPECT_THAT(world.EventReasons(), ElementsAre("MigrationStarted", "ImagePullFailed"));
  world.jobs().obstacle.reset();
  world.jobs().image_missing = false;
  world.Reconcile();
  EXPECT_EQ(world.Conditions(), Reconciling("Migrating"));
}

TEST(DecideJob, PlansAnewWhenWhatIsEditedMayBeWhatKeepsThePodAway) {
  JobWorld world;
  world.Reconcile();
  world.jobs().started = false;
  world.Block(Reason::kJobPending, "no node has the label");
  EXPECT_FALSE(world.Reconcile().cancel_run);
  world.EditSpec().job.node_selector.clear();
  EXPECT_TRUE(world.Reconcile().cancel_run);
  world.jobs().obstacle.reset();
  world.jobs().next_number = 2;
  world.EndRun(LostRun("its Job is gone"));
  EXPECT_TRUE(world.Reconcile().start_run) << "at once";
  EXPECT_EQ(world.status().run->job_name, "orders-uid-1-2");
}

TEST(DecideJob, LeavesAloneAfterAnEditWhatMayHaveExecutedSomething) {
  JobWorld world;
  world.Reconcile();
  world.Block(Reason::kRunnerLost, "its node does not answer");
  world.EditSpec();
  EXPECT_FALSE(world.Reconcile().cancel_run);
}

TEST(DecideJob, WaitsLongerEachTimeThatARunIsLost) {
  JobWorld world;
  world.spec().execution.retry.backoff = Backoff(seconds(4), seconds(300));
  std::vector<SystemTime::duration> waits;
  for (int i = 0; i < 3; ++i) {
    world.Run(LostRun("its node had no room"));
    waits.push_back(*world.status().run->next_retry_time - world.now());
    world.Pass(hours(1));
  }
  EXPECT_THAT(waits, ElementsAre(seconds(2), seconds(4), seconds(8))) << "half of each ceiling";
}

TEST(DecideJob, AsksAgainForARefusedJobOnceAMinute) {
  JobWorld world;
  world.Run(Failed(Reason::kJobRejected, "exceeded quota"));
  EXPECT_EQ(world.Conditions(), Stalled("JobRejected"));
  EXPECT_EQ(world.status().run->next_retry_time, world.now() + seconds(60));
  world.Pass(seconds(60));
  EXPECT_TRUE(world.Reconcile().start_run);
}

TEST(DecideJob, WaitsForThePodOfAnEarlierRun) {
  JobWorld world;
  world.jobs().not_before = SystemTime::max();
  const Action action = world.Reconcile();
  EXPECT_FALSE(action.start_run);
  EXPECT_EQ(world.Conditions(), Reconciling("JobPending"));
  world.jobs().not_before = world.now() + seconds(90);
  EXPECT_EQ(world.Reconcile().requeue_after, Duration(seconds(90)));
  world.Pass(seconds(90));
  EXPECT_TRUE(world.Reconcile().start_run) << "the fence is in PostgreSQL";
}

// Progress and history

TEST(DecideJob, LooksAtNoLogThatItMayNotRead) {
  JobWorld world;
  world.Reconcile();
  world.Report({.phase = Progress::Phase::kMigrating, .version = "2", .done = 1, .total = 3});
  world.Pass(seconds(6));
  EXPECT_EQ(world.Reconcile().requeue_after, std::nullopt);
  world.jobs().shows_progress = true;
  EXPECT_EQ(world.Reconcile().requeue_after, Duration(kProgressPeriod));
  EXPECT_EQ(world.status().run->current_version, "2");
  EXPECT_EQ(world.status().run->job_name, "orders-uid-1-1");
}

TEST(DecideJob, DeletesTheOldestJobsBeyondTheLimits) {
  JobWorld world;
  world.Run(Success());
  for (int n = 1; n <= 3; ++n) {
    world.jobs().jobs.push_back(
        {.name = "orders-uid-1-" + std::to_string(n), .number = n, .complete = true});
  }
  const Action action = world.Reconcile();
  ASSERT_EQ(action.delete_jobs.size(), 2u);
  EXPECT_EQ(action.delete_jobs[0].number, 2);
  EXPECT_EQ(action.delete_jobs[1].number, 1);
}

}  // namespace
}  // namespace whimbrel::controller::testing
