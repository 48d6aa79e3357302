// A leader that was stopped in the middle of a pass and goes on after another one took over: what
// it then writes must not count. The API server is real, for it is the one who refuses.

#include <gtest/gtest.h>

#include <atomic>
#include <condition_variable>
#include <mutex>
#include <nlohmann/json.hpp>
#include <optional>

#include "support/api_server.h"
#include "support/eventually.h"
#include "support/fake_clock.h"
#include "unit/controller/fake_runner.h"
#include "unit/controller/manifests.h"
#include "unit/controller/simulation.h"
#include "unit/kube/connect.h"
#include "whimbrel/controller/controller.h"
#include "whimbrel/kube/leader_elector.h"

namespace whimbrel::controller {
namespace {

using kube::ApiResult;
using kube::Json;
using kube::ObjectKey;
using kube::Resource;
using report::RunReport;
using report::RunRequest;
using testing::Applied;
using testing::FakeRunner;
using whimbrel::testing::Eventually;
using whimbrel::testing::FakeClock;
using whimbrel::testing::SharedApiServer;

std::optional<RunReport> Succeed(const RunRequest& request) {
  RunReport report = Applied({"1"});
  report.source_digest = request.source->digest;
  return report;
}

/// Stops before the status of a given number is sent, until a test lets it go on.
class StoppedClient final : public kube::ObjectClient {
 public:
  explicit StoppedClient(int stop_at) : stop_at_(stop_at) {}

  ApiResult<Json> Apply(const Resource& resource, const Json& object,
                        const kube::ApplyOptions& options, std::stop_token stop) override {
    if (options.subresource != "status") return real_->Apply(resource, object, options, stop);
    if (!StopHere(stop)) return real_->Apply(resource, object, options, stop);
    // The stop token is not passed on: what was sent is not called back.
    ApiResult<Json> answer = real_->Apply(resource, object, options, {});
    const std::lock_guard lock(mutex_);
    stale_write_ = answer ? "stored" : std::string(ToString(answer.error().reason));
    changed_.notify_all();
    return answer;
  }
  ApiResult<Json> Get(const Resource& resource, const ObjectKey& key,
                      std::stop_token stop) override {
    ++gets_;
    return real_->Get(resource, key, stop);
  }
  ApiResult<std::string> List(const Resource& resource, const kube::ListOptions& options,
                              const kube::ListHandler& handler, std::stop_token stop) override {
    return real_->List(resource, options, handler, stop);
  }
  ApiResult<void> Watch(const Resource& resource, const kube::WatchOptions& options,
                        const kube::WatchHandler& handler, std::stop_token stop) override {
    return real_->Watch(resource, options, handler, stop);
  }
  ApiResult<Json> Create(const Resource& resource, const Json& object,
                         std::stop_token stop) override {
    return real_->Create(resource, object, stop);
  }
  ApiResult<Json> Update(const Resource& resource, const Json& object,
                         std::stop_token stop) override {
    return real_->Update(resource, object, stop);
  }
  ApiResult<void> Delete(const Resource& resource, const ObjectKey& key, const std::string& uid,
                         std::stop_token stop) override {
    return real_->Delete(resource, key, uid, stop);
  }
  ApiResult<std::string> ReadLog(const ObjectKey& pod, const kube::LogOptions& options,
                                 std::stop_token stop) override {
    return real_->ReadLog(pod, options, stop);
  }

  [[nodiscard]] bool stopped() const {
    const std::lock_guard lock(mutex_);
    return statuses_ >= stop_at_;
  }
  [[nodiscard]] int gets() const { return gets_; }
  void GoOn() {
    const std::lock_guard lock(mutex_);
    go_on_ = true;
    changed_.notify_all();
  }
  /// What became of the write.
  std::string StaleWrite() {
    std::unique_lock lock(mutex_);
    changed_.wait_for(lock, whimbrel::testing::kDeadline, [&] { return !stale_write_.empty(); });
    return stale_write_;
  }

 private:
  bool StopHere(const std::stop_token& stop) {
    std::unique_lock lock(mutex_);
    if (++statuses_ != stop_at_) return false;
    changed_.wait(lock, stop, [&] { return go_on_; });
    return true;
  }

  const std::unique_ptr<kube::ObjectClient> real_ = kube::Connect(SharedApiServer().kubeconfig());
  const int stop_at_;
  mutable std::mutex mutex_;
  std::condition_variable_any changed_;
  std::atomic<int> gets_ = 0;
  int statuses_ = 0;
  bool go_on_ = false;
  std::string stale_write_;
};

class StaleLeaderTest : public ::testing::TestWithParam<int> {
 protected:
  static void SetUpTestSuite() {
    SharedApiServer().MustKubectl({"apply", "-f", testing::kCrdFile});
    SharedApiServer().AwaitEstablished("databasemigrations.whimbrel.dev");
  }

  std::string Field(const std::string& path) {
    return SharedApiServer().MustKubectl(
        {"-n", ns_, "get", "dbmig", "orders", "-o", "jsonpath={" + path + "}"});
  }

  std::string ns_ = SharedApiServer().CreateNamespace();
  ControllerOptions options_{.namespaces = {ns_}};
};

TEST_P(StaleLeaderTest, ItsStatusIsRefusedAndThatOfTheNextOneStays) {
  SharedApiServer().MustKubectl({"apply", "-n", ns_, "-f", "-"},
                                testing::ConfigMapYaml("orders-sql", "select 1") + "---\n" +
                                    testing::SecretYaml("orders-db") + "---\n" +
                                    testing::MigrationYaml("orders"));
  StoppedClient stale_client(GetParam());
  FakeRunner stale_runner(Succeed);
  const auto election = kube::Connect(SharedApiServer().kubeconfig());
  FakeClock clock;
  kube::LeaderElector elector(*election,
                              {.lease = {.ns = ns_, .name = "lease"}, .identity = "stale"}, clock);
  ASSERT_TRUE(elector.WaitUntilLeading({}));
  const auto guarded = kube::GuardWrites(stale_client, elector);
  Controller stale(*guarded, stale_runner, options_);
  ASSERT_TRUE(stale.Start());
  ASSERT_TRUE(Eventually([&] { return stale_client.stopped(); }));

  const auto client = kube::Connect(SharedApiServer().kubeconfig());
  FakeRunner runner(Succeed);
  Controller next(*client, runner, options_);
  ASSERT_TRUE(next.Start());
  ASSERT_TRUE(Eventually(
      [&] { return Field(".status.conditions[?(@.type==\"Ready\")].status") == "True"; }));
  const std::string run = Field(".status.run.id");
  ASSERT_EQ(runner.started(), 1u);
  EXPECT_EQ(run, runner.requests().front().run_id);

  ASSERT_TRUE(clock.WaitForSleepers(1));
  clock.Advance(std::chrono::minutes(1));
  const int gets = stale_client.gets();
  stale_client.GoOn();
  EXPECT_EQ(stale_client.StaleWrite(), "Conflict");
  // Reads again and tries again, with the newest resourceVersion, for as long as nobody ends it.
  EXPECT_TRUE(Eventually([&] { return stale.settled() || stale_client.gets() > gets + 3; }));
  EXPECT_EQ(Field(".status.run.id"), run);
  // What it had not written down it did not begin.
  EXPECT_EQ(stale_runner.started(), GetParam() == 1 ? 0u : 1u);
}

INSTANTIATE_TEST_SUITE_P(WhetherItWasAboutToBeginOrToEndARun, StaleLeaderTest,
                         ::testing::Values(1, 2));

}  // namespace
}  // namespace whimbrel::controller
