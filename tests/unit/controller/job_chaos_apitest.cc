// Runs as Jobs under an API server that refuses and loses answers: what is uncertain then must
// neither be done twice nor be given up. WHIMBREL_API_CHAOS_SEED is another day.

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <atomic>
#include <chrono>
#include <cstdint>
#include <cstdlib>
#include <functional>
#include <map>
#include <memory>
#include <nlohmann/json.hpp>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "support/api_fault_dice.h"
#include "support/api_fault_proxy.h"
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
using ::testing::IsEmpty;
using testing::JobProcess;
using whimbrel::testing::ApiFault;
using whimbrel::testing::ApiFaultDice;
using whimbrel::testing::ApiFaultProxy;
using whimbrel::testing::ApiRequest;
using whimbrel::testing::ApiServer;
using whimbrel::testing::Eventually;
using whimbrel::testing::SharedApiServer;

constexpr std::chrono::minutes kDeadline{3};

std::string OwnerOf(const json& job) {
  return job.at("metadata").at("ownerReferences").at(0).at("name");
}

/// A failure that counts against the limit of retries.
report::RunReport CountedFailure() {
  report::RunReport report;
  report.transient = true;
  report.failure = report::Failure{.reason = report::Reason::kMigrationFailed,
                                   .message = "canceling statement due to lock timeout"};
  return report;
}

/// Plays the cluster's part for all Jobs of a namespace, and watches that a resource has one at a
/// time. Each Job lives for some turns, so that a second one beside it would be seen.
class Cluster {
 public:
  /// What the run of a Job comes to.
  using Script = std::function<report::RunReport(const json& job)>;

  Cluster(const FakeNode& node, Script script) : node_(node), script_(std::move(script)) {}

  void Turn() {
    std::map<std::string, std::vector<std::string>> active;
    for (const json& job : node_.Jobs()) {
      const json& metadata = job.at("metadata");
      if (IsOver(job) || metadata.contains("deletionTimestamp")) continue;
      active[OwnerOf(job)].push_back(metadata.at("name"));
      Advance(job, ages_[metadata.at("name")]++);
    }
    for (const auto& [owner, jobs] : active) {
      if (jobs.size() > 1) overlaps_.insert(json(jobs).dump());
    }
  }
  /// The Jobs that were active at the same time.
  [[nodiscard]] const std::set<std::string>& overlaps() const { return overlaps_; }
  /// How many Jobs there have ever been.
  [[nodiscard]] std::size_t jobs() const { return ages_.size(); }

 private:
  static constexpr int kLastTurn = 4;

  void Advance(const json& job, int age) {
    const std::string name = job.at("metadata").at("name");
    if (age == 1) pods_[name] = node_.CreatePod(job);
    if (age == 2) node_.Run(pods_.at(name));
    if (age != kLastTurn) return;
    const report::RunReport report = script_(job);
    node_.End(pods_.at(name), report);
    node_.FinishJob(job, report.succeeded);
  }
  static bool IsOver(const json& job) {
    for (const json& condition : job.value("/status/conditions"_json_pointer, json::array())) {
      const std::string type = condition.at("type");
      if (type == "Complete" || type == "Failed") return true;
    }
    return false;
  }

  const FakeNode& node_;
  const Script script_;
  std::map<std::string, int> ages_;
  std::map<std::string, std::string> pods_;
  std::set<std::string> overlaps_;
};

class JobChaosTest : public ::testing::Test {
 protected:
  static void SetUpTestSuite() {
    SharedApiServer().MustKubectl({"apply", "-f", testing::kCrdFile});
    SharedApiServer().AwaitEstablished("databasemigrations.whimbrel.dev");
  }

  static std::string Migration(const std::string& name) {
    std::string yaml = testing::MigrationYaml(name);
    const std::string mode = "  execution: {mode: InProcess}\n";
    return yaml.replace(yaml.find(mode), mode.size(),
                        "  execution: {mode: Job, retry: {initialSeconds: 1, maxSeconds: 1}}\n");
  }
  void Apply(const std::string& yaml) {
    server_.MustKubectl({"-n", ns_, "apply", "-f", "-"}, yaml);
  }
  json StatusOf(const std::string& name) const {
    const auto object = client_->Get(DatabaseMigrations(), {.ns = ns_, .name = name}, {});
    return object ? object->value("status", json::object()) : json::object();
  }
  /// Ready, at the files that it has now.
  bool IsReady(const std::string& name, const std::string& before_digest = "") const {
    const json status = StatusOf(name);
    const std::string digest = status.value("/run/sourceDigest"_json_pointer, "");
    if (digest.empty() || digest == before_digest) return false;
    for (const json& condition : status.value("conditions", json::array())) {
      if (condition.at("type") == "Ready") return condition.at("status") == "True";
    }
    return false;
  }

