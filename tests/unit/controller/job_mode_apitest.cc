#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

#include "support/api_server.h"
#include "support/eventually.h"
#include "unit/controller/fake_node.h"
#include "unit/controller/job_process.h"
#include "unit/controller/manifests.h"
#include "unit/controller/simulation.h"

namespace whimbrel::controller {
namespace {

using nlohmann::json;
using testing::Applied;
using testing::FakeNode;
using ::testing::HasSubstr;
using testing::JobProcess;
using whimbrel::testing::ApiServer;
using whimbrel::testing::Eventually;
using whimbrel::testing::EventuallyEquals;
using whimbrel::testing::SharedApiServer;

class JobModeTest : public ::testing::Test {
 protected:
  static void SetUpTestSuite() {
    SharedApiServer().MustKubectl({"apply", "-f", testing::kCrdFile});
    SharedApiServer().AwaitEstablished("databasemigrations.whimbrel.dev");
  }

  JobModeTest() {
    Start();
    Apply(testing::ConfigMapYaml("orders-sql", "select 1"));
    Apply(Migration());
  }

  void Start() { process_ = std::make_unique<JobProcess>(server_.kubeconfig(), ns_); }
  void Restart() {
    process_.reset();
    Start();
  }
  static std::string Migration(const std::string& more_spec = "") {
    std::string yaml = testing::MigrationYaml("orders", more_spec);
    const std::string mode = "  execution: {mode: InProcess}\n";
    return yaml.replace(yaml.find(mode), mode.size(),
                        "  execution: {mode: Job, retry: {initialSeconds: 1, maxSeconds: 1}}\n");
  }
  void Apply(const std::string& yaml) { Kubectl({"apply", "-f", "-"}, yaml); }
  std::string Kubectl(std::vector<std::string> arguments, const std::string& input = "") {
    arguments.insert(arguments.begin(), {"-n", ns_});
    return server_.MustKubectl(std::move(arguments), input);
  }
  json Status() {
    const auto object = client_->Get(DatabaseMigrations(), {.ns = ns_, .name = "orders"}, {});
    return object ? object->value("status", json::object()) : json::object();
  }
  std::string Ready(const char* field) {
    for (const json& condition : Status().value("conditions", json::array())) {
      if (condition.at("type") == "Ready") return condition.value(field, "");
    }
    return "";
  }
  void ExpectReason(const std::string& reason) {
    EXPECT_TRUE(EventuallyEquals<std::string>([&] { return Ready("reason"); }, reason))
        << Status().dump(1);
  }
  /// The first Job's pod, on its node and running.
  std::string RunFirst() {
    job_ = node_.AwaitJob("orders");
    const std::string pod = node_.CreatePod(job_);
    node_.Run(pod);
    return pod;
  }
  static report::RunReport Success() { return Applied({"1"}); }

