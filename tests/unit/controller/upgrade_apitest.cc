// Resources that an earlier Whimbrel served, under the CRD of that time and with the status that it
// wrote: the CRD of now is applied over it, and the controller of now goes on.

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

#include "support/api_server.h"
#include "support/eventually.h"
#include "support/temp_dir.h"
#include "unit/controller/fake_node.h"
#include "unit/controller/fake_runner.h"
#include "unit/controller/manifests.h"
#include "unit/controller/simulation.h"
#include "unit/kube/connect.h"
#include "whimbrel/controller/controller.h"

namespace whimbrel::controller {
namespace {

using nlohmann::json;
using testing::Applied;
using testing::FakeNode;
using testing::FakeRunner;
using whimbrel::testing::ApiServer;
using whimbrel::testing::Eventually;
using whimbrel::testing::EventuallyEquals;
using whimbrel::testing::ReadFile;
using whimbrel::testing::SharedApiServer;

constexpr const char* kOldCrd = WHIMBREL_SOURCE_DIR "/tests/fixtures/crd-before-jobs.yaml";
constexpr const char* kOldStatuses = WHIMBREL_SOURCE_DIR "/tests/fixtures/status-before-jobs.json";
/// Fields that a version had and a later one has no more: `retired`, of spec and of status.
constexpr const char* kAddRetiredFields =
    R"([{"op": "add", "path": "/spec/versions/0/schema/openAPIV3Schema/properties/spec/properties/retired",
         "value": {"type": "string"}},
        {"op": "add", "path": "/spec/versions/0/schema/openAPIV3Schema/properties/status/properties/retired",
         "value": {"type": "string"}}])";

std::optional<report::RunReport> Succeed(const report::RunRequest& request) {
  report::RunReport report = Applied({"1"});
  report.source_digest = request.source->digest;
  return report;
}

class UpgradeTest : public ::testing::Test {
 protected:
  UpgradeTest() {
    server_.MustKubectl({"apply", "-f", kOldCrd});
    server_.MustKubectl({"patch", "crd", "databasemigrations.whimbrel.dev", "--type=json", "-p",
                         kAddRetiredFields});
    EXPECT_TRUE(AwaitSchema("retired"));
    for (const char* yaml : {"orders-sql", "orders-db"}) objects_ += Object(yaml);
    Apply(objects_);
  }
  /// The other suites of this program want the CRD of now.
  ~UpgradeTest() override { Upgrade(); }

  static std::string Object(const std::string& name) {
    return (name.ends_with("-sql") ? testing::ConfigMapYaml(name, "select 1")
                                   : testing::SecretYaml(name)) +
           "---\n";
  }
  void Apply(const std::string& yaml) {
    server_.MustKubectl({"-n", ns_, "apply", "-f", "-"}, yaml);
  }
  /// The API server takes another schema a moment after the CRD was changed.
  ::testing::AssertionResult AwaitSchema(const std::string& known_field) {
    const std::string probe = testing::MigrationYaml("probe", "  " + known_field + ": x\n");
    return Eventually([&] {
      const auto answer = server_.Kubectl(
          {"-n", ns_, "create", "--dry-run=server", "--validate=strict", "-f", "-"}, probe);
      return answer.err.find("unknown field") == std::string::npos;
    });
  }
  void Upgrade() {
    server_.MustKubectl({"apply", "-f", testing::kCrdFile});
    EXPECT_TRUE(AwaitSchema("job"));
  }

  /// The resource as users of that version wrote it, with the status `name` of the fixture.
  void CreateServed(const std::string& execution, const std::string& name) {
    std::string yaml = testing::MigrationYaml("orders", "  retired: x\n");
    const std::string mode = "  execution: {mode: InProcess}\n";
    Apply(yaml.replace(yaml.find(mode), mode.size(), execution));
    json status = json::parse(ReadFile(kOldStatuses)).at(name);
    status["retired"] = "x";
    const json object = {{"apiVersion", "whimbrel.dev/v1alpha1"},
                         {"kind", "DatabaseMigration"},
                         {"metadata", {{"name", "orders"}, {"namespace", ns_}}},
                         {"status", status}};
    const auto applied = client_->Apply(
        DatabaseMigrations(), object,
        {.field_manager = std::string(kFieldManager), .force = true, .subresource = "status"}, {});
    ASSERT_TRUE(applied) << applied.error().ToString();
    ASSERT_EQ(applied->at("status").at("retired"), "x");
    ASSERT_EQ(applied->at("spec").at("retired"), "x");
  }
  void StartController(ControllerOptions options = {}) {
    options.namespaces = {ns_};
    options.resync = std::chrono::seconds(1);
    controller_ = std::make_unique<Controller>(*client_, runner_, std::move(options));
    const Result<void> started = controller_->Start();
    ASSERT_TRUE(started) << started.error().message;
  }

