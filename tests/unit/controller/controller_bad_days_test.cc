#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <atomic>
#include <functional>
#include <latch>
#include <nlohmann/json.hpp>

#include "unit/controller/controller_fixture.h"
#include "whimbrel/controller/controller.h"

namespace whimbrel::controller {
namespace {

using testing::ControllerTest;
using testing::GoOn;
using ::testing::HasSubstr;
using testing::MigrationYaml;
using testing::Succeed;
using whimbrel::testing::Eventually;

/// Fails what a test wants failed, and passes on all else.
class FlakyClient final : public kube::ObjectClient {
 public:
  explicit FlakyClient(kube::ObjectClient& real) : real_(real) {}

  std::atomic<int> conflicts{0};     ///< How many applies still fail with 409.
  std::atomic<int> failures{0};      ///< How many gets still fail.
  std::atomic<int> lost_answers{0};  ///< How many applies still succeed without our knowing.
  std::optional<kube::ApiError> list_error;
  std::function<void()> before_get = [] {};
  std::function<void()> before_apply = [] {};

  kube::ApiResult<kube::Json> Get(const kube::Resource& resource, const kube::ObjectKey& key,
                                  std::stop_token stop) override {
    before_get();
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
  kube::ApiResult<kube::Json> Update(const kube::Resource& resource, const kube::Json& object,
                                     std::stop_token stop) override {
    return real_.Update(resource, object, stop);
  }
  kube::ApiResult<kube::Json> Apply(const kube::Resource& resource, const kube::Json& object,
                                    const kube::ApplyOptions& options,
                                    std::stop_token stop) override {
    before_apply();
    if (conflicts.fetch_sub(1) > 0) return Refuse(kube::ApiErrorReason::kConflict, 409);
    auto applied = real_.Apply(resource, object, options, stop);
    if (lost_answers.fetch_sub(1) > 0) return Refuse(kube::ApiErrorReason::kTransport, 0);
    return applied;
  }
  kube::ApiResult<void> Delete(const kube::Resource& resource, const kube::ObjectKey& key,
                               const std::string& uid, std::stop_token stop) override {
    return real_.Delete(resource, key, uid, stop);
  }
  kube::ApiResult<std::string> ReadLog(const kube::ObjectKey& pod, const kube::LogOptions& options,
                                       std::stop_token stop) override {
    return real_.ReadLog(pod, options, stop);
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

TEST_F(FlakyControllerTest, ARunThatWasWrittenDownAlthoughTheAnswerWasLostIsNotWaitedFor) {
  manifests_.WriteAll("orders");
  Flaky().lost_answers = 3;
  Start();
  EXPECT_TRUE(controller_->WaitUntilSettled({}));
  EXPECT_EQ(manifests_.Reason("orders"), "UpToDate");
  EXPECT_EQ(runner_.started(), 1u);
}

TEST_F(FlakyControllerTest, DoesNotActOnAResourceThatWasEditedInTheMiddleOfThePass) {
  manifests_.WriteAll("orders");
  std::atomic<bool> edited = false;
  Flaky().before_apply = [&] {
    if (edited.exchange(true)) return;
    manifests_.Write("orders.yaml", MigrationYaml("orders", "  target: {version: \"9\"}\n"));
  };
  Start();
  EXPECT_TRUE(controller_->WaitUntilSettled({}));
  ASSERT_EQ(runner_.started(), 1u);
  EXPECT_EQ(runner_.requests().front().target_version, "9");
  controller_.reset();  // Before what its client calls is gone.
}

TEST_F(FlakyControllerTest, IsNotSettledWhileAnEditIsBeingLookedAt) {
  manifests_.WriteAll("orders");
  std::atomic<bool> armed = false;
  std::latch reached(1);
  std::latch go_on(1);
  Flaky().before_get = [&] {
    if (!armed.exchange(false)) return;
    reached.count_down();
    go_on.wait();
  };
  Start();
  ASSERT_TRUE(controller_->WaitUntilSettled({}));
  armed = true;
  manifests_.Write("orders-sql.yaml", testing::ConfigMapYaml("orders-sql", "select 2"));
  reached.wait();
  EXPECT_FALSE(controller_->settled());
  go_on.count_down();
  EXPECT_TRUE(controller_->WaitUntilSettled({}));
  EXPECT_EQ(runner_.started(), 2u);
  controller_.reset();  // Before what its client calls is gone.
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
