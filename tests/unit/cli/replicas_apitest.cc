// Several `whimbrel controller --leader-elect` processes on a real API server with a real
// PostgreSQL: one works, and when it goes, in whatever way, another goes on.

#include <httplib.h>

#include <atomic>
#include <csignal>
#include <memory>
#include <string>

#include "support/api_fault_proxy.h"
#include "support/tcp_proxy.h"
#include "unit/cli/cluster_fixture.h"

namespace whimbrel::cli {
namespace {

using ::testing::HasSubstr;
using whimbrel::testing::Eventually;
using whimbrel::testing::Subprocess;

/// Sleeps until the test has made the table `go`; only for those who come before.
constexpr const char* kOnceSlowly =
    "CREATE TABLE IF NOT EXISTS once (n int);\nINSERT INTO once VALUES (1);\n"
    "SELECT pg_sleep(600) WHERE to_regclass('go') IS NULL;";
constexpr const char* kOnce =
    "CREATE TABLE IF NOT EXISTS once (n int);\nINSERT INTO once VALUES (1);";

bool Says(const Subprocess& process, const std::string& what) {
  return process.err().find(what) != std::string::npos;
}

class ReplicasTest : public ClusterTest {
 protected:
  /// Lease times short enough to wait for and long enough for a machine that stalls for seconds.
  std::unique_ptr<Subprocess> StartReplica(const std::string& lease_duration = "10s",
                                           int grace_seconds = 30) {
    return StartController(
        {"--graceful-shutdown-timeout-seconds", std::to_string(grace_seconds), "--leader-elect",
         "--leader-elect-resource-namespace", ns_, "--leader-elect-lease-duration", lease_duration,
         "--leader-elect-renew-deadline=8s", "--leader-elect-retry-period=500ms",
         "--metrics-bind-address=127.0.0.1:0", "--runner-image=registry.example/whimbrel:1"});
  }
  /// One that leads, then one that stands by.
  void StartTwo() {
    leader_ = StartReplica();
    ASSERT_TRUE(BecomesLeader(*leader_));
    standby_ = StartReplica();
    ASSERT_TRUE(standby_->WaitForErr([](const std::string& text) {
      return text.find("another replica leads") != std::string::npos;
    })) << standby_->err();
  }
  static ::testing::AssertionResult BecomesLeader(Subprocess& process) {
    const bool leads = process.WaitForErr([](const std::string& text) {
      return text.find("controller started") != std::string::npos;
    });
    if (leads) return ::testing::AssertionSuccess();
    return ::testing::AssertionFailure() << process.err();
  }
  void ApplyAll(const std::string& sql) { ApplyAll(sql, database_); }
  void ApplyAll(const std::string& sql, const whimbrel::testing::PgTarget& database) {
    Apply(SecretYaml("db", database));
    Apply(ConfigMapYaml("files", "001_once.sql", sql));
    Apply(MigrationYaml("app", "db", "files"));
  }
  ::testing::AssertionResult Sleeps() {
    return Eventually([&] { return Sleeping() == "1"; });
  }
  std::string Sleeping() {
    return sql_.Scalar(
        "SELECT count(*) FROM pg_stat_activity WHERE query LIKE '%pg_sleep%' AND application_name "
        "LIKE 'whimbrel/%' AND datname = current_database()");
  }
  std::string LeaseHolder() {
    return Kubectl(
        {"get", "lease", "whimbrel-controller", "-o", "jsonpath={.spec.holderIdentity}"});
  }

  /// What somebody who asks one of its endpoints gets, after the status.
  static std::string Ask(Subprocess& process, const std::string& endpoint,
                         const std::string& path) {
    const std::string field = R"("msg":"serving )" + endpoint + R"(","port":)";
    EXPECT_TRUE(process.WaitForErr([&](const std::string& text) {
      return text.find(field) != std::string::npos &&
             text.find('\n', text.find(field)) != std::string::npos;
    })) << process.err();
    const std::string log = process.err();
    const std::string port = log.substr(log.find(field) + field.size());
    httplib::Client client("127.0.0.1", std::stoi(port));
    const auto answer = client.Get(path.c_str());
    return answer ? std::to_string(answer->status) + " " + answer->body : "none";
  }
  static std::string Probe(Subprocess& process, const std::string& path) {
    return Ask(process, "probes", path);
  }

