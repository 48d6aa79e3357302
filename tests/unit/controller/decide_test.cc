#include "controller/decide.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <functional>

#include "unit/controller/simulation.h"

namespace whimbrel::controller::testing {
namespace {

using report::Progress;
using report::Reason;
using std::chrono::seconds;
using ::testing::Contains;
using ::testing::ElementsAre;
using ::testing::HasSubstr;

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
}  // namespace whimbrel::controller::testing
