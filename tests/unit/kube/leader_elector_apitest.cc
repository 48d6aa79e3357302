#include <gtest/gtest.h>

#include <memory>
#include <nlohmann/json.hpp>
#include <string>

#include "kube/lease.h"
#include "support/api_server.h"
#include "support/eventually.h"
#include "support/tcp_proxy.h"
#include "unit/kube/connect.h"
#include "whimbrel/kube/leader_elector.h"

namespace whimbrel::kube {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;
using testing::Eventually;
using testing::SharedApiServer;
using testing::TcpProxy;

/// A candidate with its own connection, as a process has it.
struct Candidate {
  Candidate(const std::filesystem::path& kubeconfig, LeaderElectionOptions options)
      : client(Connect(kubeconfig)), elector(*client, std::move(options)) {}

  std::unique_ptr<ObjectClient> client;
  LeaderElector elector;
};

class LeaderElectorApiTest : public ::testing::Test {
 protected:
  /// Short enough to wait for, long enough for a machine that does not go on for seconds.
  [[nodiscard]] LeaderElectionOptions Options(const std::string& identity) const {
    return {.lease = {.ns = ns_, .name = "election"},
            .identity = identity,
            .lease_duration = seconds(6),
            .renew_deadline = seconds(5),
            .retry_period = milliseconds(200)};
  }
  std::unique_ptr<Candidate> Begin(const std::string& identity) {
    return std::make_unique<Candidate>(api_.kubeconfig(), Options(identity));
  }
  std::string LeaseField(const std::string& field) {
    return api_.MustKubectl(
        {"-n", ns_, "get", "lease", "election", "-o", "jsonpath={.spec." + field + "}"});
  }

  testing::ApiServer& api_ = SharedApiServer();
  std::string ns_ = api_.CreateNamespace();
};

TEST_F(LeaderElectorApiTest, WritesALeaseAsClientGoDoes) {
  auto leader = Begin("first");
  ASSERT_TRUE(leader->elector.WaitUntilLeading({}));
  EXPECT_EQ(LeaseField("holderIdentity"), "first");
  EXPECT_EQ(LeaseField("leaseDurationSeconds"), "6");
  EXPECT_EQ(LeaseField("leaseTransitions"), "0");
  const std::string acquired = LeaseField("acquireTime");
  EXPECT_TRUE(ParseRfc3339(acquired)) << acquired;
  EXPECT_TRUE(Eventually([&] { return LeaseField("renewTime") > acquired; }));
  EXPECT_EQ(LeaseField("acquireTime"), acquired);
}

TEST_F(LeaderElectorApiTest, TakesOverFromALeaderThatIsGoneWithoutAWord) {
  auto first = Begin("first");
  ASSERT_TRUE(first->elector.WaitUntilLeading({}));
  auto second = Begin("second");
  first.reset();
  EXPECT_TRUE(second->elector.WaitUntilLeading({}));
  EXPECT_EQ(LeaseField("holderIdentity"), "second");
  EXPECT_EQ(LeaseField("leaseTransitions"), "1");
}

TEST_F(LeaderElectorApiTest, TakesOverAtOnceFromALeaderThatHandsOver) {
  LeaderElectionOptions patient = Options("first");
  patient.lease_duration = seconds(3600);
  Candidate first(api_.kubeconfig(), patient);
  ASSERT_TRUE(first.elector.WaitUntilLeading({}));
  auto second = Begin("second");
  first.elector.Release();
  EXPECT_TRUE(second->elector.WaitUntilLeading({})) << "not an hour later";
  EXPECT_EQ(LeaseField("leaseTransitions"), "1");
}

TEST_F(LeaderElectorApiTest, LosesBehindANetworkThatIsGoneBeforeTheOtherLeads) {
  TcpProxy network(api_.port());
  Candidate first(
      api_.KubeconfigFor("https://127.0.0.1:" + std::to_string(network.port()), "behind-proxy"),
      Options("first"));
  ASSERT_TRUE(first.elector.WaitUntilLeading({}));
  auto second = Begin("second");
  network.BlackHole();
  ASSERT_TRUE(second->elector.WaitUntilLeading({}));
  EXPECT_FALSE(first.elector.may_work());
  EXPECT_TRUE(Eventually([&] { return first.elector.lost().stop_requested(); }));
}

TEST_F(LeaderElectorApiTest, KeepsLeadingThroughARestartOfTheApiServerAndAnEditedLabel) {
  LeaderElectionOptions patient = Options("first");
  patient.lease_duration = seconds(120);
  patient.renew_deadline = seconds(100);
  Candidate first(api_.kubeconfig(), patient);
  ASSERT_TRUE(first.elector.WaitUntilLeading({}));
  api_.Kill9();
  api_.Start();
  const std::string renewed = LeaseField("renewTime");
  EXPECT_TRUE(Eventually([&] { return LeaseField("renewTime") > renewed; }));
  api_.MustKubectl({"-n", ns_, "label", "lease", "election", "team=a"});
  const std::string labelled = LeaseField("renewTime");
  EXPECT_TRUE(Eventually([&] { return LeaseField("renewTime") > labelled; }));
  EXPECT_EQ(api_.MustKubectl(
                {"-n", ns_, "get", "lease", "election", "-o", "jsonpath={.metadata.labels.team}"}),
            "a");
  EXPECT_FALSE(first.elector.lost().stop_requested());
}

TEST_F(LeaderElectorApiTest, MakesADeletedLeaseAgain) {
  auto first = Begin("first");
  ASSERT_TRUE(first->elector.WaitUntilLeading({}));
  api_.MustKubectl({"-n", ns_, "delete", "lease", "election"});
  EXPECT_TRUE(Eventually([&] {
    return api_.Kubectl({"-n", ns_, "get", "lease", "election"}).exit_code == 0;
  }));
  EXPECT_FALSE(first->elector.lost().stop_requested());
}

TEST_F(LeaderElectorApiTest, NeverMakesADeletedLeaseByAnUpdate) {
  // Leases may be created by PUT: the uid alone tells an update of the old one from a new one.
  const auto client = Connect(api_.kubeconfig());
  const ObjectKey key{.ns = ns_, .name = "election"};
  const auto made = client->Create(Leases(), NewLeaseObject(key, {.holder = "a"}), {});
  ASSERT_FALSE(made) << "the server wants a duration";
  const LeaseRecord record{.holder = "a",
                           .duration_seconds = 15,
                           .acquire_time = "2026-01-02T03:04:05.000000Z",
                           .renew_time = "2026-01-02T03:04:05.000000Z"};
  const auto stored = client->Create(Leases(), NewLeaseObject(key, record), {});
  ASSERT_TRUE(stored) << stored.error().ToString();
  EXPECT_EQ(ParseLease(*stored).record, record);
  ASSERT_TRUE(client->Delete(Leases(), key, "", {}));
  const auto updated = client->Update(Leases(), UpdatedLeaseObject(*stored, record), {});
  ASSERT_FALSE(updated);
  EXPECT_TRUE(updated.error().IsConflict() || updated.error().IsNotFound())
      << updated.error().ToString();
}

}  // namespace
}  // namespace whimbrel::kube
