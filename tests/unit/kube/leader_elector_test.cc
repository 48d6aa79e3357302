#include "whimbrel/kube/leader_elector.h"

#include <gtest/gtest.h>

#include <atomic>
#include <functional>
#include <latch>
#include <memory>
#include <mutex>
#include <nlohmann/json.hpp>
#include <stdexcept>
#include <string>
#include <vector>

#include "support/eventually.h"
#include "support/fake_clock.h"
#include "unit/kube/fake_object_client.h"

namespace whimbrel::kube {
namespace {

using std::chrono::seconds;
using testing::Eventually;
using testing::FakeClock;

/// The one Lease of an API server, and what this server does to its clients.
class LeaseServer {
 public:
  LeaseServer() {
    client.get = [this](const Resource&, const ObjectKey&, std::stop_token) { return Read(); };
    client.create = [this](const Json& object, std::stop_token) { return Store(object); };
    client.update = [this](const Json& object, std::stop_token stop) {
      if (hang_) return Hang(std::move(stop));
      return Store(object);
    };
  }

  /// Renewals get no answer any more.
  void BeginToHang() { hang_ = true; }
  [[nodiscard]] std::string Field(const char* name) const {
    const std::lock_guard lock(mutex_);
    return stored_.is_null() ? "none" : stored_.at("spec").at(name).dump();
  }

  FakeObjectClient client;

 private:
  ApiResult<Json> Read() const {
    const std::lock_guard lock(mutex_);
    if (stored_.is_null()) return FakeObjectClient::Failure(ApiErrorReason::kNotFound);
    return stored_;
  }
  ApiResult<Json> Store(const Json& object) {
    const std::lock_guard lock(mutex_);
    stored_ = object;
    stored_["metadata"]["uid"] = "uid";
    stored_["metadata"]["resourceVersion"] = std::to_string(++version_);
    return stored_;
  }
  static ApiResult<Json> Hang(std::stop_token stop) {
    (void)FakeObjectClient::BlockUntil(std::move(stop));
    return FakeObjectClient::Failure(ApiErrorReason::kCancelled);
  }

  mutable std::mutex mutex_;
  Json stored_;
  int version_ = 0;
  std::atomic<bool> hang_ = false;
};

class LeaderElectorTest : public ::testing::Test {
 protected:
  std::unique_ptr<LeaderElector> Elect() {
    return std::make_unique<LeaderElector>(
        server_.client,
        LeaderElectionOptions{.lease = {.ns = "ns", .name = "lease"}, .identity = "me"}, clock_);
  }
  std::unique_ptr<LeaderElector> Leader() {
    auto elector = Elect();
    EXPECT_TRUE(elector->WaitUntilLeading({}));
    return elector;
  }
  /// Lets time go by until then.
  ::testing::AssertionResult AdvanceUntil(const std::function<bool()>& condition) {
    return Eventually([&] {
      clock_.Advance(seconds(1));
      return condition();
    });
  }

  FakeClock clock_;
  LeaseServer server_;
};

TEST_F(LeaderElectorTest, LeadsAndRenews) {
  auto elector = Leader();
  EXPECT_TRUE(elector->may_work());
  EXPECT_TRUE(elector->Check({}));
  EXPECT_EQ(server_.Field("holderIdentity"), "\"me\"");
  for (int i = 0; i < 5; ++i) {
    const SteadyTime before = elector->may_work_until();
    ASSERT_TRUE(clock_.WaitForSleepers(1));
    clock_.Advance(seconds(2));
    ASSERT_TRUE(Eventually([&] { return elector->may_work_until() == before + seconds(2); }));
  }
  EXPECT_FALSE(elector->lost().stop_requested());
}

TEST_F(LeaderElectorTest, LosesWhenNoAnswerComesUntilTheDeadline) {
  auto elector = Leader();
  const SteadyTime may_work_until = elector->may_work_until();
  server_.BeginToHang();
  EXPECT_TRUE(AdvanceUntil([&] { return elector->lost().stop_requested(); }));
  EXPECT_EQ(elector->may_work_until(), may_work_until) << "work has its time to end";
  EXPECT_FALSE(elector->WaitUntilLeading({}));
}

TEST_F(LeaderElectorTest, MayNotWorkOnceTheLeaseIsNearlyOverWhetherItNoticedOrNot) {
  auto elector = Leader();
  server_.client.update = [](const Json&, std::stop_token) -> ApiResult<Json> {
    throw std::logic_error("not reached: the thread sleeps");
  };
  EXPECT_TRUE(elector->may_work());
  // One step over everything, as after SIGSTOP and SIGCONT.
  ASSERT_TRUE(clock_.WaitForSleepers(1));
  clock_.Advance(seconds(15));
  EXPECT_FALSE(elector->may_work());
  EXPECT_TRUE(Eventually([&] { return elector->lost().stop_requested(); }));
}

TEST_F(LeaderElectorTest, IsUnhealthyWhenItsThreadHangsWhileTheLeaseRunsOut) {
  auto elector = Leader();
  std::latch hung(1);
  std::latch released(1);
  server_.client.update = [&](const Json&, std::stop_token) -> ApiResult<Json> {
    hung.count_down();
    released.wait();
    return FakeObjectClient::Failure(ApiErrorReason::kTransport);
  };
  ASSERT_TRUE(clock_.WaitForSleepers(1));
  clock_.Advance(seconds(2));
  hung.wait();
  EXPECT_TRUE(elector->Check(seconds(5)));
  clock_.Advance(seconds(14));
  EXPECT_TRUE(elector->Check(seconds(5))) << "over, but tolerated";
  clock_.Advance(seconds(5));
  EXPECT_FALSE(elector->Check(seconds(5)));
  released.count_down();
  EXPECT_TRUE(Eventually([&] { return elector->lost().stop_requested(); }));
}

TEST_F(LeaderElectorTest, LosesByAnExceptionRatherThanToWorkWithoutALease) {
  auto elector = Leader();
  server_.client.update = [](const Json&, std::stop_token) -> ApiResult<Json> {
    throw std::runtime_error("no memory");
  };
  EXPECT_TRUE(AdvanceUntil([&] { return elector->lost().stop_requested(); }));
}

TEST_F(LeaderElectorTest, HandsOverOnRelease) {
  auto elector = Leader();
  elector->Release();
  EXPECT_EQ(server_.Field("holderIdentity"), "\"\"");
  EXPECT_EQ(server_.Field("leaseDurationSeconds"), "1");
  EXPECT_FALSE(elector->may_work());
  EXPECT_FALSE(elector->lost().stop_requested());
  elector->Release();
}

/// What an elector tells of a Lease, in the words of client-go.
class LeaderEventsTest : public LeaderElectorTest {
 protected:
  LeaderEventsTest() {
    events_.create = [this](const Json& event, std::stop_token) -> ApiResult<Json> {
      const std::lock_guard lock(mutex_);
      EXPECT_EQ(event.at("regarding"),
                Json::parse(R"({"apiVersion": "coordination.k8s.io/v1", "kind": "Lease",
                                "namespace": "ns", "name": "lease", "uid": "uid"})"));
      EXPECT_EQ(event.at("reason"), "LeaderElection");
      EXPECT_EQ(event.at("type"), "Normal");
      notes_.push_back(event.at("note"));
      return event;
    };
  }
  std::unique_ptr<LeaderElector> LeaderThatTells() {
    auto elector = std::make_unique<LeaderElector>(
        server_.client,
        LeaderElectionOptions{
            .lease = {.ns = "ns", .name = "lease"}, .identity = "me", .events = &recorder_},
        clock_);
    EXPECT_TRUE(elector->WaitUntilLeading({}));
    return elector;
  }
  ::testing::AssertionResult Tells(const std::vector<std::string>& notes) {
    return Eventually([&] {
      const std::lock_guard lock(mutex_);
      return notes_ == notes;
    });
  }