  ApiServer& server_ = SharedApiServer();
  std::string ns_ = server_.CreateNamespace();
  std::unique_ptr<kube::ObjectClient> client_ = testing::Connect(server_.kubeconfig());
  FakeNode node_{*client_, ns_};
};

/// The answer to the creation is lost, nobody can be asked whether it was stored, and the watch is
/// away: the worst that can come together.
TEST_F(JobChaosTest, AJobWhoseCreationIsUncertainIsNotMadeTwice) {
  std::atomic<int> made = 0;
  std::atomic<int> unanswered = 12;  // Of the questions for it by name; a pass asks three times.
  const ApiFaultProxy proxy(server_, [&](const ApiRequest& request) -> ApiFault {
    if (request.target.find("/jobs") == std::string::npos) return {};
    if (request.method == "POST") return {.cut_after = ++made == 1 ? 0 : SIZE_MAX};
    if (unanswered <= 0) return {};
    if (request.IsWatch()) return {.refuse_with = 500};
    const bool by_name = request.target.find("/jobs/") != std::string::npos;
    return {.refuse_with = by_name && unanswered.fetch_sub(1) > 0 ? 500 : 0};
  });
  const JobProcess process(server_.KubeconfigFor(proxy.url(), ns_), ns_);
  Apply(testing::ConfigMapYaml("orders-sql", "select 1"));
  Apply(Migration("orders"));
  Cluster cluster(node_, [](const json&) { return Applied({"1"}); });
  // It has no pod yet, by which a run of before would be known.
  ASSERT_TRUE(Eventually([&] { return unanswered <= 0 || made > 1; }));
  EXPECT_EQ(made, 1);
  EXPECT_TRUE(Eventually([&] {
    cluster.Turn();
    return IsReady("orders");
  })) << StatusOf("orders").dump(1);
  EXPECT_EQ(cluster.jobs(), 1u);
  EXPECT_EQ(StatusOf("orders").at("run").at("attempt"), 1);
}

TEST_F(JobChaosTest, EachResourceConvergesByOneJobAtATimeAndNoTryIsCountedTwice) {
  constexpr int kResources = 10;
  const char* seed = std::getenv("WHIMBREL_API_CHAOS_SEED");
  SCOPED_TRACE(seed == nullptr ? "WHIMBREL_API_CHAOS_SEED=1" : seed);
  ApiFaultDice dice(seed == nullptr ? 1 : std::strtoull(seed, nullptr, 10));
  const ApiFaultProxy proxy(server_, [&](const ApiRequest& request) {
    ApiFault fault = dice.Judge(request);
    // Cut, but not refused: that costs half a minute of backoff, in which nothing happens.
    if (request.IsWatch()) fault.refuse_with = 0;
    return fault;
  });
  const JobProcess process(server_.KubeconfigFor(proxy.url(), ns_), ns_);
  // Every other resource fails once with each state of its files.
  std::map<std::string, int> ends;
  Cluster cluster(node_, [&](const json& job) {
    const std::string owner = OwnerOf(job);
    const std::string digest =
        job.at("metadata").at("annotations").at(std::string(kDigestAnnotation));
    const bool fails = (owner.back() - '0') % 2 != 0 && ++ends[owner + " " + digest] == 1;
    return fails ? CountedFailure() : Applied({"1"});
  });
  std::map<std::string, std::string> digests;
  for (const char* sql : {"select 1", "select 2"}) {
    std::string yaml;
    for (int i = 0; i < kResources; ++i) {
      const std::string name = "orders-" + std::to_string(i);
      digests[name] = StatusOf(name).value("/run/sourceDigest"_json_pointer, "");
      yaml += testing::ConfigMapYaml(name + "-sql", sql) + "---\n" + Migration(name) + "---\n";
    }
    Apply(yaml);
    for (const auto& [name, before] : digests) {
      EXPECT_TRUE(Eventually(
          [&, name = name, before = before] {
            cluster.Turn();
            return IsReady(name, before);
          },
          kDeadline))
          << name << StatusOf(name).dump(1);
      const bool fails = (name.back() - '0') % 2 != 0;
      EXPECT_EQ(StatusOf(name).at("run").value("retries", 0), fails ? 1 : 0) << name;
    }
  }
  EXPECT_THAT(cluster.overlaps(), IsEmpty());
  EXPECT_GE(cluster.jobs(), 3u * kResources);
  EXPECT_GE(dice.Share(), 25) << "per cent of the requests refused";
}

}  // namespace
}  // namespace whimbrel::controller