  ApiServer& server_ = SharedApiServer();
  std::string ns_ = server_.CreateNamespace();
  std::unique_ptr<kube::ObjectClient> client_ = testing::Connect(server_.kubeconfig());
  FakeNode node_{*client_, ns_};
  std::unique_ptr<JobProcess> process_;
  json job_;
};

TEST_F(JobModeTest, BecomesReadyByTheReportThatThePodLeaves) {
  const std::string pod = RunFirst();
  EXPECT_EQ(job_.at("spec").at("template").at("spec").at("containers").at(0).at("image"),
            testing::kRunnerImage);
  node_.End(pod, Success());
  ExpectReason("UpToDate");
  const json run = Status().at("run");
  EXPECT_EQ(run.at("jobName"), job_.at("metadata").at("name"));
  EXPECT_EQ(run.at("podName"), pod);
  EXPECT_EQ(Status().at("source").at("resolved").at(0).at("name"), "orders-sql");
  node_.FinishJob(job_, true);
  EXPECT_EQ(node_.Jobs().size(), 1u) << "kept for its log";
}

TEST_F(JobModeTest, FollowsTheJobThatAnotherProcessMade) {
  const std::string pod = RunFirst();
  Restart();
  node_.End(pod, Success());
  ExpectReason("UpToDate");
  EXPECT_EQ(node_.Jobs().size(), 1u);
  EXPECT_EQ(Status().at("source").at("resolved").at(0).at("name"), "orders-sql")
      << "from the Job's annotation";
}

TEST_F(JobModeTest, ShowsThatAnImageCannotBePulledAndGoesOnWhenItCan) {
  job_ = node_.AwaitJob("orders");
  const std::string pod = node_.CreatePod(job_);
  node_.Wait(pod, "ImagePullBackOff", "Back-off pulling image");
  ExpectReason("ImagePullFailed");
  EXPECT_THAT(Ready("message"), HasSubstr("Back-off pulling image"));
  node_.Run(pod);
  ExpectReason("Migrating");
  node_.End(pod, Success());
  ExpectReason("UpToDate");
}

TEST_F(JobModeTest, ShowsThatNoNodeTakesThePod) {
  job_ = node_.AwaitJob("orders");
  const std::string pod = node_.CreatePod(job_);
  node_.SetPod(pod, {{"phase", "Pending"},
                     {"conditions",
                      {{{"type", "PodScheduled"},
                        {"status", "False"},
                        {"reason", "Unschedulable"},
                        {"message", "0/3 nodes are available: 3 Insufficient memory."}}}}});
  ExpectReason("JobPending");
  EXPECT_THAT(Ready("message"), HasSubstr("3 Insufficient memory"));
}

TEST_F(JobModeTest, ShowsThatAQuotaKeepsThePodAway) {
  job_ = node_.AwaitJob("orders");
  node_.RefusePod(job_, "Error creating: pods \"x\" is forbidden: exceeded quota: tiny");
  ExpectReason("JobPending");
  EXPECT_TRUE(Eventually([&] {
    return Ready("message").find("exceeded quota") != std::string::npos;
  })) << Ready("message");
  node_.End(node_.CreatePod(job_), Success());
  ExpectReason("UpToDate");
}

TEST_F(JobModeTest, StartsAnotherJobWhenThePodWasEvictedAndCountsNoTry) {
  const std::string pod = RunFirst();
  node_.SetPod(pod, {{"phase", "Failed"},
                     {"reason", "Evicted"},
                     {"message", "The node was low on resource: memory."}});
  const json second = node_.AwaitJob("orders", 2);
  EXPECT_EQ(Status().at("run").value("retries", 0), 0);
  node_.End(node_.CreatePod(second), Success());
  ExpectReason("UpToDate");
}

TEST_F(JobModeTest, CountsATryWhenTheRunnerHadTooLittleMemory) {
  const std::string pod = RunFirst();
  node_.End(pod, 137, "OOMKilled", "");
  const json second = node_.AwaitJob("orders", 2);
  EXPECT_EQ(Status().at("run").at("retries"), 1);
  EXPECT_THAT(Ready("message"), HasSubstr("memory"));
  node_.End(node_.CreatePod(second), Success());
  ExpectReason("UpToDate");
}

TEST_F(JobModeTest, HearsTheLastWordsOfAPodThatIsGoneAtOnce) {
  const std::string pod = RunFirst();
  process_.reset();
  node_.End(pod, Success());
  Start();
  ExpectReason("UpToDate");
}

TEST_F(JobModeTest, LooksAgainWhenSomebodyDeletedJobAndPod) {
  const std::string pod = RunFirst();
  Kubectl({"delete", "job", job_.at("metadata").at("name"), "--cascade=background"});
  node_.RemovePod(pod);
  Kubectl({"delete", "pod", pod, "--force", "--grace-period=0", "--ignore-not-found"});
  const json second = node_.AwaitJob("orders", 2);
  node_.End(node_.CreatePod(second), Success());
  ExpectReason("UpToDate");
}

TEST_F(JobModeTest, EndsTheJobWhenItIsCancelledAndWaitsForThePod) {
  const std::string pod = RunFirst();
  Kubectl({"annotate", "dbmig", "orders", "whimbrel.dev/cancel-requested-at=2026-11-21T10:00:00Z"});
  EXPECT_TRUE(Eventually([&] {
    const std::vector<json> jobs = node_.Jobs();
    return jobs.empty() || jobs[0].at("metadata").contains("deletionTimestamp");
  }));
  report::RunReport cancelled;
  cancelled.failure = report::Failure{.reason = report::Reason::kCancelled, .message = "cancelled"};
  node_.End(pod, cancelled);
  ExpectReason("Cancelled");
}

TEST_F(JobModeTest, RunsAgainAfterAnEditOfTheFilesButNotBeforeTheEnd) {
  const std::string pod = RunFirst();
  Apply(testing::ConfigMapYaml("orders-sql", "select 2"));
  EXPECT_EQ(node_.Jobs().size(), 1u);
  node_.End(pod, Success());
  const json second = node_.AwaitJob("orders", 2);
  EXPECT_NE(second.at("metadata").at("annotations").at(std::string(kDigestAnnotation)),
            job_.at("metadata").at("annotations").at(std::string(kDigestAnnotation)));
}

TEST_F(JobModeTest, WaitsForTheOldPodWhenStatusIsLost) {
  const std::string pod = RunFirst();
  process_.reset();
  Kubectl({"patch", "dbmig", "orders", "--subresource=status", "--type=json", "-p",
           R"([{"op": "remove", "path": "/status/run"}])"});
  Start();
  ExpectReason("JobPending");
  EXPECT_EQ(node_.Jobs().size(), 1u);
  node_.End(pod, Success());
  const json second = node_.AwaitJob("orders", 2);
  node_.End(node_.CreatePod(second), Success());
  ExpectReason("UpToDate");
}

TEST_F(JobModeTest, SaysThatTheJobIsRefusedAndTriesAgain) {
  // The usage that the controller manager would keep; without it nothing is enforced.
  Kubectl({"create", "quota", "none", "--hard=count/jobs.batch=1"});
  Kubectl(
      {"patch", "quota", "none", "--subresource=status", "--type=merge", "-p",
       R"({"status": {"hard": {"count/jobs.batch": "1"}, "used": {"count/jobs.batch": "1"}}})"});
  node_.End(node_.CreatePod(node_.AwaitJob("orders")), Success());
  ExpectReason("UpToDate");
  Apply(testing::ConfigMapYaml("orders-sql", "select 2"));
  ExpectReason("JobRejected");
  EXPECT_THAT(Ready("message"), HasSubstr("quota"));
  Kubectl({"delete", "quota", "none"});
  ExpectReason("Migrating");
}

/// What the install's policy says while the API server has not seen the resource yet.
TEST_F(JobModeTest, APolicyThatIsBehindIsWaitedForAndStallsNothing) {
  const std::string pod = RunFirst();
  const std::string policy = R"(
apiVersion: admissionregistration.k8s.io/v1
kind: ValidatingAdmissionPolicy
metadata: {name: whimbrel-job-owner}
spec:
  matchConstraints:
    namespaceSelector: {matchLabels: {kubernetes.io/metadata.name: )" +
                             ns_ + R"(}}
    resourceRules:
      - {apiGroups: [batch], apiVersions: [v1], resources: [jobs], operations: [CREATE]}
  validations: [{expression: "false"}]
---
apiVersion: admissionregistration.k8s.io/v1
kind: ValidatingAdmissionPolicyBinding
metadata: {name: whimbrel-job-owner}
spec: {policyName: whimbrel-job-owner, validationActions: [Deny]}
)";
  Apply(policy);
  const std::vector<std::string> try_job = {"-n",  ns_,         "create",          "job",
                                            "try", "--image=x", "--dry-run=server"};
  ASSERT_TRUE(Eventually([&] { return server_.Kubectl(try_job).exit_code != 0; }));
  Apply(testing::ConfigMapYaml("orders-sql", "select 2"));
  node_.End(pod, Success());
  ExpectReason("JobPending");
  EXPECT_THAT(Ready("message"), HasSubstr("whimbrel-job-owner"));
  Kubectl({"delete", "-f", "-"}, policy);
  ExpectReason("Migrating");
}

}  // namespace
}  // namespace whimbrel::controller