  std::unique_ptr<Subprocess> leader_;
  std::unique_ptr<Subprocess> standby_;
};

TEST_F(ReplicasTest, OnlyTheLeaderWorks) {
  ASSERT_NO_FATAL_FAILURE(StartTwo());
  ApplyAll(kOnce);
  EXPECT_TRUE(BecomesReady("app"));
  EXPECT_EQ(sql_.Scalar("SELECT count(*) FROM once"), "1");
  EXPECT_TRUE(Says(*leader_, "starting a run"));
  EXPECT_FALSE(Says(*standby_, "controller started")) << standby_->err();
  EXPECT_TRUE(Says(*leader_, "\"identity\":\"" + LeaseHolder() + "\"")) << leader_->err();
}

TEST_F(ReplicasTest, MetricsTellWhoLeads) {
  ASSERT_NO_FATAL_FAILURE(StartTwo());
  const std::string leads = "leader_election_master_status{name=\"whimbrel-controller\"} ";
  EXPECT_THAT(Ask(*leader_, "metrics", "/metrics"), HasSubstr(leads + "1"));
  EXPECT_THAT(Ask(*standby_, "metrics", "/metrics"), HasSubstr(leads + "0"));
  EXPECT_THAT(Ask(*standby_, "metrics", "/metrics"), HasSubstr("rest_client_requests_total"));
}

TEST_F(ReplicasTest, WhoLeadsAndWhoStandsByAreReadyAlsoWithoutAnApiServer) {
  ASSERT_NO_FATAL_FAILURE(StartTwo());
  for (const auto& process : {leader_.get(), standby_.get()}) {
    EXPECT_TRUE(Eventually([&] { return Probe(*process, "/readyz") == "200 ok"; }));
    EXPECT_EQ(Probe(*process, "/healthz"), "200 ok");
    EXPECT_THAT(Probe(*process, "/healthz?verbose"), HasSubstr("[+]leaderElection ok"));
  }
  api_.Kill9();
  EXPECT_EQ(Probe(*standby_, "/readyz"), "200 ok");
  EXPECT_EQ(Probe(*standby_, "/healthz"), "200 ok");
  EXPECT_EQ(leader_->Wait(), 1);
  api_.Start();
}

TEST_F(ReplicasTest, ALeaderThatCannotListYetIsHealthyAndNotReadyAndGoesOnAsking) {
  std::atomic<bool> overloaded = true;
  const whimbrel::testing::ApiFaultProxy proxy(
      api_, [&](const whimbrel::testing::ApiRequest& request) -> whimbrel::testing::ApiFault {
        const bool refuse = overloaded && request.target.find("/leases") == std::string::npos;
        return {.refuse_with = refuse ? 503 : 0};
      });
  Subprocess controller(
      {.argv = {WHIMBREL_BINARY, "controller", "--kubeconfig",
                api_.KubeconfigFor(proxy.url(), "overloaded").string(), "--watch-namespaces", ns_,
                "--leader-elect", "--leader-elect-resource-namespace", ns_,
                "--health-probe-bind-address", "127.0.0.1:0"},
       .last_signal = SIGKILL});
  EXPECT_TRUE(controller.WaitForErr([](const std::string& text) {
    return text.find("does not answer yet") != std::string::npos;
  })) << controller.err();
  EXPECT_THAT(Probe(controller, "/readyz"), HasSubstr("500"));
  EXPECT_EQ(Probe(controller, "/healthz"), "200 ok");
  overloaded = false;
  EXPECT_TRUE(BecomesLeader(controller));
  EXPECT_TRUE(Eventually([&] { return Probe(controller, "/readyz") == "200 ok"; }));
}

TEST_F(ReplicasTest, AnotherTakesOverFromALeaderThatIsKilledInTheMiddleOfARun) {
  ASSERT_NO_FATAL_FAILURE(StartTwo());
  ApplyAll(kOnceSlowly);
  ASSERT_TRUE(Sleeps());
  sql_.Exec("CREATE TABLE go ()");
  leader_->Signal(SIGKILL);
  EXPECT_EQ(leader_->Wait(), 128 + SIGKILL);
  ASSERT_TRUE(BecomesLeader(*standby_));
  EXPECT_TRUE(BecomesReady("app"));
  EXPECT_EQ(sql_.Scalar("SELECT count(*) FROM once"), "1");
}

TEST_F(ReplicasTest, ALeaderThatSleptThroughItsLeaseEndsAndUndoesItsRun) {
  ASSERT_NO_FATAL_FAILURE(StartTwo());
  ApplyAll(kOnceSlowly);
  ASSERT_TRUE(Sleeps());
  leader_->Signal(SIGSTOP);
  ASSERT_TRUE(BecomesLeader(*standby_));
  // Its session lives and holds the lock: what it had begun is not begun a second time.
  ASSERT_TRUE(GetsReason("app", "WaitingForLock"));
  sql_.Exec("CREATE TABLE go ()");
  leader_->Signal(SIGCONT);
  EXPECT_EQ(leader_->Wait(), 1) << leader_->err();
  EXPECT_TRUE(Says(*leader_, "stopped leading: the lease is lost")) << leader_->err();
  EXPECT_TRUE(BecomesReady("app"));
  EXPECT_EQ(sql_.Scalar("SELECT count(*) FROM once"), "1");
  EXPECT_TRUE(standby_->running());
}

TEST_F(ReplicasTest, SigtermHandsOver) {
  // So long that nobody would see the end of a lease that was not handed over.
  leader_ = StartReplica("1h");
  ASSERT_TRUE(BecomesLeader(*leader_));
  standby_ = StartReplica();
  ApplyAll(kOnceSlowly);
  ASSERT_TRUE(Sleeps());
  sql_.Exec("CREATE TABLE go ()");
  leader_->Signal(SIGTERM);
  EXPECT_EQ(leader_->Wait(), 0) << leader_->err();
  EXPECT_TRUE(Says(*leader_, "handed over")) << leader_->err();
  ASSERT_TRUE(BecomesLeader(*standby_));
  EXPECT_TRUE(BecomesReady("app"));
  EXPECT_EQ(sql_.Scalar("SELECT count(*) FROM once"), "1");
}

TEST_F(ReplicasTest, AJobOutlivesItsControllerAndIsTakenOver) {
  ASSERT_NO_FATAL_FAILURE(StartTwo());
  // Nobody runs Jobs here, so they stay as they were made.
  const auto jobs = [&] {
    return Kubectl({"get", "jobs", "--sort-by=.metadata.creationTimestamp", "-o",
                    "jsonpath={.items[*].metadata.uid}"});
  };
  Apply(SecretYaml("db", database_));
  Apply(ConfigMapYaml("files", "001_once.sql", kOnce));
  Apply(MigrationYaml("app", "db", "files", "  execution: {}\n"));
  ASSERT_TRUE(Eventually([&] { return !jobs().empty(); })) << leader_->err();
  const std::string job = jobs();
  leader_->Signal(SIGTERM);
  EXPECT_EQ(leader_->Wait(), 0) << leader_->err();
  ASSERT_TRUE(BecomesLeader(*standby_));
  Apply(MigrationYaml("next", "db", "files", "  execution: {}\n"));
  ASSERT_TRUE(Eventually([&] { return jobs().size() > job.size(); })) << standby_->err();
  EXPECT_TRUE(jobs().starts_with(job + " ")) << "the first is there, as it was";
  EXPECT_EQ(jobs().size(), 2 * job.size() + 1) << "and each resource has one";
}

TEST_F(ReplicasTest, AStandbyEndsAtOnceAndLeavesTheLeaseAlone) {
  ASSERT_NO_FATAL_FAILURE(StartTwo());
  const std::string holder = LeaseHolder();
  standby_->Signal(SIGTERM);
  EXPECT_EQ(standby_->Wait(), 0) << standby_->err();
  EXPECT_EQ(LeaseHolder(), holder);
}

TEST_F(ReplicasTest, ASecondSignalEndsAtOnce) {
  leader_ = StartReplica();
  ASSERT_TRUE(BecomesLeader(*leader_));
  api_.Kill9();  // So that the lease cannot be handed over soon.
  leader_->Signal(SIGTERM);
  ASSERT_TRUE(leader_->WaitForErr(
      [](const std::string& text) { return text.find("stopping") != std::string::npos; }));
  leader_->Signal(SIGTERM);
  EXPECT_EQ(leader_->Wait(), 1);
  api_.Start();
}

TEST_F(ReplicasTest, EndsWhenTheApiServerIsGoneForLongerThanTheLease) {
  leader_ = StartReplica();
  ASSERT_TRUE(BecomesLeader(*leader_));
  ApplyAll(kOnceSlowly);
  ASSERT_TRUE(Sleeps());
  api_.Kill9();
  EXPECT_EQ(leader_->Wait(), 1) << leader_->err();
  // Cancelled in the server before another one may lead, not left to be found out.
  EXPECT_TRUE(Eventually([&] { return Sleeping() == "0"; }));
  EXPECT_EQ(sql_.Scalar("SELECT to_regclass('once') IS NULL"), "t");
  api_.Start();
}

/// A run that cannot be cancelled: nothing passes to its database any more.
class StuckRunTest : public ReplicasTest {
 protected:
  void GetStuck(int grace_seconds) {
    leader_ = StartReplica("10s", grace_seconds);
    ASSERT_TRUE(BecomesLeader(*leader_));
    ApplyAll(kOnceSlowly, database_.WithPort(network_.port()));
    ASSERT_TRUE(Sleeps());
    network_.BlackHole();
  }

