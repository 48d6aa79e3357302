#include "whimbrel/controller/controller.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <atomic>
#include <nlohmann/json.hpp>
#include <thread>

#include "support/eventually.h"
#include "support/fake_clock.h"
#include "unit/controller/fake_runner.h"
#include "unit/controller/manifests.h"
#include "unit/controller/simulation.h"

namespace whimbrel::controller {
namespace {

using report::Reason;
using report::RunReport;
using report::RunRequest;
using testing::Applied;

using testing::FakeRunner;
using ::testing::HasSubstr;
using testing::Manifests;
using testing::MigrationYaml;
using testing::Success;
using whimbrel::testing::Eventually;
using whimbrel::testing::EventuallyEquals;
using whimbrel::testing::FakeClock;

std::optional<RunReport> Succeed(const RunRequest& request) {
  RunReport report = Applied({"1"});
  report.source_digest = request.source->digest;
  return report;
}

std::optional<RunReport> GoOn(const RunRequest&) { return std::nullopt; }

class ControllerTest : public ::testing::Test {
 protected:
  void Start(ControllerOptions options = {}) {
    controller_ = std::make_unique<Controller>(Client(), runner_, std::move(options), *clock_);
    const Result<void> started = controller_->Start();
    ASSERT_TRUE(started) << started.error().message;
  }
  virtual kube::ObjectClient& Client() { return manifests_.client(); }
  void ExpectReason(const std::string& name, const std::string& reason) {
    EXPECT_TRUE(EventuallyEquals<std::string>([&] { return manifests_.Reason(name); }, reason))
        << manifests_.Get(name).dump(1);
  }
  std::vector<std::string> EventReasons() {
    std::vector<std::string> reasons;
    (void)manifests_.client().List(
        kube::Events(), {.ns = "shop"},
        [&](kube::Json&& event) { reasons.push_back(event.at("reason")); }, {});
    return reasons;
  }

  FakeClock fake_clock_;
  const Clock* clock_ = &Clock::System();
  Manifests manifests_;
  FakeRunner runner_{Succeed};
  std::unique_ptr<Controller> controller_;
};

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

/// Fails what a test wants failed, and passes on all else.
class FlakyClient final : public kube::ObjectClient {
 public:
  explicit FlakyClient(kube::ObjectClient& real) : real_(real) {}

  std::atomic<int> conflicts{0};  ///< How many applies still fail with 409.
  std::atomic<int> failures{0};   ///< How many gets still fail.
  std::optional<kube::ApiError> list_error;

  kube::ApiResult<kube::Json> Get(const kube::Resource& resource, const kube::ObjectKey& key,
                                  std::stop_token stop) override {
    if (failures.fetch_sub(1) > 0) return Refuse(kube::ApiErrorReason::kTransport, 0);
    return real_.Get(resource, key, stop);
  }
  kube::ApiResult<std::string> List(const kube::Resource& resource,
                                    const kube::ListOptions& options,
                                    const kube::ListHandler& handler,
                                    std::stop_token stop) override {
    if (list_error) return tl::make_unexpected(*list_error);
    return real_.List(resource, options, handler, stop);
  }
  kube::ApiResult<void> Watch(const kube::Resource& resource, const kube::WatchOptions& options,
                              const kube::WatchHandler& handler, std::stop_token stop) override {
    return real_.Watch(resource, options, handler, stop);
  }
  kube::ApiResult<kube::Json> Create(const kube::Resource& resource, const kube::Json& object,
                                     std::stop_token stop) override {
    return real_.Create(resource, object, stop);
  }
  kube::ApiResult<kube::Json> Apply(const kube::Resource& resource, const kube::Json& object,
                                    const kube::ApplyOptions& options,
                                    std::stop_token stop) override {
    if (conflicts.fetch_sub(1) > 0) return Refuse(kube::ApiErrorReason::kConflict, 409);
    return real_.Apply(resource, object, options, stop);
  }
  kube::ApiResult<void> Delete(const kube::Resource& resource, const kube::ObjectKey& key,
                               const std::string& uid, std::stop_token stop) override {
    return real_.Delete(resource, key, uid, stop);
  }

 private:
  static tl::unexpected<kube::ApiError> Refuse(kube::ApiErrorReason reason, int code) {
    return tl::make_unexpected(
        kube::ApiError{.reason = reason, .code = code, .message = "as the test wants"});
  }

  kube::ObjectClient& real_;
};

class FlakyControllerTest : public ControllerTest {
 protected:
  kube::ObjectClient& Client() override { return Flaky(); }
  FlakyClient& Flaky() {
    if (!flaky_) flaky_ = std::make_unique<FlakyClient>(manifests_.client());
    return *flaky_;
  }
  ~FlakyControllerTest() override { controller_.reset(); }

 private:
  std::unique_ptr<FlakyClient> flaky_;
};

TEST_F(FlakyControllerTest, StartsNoRunThatItCouldNotWriteDownFirst) {
  manifests_.WriteAll("orders");
  Flaky().conflicts = 3;
  Start();
  EXPECT_TRUE(controller_->WaitUntilSettled({}));
  EXPECT_EQ(manifests_.Reason("orders"), "UpToDate");
  EXPECT_EQ(runner_.started(), 1u);
  controller_->Stop();
  EXPECT_EQ(EventReasons().size(), 3u) << "a pass that lost leaves no trace";
}

TEST_F(FlakyControllerTest, LosesNoReportWhenStatusCannotBeWritten) {
  manifests_.WriteAll("orders");
  runner_.SetScript(GoOn);
  Start();
  ASSERT_TRUE(Eventually([&] { return runner_.started() == 1; }));
  Flaky().conflicts = 5;
  runner_.End(runner_.requests().front().run_id, *Succeed(runner_.requests().front()));
  ExpectReason("orders", "UpToDate");
  EXPECT_EQ(runner_.started(), 1u);
}

TEST_F(FlakyControllerTest, TriesAgainWhenTheApiServerDoesNotAnswer) {
  manifests_.WriteAll("orders");
  Flaky().failures = 4;
  Start();
  ExpectReason("orders", "UpToDate");
}

TEST_F(FlakyControllerTest, SaysHowToInstallAMissingCrd) {
  manifests_.WriteAll("orders");
  Flaky().list_error = kube::ApiError{.reason = kube::ApiErrorReason::kNotFound, .code = 404};
  Controller controller(Flaky(), runner_, {});
  const Result<void> started = controller.Start();
  ASSERT_FALSE(started);
  EXPECT_EQ(started.error().kind, ErrorKind::kNotFound);
  EXPECT_THAT(started.error().message, HasSubstr("kubectl apply -f crds/"));
}

TEST_F(FlakyControllerTest, SaysWhichRightIsMissing) {
  manifests_.WriteAll("orders");
  Flaky().list_error = kube::ApiError{
      .reason = kube::ApiErrorReason::kForbidden, .code = 403, .message = "User x cannot list"};
  Controller controller(Flaky(), runner_, {.namespaces = {"shop"}});
  const Result<void> started = controller.Start();
  ASSERT_FALSE(started);
  EXPECT_EQ(started.error().kind, ErrorKind::kPermissionDenied);
  EXPECT_THAT(started.error().message, HasSubstr("databasemigrations in namespace shop"));
}

}  // namespace
}  // namespace whimbrel::controller
