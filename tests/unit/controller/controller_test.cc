#include "whimbrel/controller/controller.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <nlohmann/json.hpp>
#include <thread>

#include "unit/controller/controller_fixture.h"

namespace whimbrel::controller {
namespace {

using report::Reason;
using report::RunRequest;
using testing::ControllerTest;
using testing::GoOn;
using testing::MigrationYaml;
using testing::Succeed;
using testing::Success;
using whimbrel::testing::Eventually;

TEST_F(ControllerTest, BringsAResourceToReady) {
  manifests_.WriteAll("orders");
  Start();
  EXPECT_TRUE(controller_->WaitUntilSettled({}));
  EXPECT_EQ(manifests_.Reason("orders"), "UpToDate");
  ASSERT_EQ(runner_.started(), 1u);
  const RunRequest request = runner_.requests().front();
  EXPECT_EQ(request.ns, "shop");
  EXPECT_EQ(request.name, "orders");
  EXPECT_EQ(request.database.credentials.at("uri").Reveal(), "postgresql://u:hunter2@db/orders");
  EXPECT_EQ(*request.source->Find("001_a.sql")->bytes(), "select 1");
  EXPECT_EQ(runner_.remembered(), 0u) << "an ended run is forgotten";
}

TEST_F(ControllerTest, TellsEveryFactOnceAsAnEvent) {
  manifests_.WriteAll("orders");
  Start();
  EXPECT_TRUE(controller_->WaitUntilSettled({}));
  controller_->Stop();
  EXPECT_THAT(EventReasons(), ::testing::UnorderedElementsAre(
                                  "MigrationStarted", "MigrationApplied", "MigrationCompleted"));
}

TEST_F(ControllerTest, WritesNoSecretIntoTheStatus) {
  manifests_.WriteAll("orders");
  runner_.SetScript([](const RunRequest&) {
    return testing::Failed(Reason::kMigrationFailed, "postgresql://u:hunter2@db/orders is bad");
  });
  Start();
  EXPECT_TRUE(controller_->WaitUntilSettled({}));
  EXPECT_EQ(manifests_.Get("orders").dump().find("hunter2"), std::string::npos);
}

TEST_F(ControllerTest, LeavesAConvergedResourceAlone) {
  manifests_.WriteAll("orders");
  Start();
  ASSERT_TRUE(controller_->WaitUntilSettled({}));
  const std::string version = manifests_.ResourceVersion("orders");
  controller_.reset();
  Start();
  ASSERT_TRUE(controller_->WaitUntilSettled({}));
  EXPECT_EQ(runner_.started(), 1u) << "a new controller looks, and runs nothing";
  EXPECT_EQ(manifests_.ResourceVersion("orders"), version);
}

TEST_F(ControllerTest, RunsAgainWhenAConfigMapChanges) {
  manifests_.WriteAll("orders");
  Start();
  ASSERT_TRUE(controller_->WaitUntilSettled({}));
  manifests_.Write("orders-sql.yaml", testing::ConfigMapYaml("orders-sql", "select 2"));
  EXPECT_TRUE(Eventually([&] { return runner_.started() == 2; }));
  EXPECT_TRUE(controller_->WaitUntilSettled({}));
  EXPECT_EQ(manifests_.Reason("orders"), "UpToDate");
}

TEST_F(ControllerTest, RunsAgainWhenTheSpecChanges) {
  manifests_.WriteAll("orders");
  Start();
  ASSERT_TRUE(controller_->WaitUntilSettled({}));
  manifests_.Write("orders.yaml", MigrationYaml("orders", "  target: {version: \"7\"}\n"));
  EXPECT_TRUE(Eventually([&] { return runner_.started() == 2; }));
  EXPECT_EQ(runner_.requests().back().target_version, "7");
}

TEST_F(ControllerTest, RecoversWhenAMissingConfigMapAppears) {
  manifests_.WriteAll("orders");
  manifests_.Remove("orders-sql.yaml");
  Start();
  ExpectReason("orders", "SourceNotFound");
  EXPECT_EQ(manifests_.Message("orders"), "ConfigMap shop/orders-sql does not exist");
  EXPECT_FALSE(controller_->settled());
  manifests_.Write("orders-sql.yaml", testing::ConfigMapYaml("orders-sql", "select 1"));
  ExpectReason("orders", "UpToDate");
}

TEST_F(ControllerTest, IsSettledWithoutAnObjectThatNobodyWillAdd) {
  manifests_.WriteAll("orders");
  manifests_.Remove("orders-db.yaml");
  Start({.objects_may_appear = false});
  EXPECT_TRUE(controller_->WaitUntilSettled({}));
  ASSERT_EQ(controller_->Outcomes().size(), 1u);
  EXPECT_EQ(controller_->Outcomes().front().standing, Standing::kWaitingForObjects);
  EXPECT_EQ(manifests_.Message("orders"), "Secret shop/orders-db does not exist");
}

TEST_F(ControllerTest, IsSettledWithAWrongPasswordAfterASecondTry) {
  manifests_.WriteAll("orders");
  runner_.SetScript(
      [](const RunRequest&) { return testing::Uncounted(Reason::kAuthenticationFailed); });
  Start({.objects_may_appear = false});
  EXPECT_TRUE(controller_->WaitUntilSettled({}));
  EXPECT_EQ(runner_.started(), 2u);
  EXPECT_EQ(manifests_.Reason("orders"), "AuthenticationFailed");
}

TEST_F(ControllerTest, FindsASecretThatAppearsWithinAMinute) {
  clock_ = &fake_clock_;
  manifests_.WriteAll("orders");
  manifests_.Remove("orders-db.yaml");
  Start();
  ExpectReason("orders", "SecretNotFound");
  manifests_.Write("orders-db.yaml", testing::SecretYaml("orders-db"));
  EXPECT_TRUE(Eventually([&] {
    fake_clock_.Advance(std::chrono::seconds(5));
    return runner_.started() == 1;
  }));
  ExpectReason("orders", "UpToDate");
}

TEST_F(ControllerTest, ShowsProgressOfARunThatGoesOn) {
  clock_ = &fake_clock_;
  runner_.SetScript(GoOn);
  manifests_.WriteAll("orders");
  Start();
  ASSERT_TRUE(Eventually([&] { return runner_.started() == 1; }));
  const std::string id = runner_.requests().front().run_id;
  runner_.Show(id, {.phase = report::Progress::Phase::kWaitingForLock, .detail = "pid 7 has it"});
  EXPECT_TRUE(Eventually([&] {
    fake_clock_.Advance(std::chrono::seconds(1));
    return manifests_.Message("orders") == "pid 7 has it";
  }));
  runner_.End(id, Success());
  ExpectReason("orders", "UpToDate");
}

TEST_F(ControllerTest, CancelsARunOnRequest) {
  runner_.SetScript(GoOn);
  manifests_.WriteAll("orders");
  Start();
  ASSERT_TRUE(Eventually([&] { return runner_.started() == 1; }));
  manifests_.Write(
      "orders.yaml",
      MigrationYaml("orders", "", "{whimbrel.dev/cancel-requested-at: \"2026-11-21T10:00:00Z\"}"));
  ExpectReason("orders", "Cancelled");
  EXPECT_EQ(runner_.cancels(), 1);
}

TEST_F(ControllerTest, CancelsTheRunOfADeletedResource) {
  runner_.SetScript(GoOn);
  manifests_.WriteAll("orders");
  Start();
  ASSERT_TRUE(Eventually([&] { return runner_.started() == 1; }));
  manifests_.Remove("orders.yaml");
  EXPECT_TRUE(Eventually([&] { return runner_.remembered() == 0; }));
}

TEST_F(ControllerTest, HungDatabasesDelayNobody) {
  runner_.SetScript([](const RunRequest& request) {
    return request.name == "healthy" ? Succeed(request) : GoOn(request);
  });
  for (int i = 0; i < 20; ++i) manifests_.WriteAll("hung-" + std::to_string(i));
  manifests_.WriteAll("healthy");
  Start({.workers = 2});
  ExpectReason("healthy", "UpToDate");
  EXPECT_TRUE(Eventually([&] { return runner_.started() == 21; }));
}

TEST_F(ControllerTest, StopCancelsRunsAndStartsNoneAnyMore) {
  runner_.SetScript(GoOn);
  for (int i = 0; i < 5; ++i) manifests_.WriteAll("r" + std::to_string(i));
  Start();
  ASSERT_TRUE(Eventually([&] { return runner_.started() == 5; }));
  const auto begin = std::chrono::steady_clock::now();
  controller_->Stop();
  EXPECT_LT(std::chrono::steady_clock::now() - begin, std::chrono::seconds(10));
  EXPECT_EQ(runner_.cancels(), 5);
  EXPECT_EQ(manifests_.Reason("r0"), "Migrating") << "the next controller looks at the database";
  runner_.SetScript(Succeed);
  Start();
  EXPECT_TRUE(controller_->WaitUntilSettled({}));
  EXPECT_EQ(manifests_.Reason("r0"), "UpToDate");
  EXPECT_EQ(runner_.started(), 10u);
}

TEST_F(ControllerTest, WaitUntilSettledEndsWhenAsked) {
  runner_.SetScript(GoOn);
  manifests_.WriteAll("orders");
  Start();
  std::stop_source stop;
  std::jthread asker([&] { stop.request_stop(); });
  EXPECT_FALSE(controller_->WaitUntilSettled(stop.get_token()));
}

TEST_F(ControllerTest, ManyResourcesConverge) {
  for (int i = 0; i < 50; ++i) manifests_.WriteAll("r" + std::to_string(i));
  Start();
  EXPECT_TRUE(controller_->WaitUntilSettled({}));
  for (const Outcome& outcome : controller_->Outcomes()) {
    EXPECT_EQ(outcome.standing, Standing::kReady) << outcome.key.name;
  }
  EXPECT_EQ(runner_.started(), 50u);
}

}  // namespace
}  // namespace whimbrel::controller