  json Get() {
    return client_->Get(DatabaseMigrations(), {.ns = ns_, .name = "orders"}, {}).value();
  }
  /// `True UpToDate` of Ready.
  std::string Ready() {
    const json conditions = Get().at("status").at("conditions");
    for (const json& condition : conditions) {
      if (condition.at("type") == "Ready") {
        return condition.at("status").get<std::string>() + " " +
               condition.at("reason").get<std::string>();
      }
    }
    return "";
  }
  ::testing::AssertionResult Becomes(const std::string& ready) {
    return EventuallyEquals<std::string>([this] { return Ready(); }, ready);
  }

  ApiServer& server_ = SharedApiServer();
  std::string ns_ = server_.CreateNamespace();
  std::string objects_;
  std::unique_ptr<kube::ObjectClient> client_ = kube::Connect(SharedApiServer().kubeconfig());
  FakeRunner runner_{Succeed};
  std::unique_ptr<Controller> controller_;
};

TEST_F(UpgradeTest, WhatIsUpToDateStaysSoWithoutARun) {
  CreateServed("  execution: {mode: InProcess}\n", "upToDate");
  const json before = Get();
  Upgrade();
  StartController();
  // Another resource, in the same queue behind it, tells when it has been looked at.
  Apply(Object("later-sql") + Object("later-db") + testing::MigrationYaml("later"));
  EXPECT_TRUE(Eventually([&] { return runner_.started() == 1; }));
  EXPECT_EQ(runner_.requests().at(0).name, "later");
  EXPECT_EQ(Ready(), "True UpToDate");
  EXPECT_EQ(Get().at("metadata").at("generation"), before.at("metadata").at("generation"));

  // The status is ours as it was that version's: what an edit brings replaces all of it.
  Apply(testing::ConfigMapYaml("orders-sql", "select 2"));
  EXPECT_TRUE(Eventually([&] { return runner_.started() == 2; }));
  EXPECT_TRUE(Eventually([&] {
    const json status = Get().at("status");
    return status.at("run").contains("completionTime") &&
           status.at("source").at("digest") != before.at("status").at("source").at("digest");
  }));
  EXPECT_TRUE(Becomes("True UpToDate"));
  EXPECT_EQ(runner_.started(), 2u);
  EXPECT_FALSE(Get().at("status").contains("retired"));
  EXPECT_FALSE(Get().at("spec").contains("retired"));
}

TEST_F(UpgradeTest, WhatTheOlderControllerWasAtIsRunOnceMore) {
  CreateServed("  execution: {mode: InProcess}\n", "interrupted");
  const std::string run = Get().at("status").at("run").at("id");
  Upgrade();
  StartController();
  EXPECT_TRUE(Becomes("True UpToDate")) << Get().dump(1);
  EXPECT_EQ(runner_.started(), 1u);
  EXPECT_NE(Get().at("status").at("run").at("id"), run);
}

TEST_F(UpgradeTest, ModeJobWhichTheOlderControllerCouldNotDoIsDoneNow) {
  CreateServed("", "modeJob");
  ASSERT_EQ(Get().at("spec").at("execution").at("mode"), "Job");
  Upgrade();
  StartController({.runner = {.image = "registry.example/whimbrel:1"}});
  const FakeNode node(*client_, ns_);
  node.End(node.CreatePod(node.AwaitJob("orders")), Applied({"1"}));
  EXPECT_TRUE(Becomes("True UpToDate")) << Get().dump(1);
  EXPECT_FALSE(Get().at("status").contains("failure"));
  EXPECT_EQ(runner_.started(), 0u);
}

TEST_F(UpgradeTest, AControllerThatCameBeforeItsCrdWaitsForItWithWhatTheOldOneCannotHold) {
  CreateServed("", "modeJob");
  StartController({.runner = {.image = "registry.example/whimbrel:1"}});
  const FakeNode node(*client_, ns_);
  Apply(Object("later-sql") + Object("later-db") + testing::MigrationYaml("later"));
  EXPECT_TRUE(Eventually([&] { return runner_.started() == 1; }));
  EXPECT_TRUE(node.Jobs().empty()) << "nobody could find it again";

  Upgrade();
  node.End(node.CreatePod(node.AwaitJob("orders")), Applied({"1"}));
  EXPECT_TRUE(Becomes("True UpToDate")) << Get().dump(1);
}

}  // namespace
}  // namespace whimbrel::controller