 private:
  std::mutex mutex_;
  std::vector<std::string> notes_;
  FakeObjectClient events_;
  EventRecorder recorder_{events_, "whimbrel.dev/leader-election", "me"};
};

TEST_F(LeaderEventsTest, TellsWhoLeadsAndWhoHandsOver) {
  const auto elector = LeaderThatTells();
  EXPECT_TRUE(Tells({"me became leader"}));
  elector->Release();
  EXPECT_TRUE(Tells({"me became leader", "me stopped leading"}));
}

TEST_F(LeaderEventsTest, TellsOfALostLease) {
  const auto elector = LeaderThatTells();
  server_.BeginToHang();
  EXPECT_TRUE(AdvanceUntil([&] { return elector->lost().stop_requested(); }));
  EXPECT_TRUE(Tells({"me became leader", "me stopped leading"}));
}

TEST_F(LeaderElectorTest, LeavesTheLeaseToRunOutWhenItIsNotReleased) {
  Leader().reset();
  EXPECT_EQ(server_.Field("holderIdentity"), "\"me\"");
}

TEST_F(LeaderElectorTest, WaitsAsACandidateUntilItIsStoppedOrReleased) {
  (void)Leader();  // Another process of the same name would be a mistake: the next one differs.
  LeaderElector candidate(
      server_.client,
      LeaderElectionOptions{.lease = {.ns = "ns", .name = "lease"}, .identity = "other"}, clock_);
  ASSERT_TRUE(clock_.WaitForSleepers(1));
  std::stop_source stop;
  stop.request_stop();
  EXPECT_FALSE(candidate.WaitUntilLeading(stop.get_token()));
  candidate.Release();
  EXPECT_FALSE(candidate.WaitUntilLeading({}));
  EXPECT_EQ(server_.Field("holderIdentity"), "\"me\"");
}

TEST_F(LeaderElectorTest, GuardsWritesAndNothingElse) {
  auto elector = Leader();
  FakeObjectClient inner;
  inner.get = [](const Resource&, const ObjectKey&, std::stop_token) { return Json("read"); };
  inner.create = inner.update = [](const Json& object, std::stop_token) { return object; };
  inner.apply = [](const Json& object, const ApplyOptions&, std::stop_token) { return object; };
  const auto guarded = GuardWrites(inner, *elector);
  const auto writes = [&](const Resource& resource) {
    std::string done;
    if (guarded->Create(resource, Json("x"), {})) done += "create ";
    if (guarded->Update(resource, Json("x"), {})) done += "update ";
    if (guarded->Apply(resource, Json("x"), {}, {})) done += "apply ";
    return done;
  };
  EXPECT_EQ(writes(ConfigMaps()), "create update apply ");
  ASSERT_TRUE(clock_.WaitForSleepers(1));
  clock_.Advance(seconds(60));
  EXPECT_EQ(writes(ConfigMaps()), "");
  const auto refused = guarded->Delete(ConfigMaps(), {}, "", {});
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().reason, ApiErrorReason::kCancelled);
  EXPECT_EQ(writes(Events()), "create update apply ");
  EXPECT_TRUE(guarded->Get(ConfigMaps(), {}, {}));
}

TEST(LeaderIdentityTest, IsAnotherOneForEachProcess) {
  const std::string first = NewLeaderIdentity("host");
  EXPECT_TRUE(first.starts_with("host_"));
  EXPECT_NE(first, NewLeaderIdentity("host"));
}

}  // namespace
}  // namespace whimbrel::kube