  whimbrel::testing::TcpProxy network_{database_.port};
};

TEST_F(StuckRunTest, EndsTheProcessWhenItsGraceIsOver) {
  ASSERT_NO_FATAL_FAILURE(GetStuck(1));
  leader_->Signal(SIGTERM);
  EXPECT_EQ(leader_->Wait(), 1);
  EXPECT_TRUE(Says(*leader_, "the orderly end took longer")) << leader_->err();
}

TEST_F(StuckRunTest, EndsTheProcessBeforeAnotherOneMayLead) {
  ASSERT_NO_FATAL_FAILURE(GetStuck(600));
  api_.Kill9();
  EXPECT_EQ(leader_->Wait(), 1);
  EXPECT_TRUE(Says(*leader_, "the lease is over and the work has not ended")) << leader_->err();
  api_.Start();
}

TEST_F(ReplicasTest, RefusesLeaseTimesThatLeaveNoTime) {
  leader_ = StartReplica("8s");
  EXPECT_EQ(leader_->Wait(), 2);
  EXPECT_THAT(leader_->err(), HasSubstr("the lease duration must be over the renew deadline"));
  leader_ = StartReplica("15");
  EXPECT_EQ(leader_->Wait(), 2);
  EXPECT_THAT(leader_->err() + leader_->out(), HasSubstr("as in 15s"));
}

}  // namespace
}  // namespace whimbrel::cli
