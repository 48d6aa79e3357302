#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <nlohmann/json.hpp>
#include <sstream>

#include "support/api_server.h"
#include "support/eventually.h"
#include "unit/controller/fake_runner.h"
#include "unit/controller/manifests.h"
#include "unit/controller/simulation.h"
#include "unit/kube/connect.h"
#include "whimbrel/controller/controller.h"
#include "whimbrel/controller/printer.h"

namespace whimbrel::controller {
namespace {

using report::Reason;
using report::RunReport;
using report::RunRequest;
using testing::Applied;
using testing::ConfigMapYaml;
using testing::FakeRunner;
using ::testing::HasSubstr;
using ::testing::MatchesRegex;
using testing::MigrationYaml;
using ::testing::Not;
using testing::SecretYaml;
using whimbrel::testing::ApiServer;
using whimbrel::testing::Eventually;
using whimbrel::testing::EventuallyEquals;
using whimbrel::testing::ProcessResult;
using whimbrel::testing::SharedApiServer;

std::optional<RunReport> Succeed(const RunRequest& request) {
  RunReport report = Applied({"1", "2"});
  report.source_digest = request.source->digest;
  return report;
}

void InstallCrd(const ApiServer& server) {
  server.MustKubectl({"apply", "-f", testing::kCrdFile});
  server.AwaitEstablished("databasemigrations.whimbrel.dev");
}

/// A controller with a real client and a scripted runner.
struct Installation {
  Installation(const std::filesystem::path& kubeconfig, ControllerOptions options)
      : client(kube::Connect(kubeconfig)), controller(*client, runner, std::move(options)) {
    const Result<void> started = controller.Start();
    EXPECT_TRUE(started) << started.error().message;
  }

  FakeRunner runner{Succeed};
  std::unique_ptr<kube::ObjectClient> client;
  Controller controller;
};

class ControllerApiTest : public ::testing::Test {
 protected:
  static void SetUpTestSuite() { InstallCrd(SharedApiServer()); }

  void Start() { installation_ = std::make_unique<Installation>(server_.kubeconfig(), Options()); }
  [[nodiscard]] ControllerOptions Options() const { return {.namespaces = {ns_}}; }
  FakeRunner& runner() { return installation_->runner; }

  void Apply(const std::string& yaml) {
    server_.MustKubectl({"apply", "-n", ns_, "-f", "-"}, yaml);
  }
  void ApplyAll(const std::string& name) {
    Apply(ConfigMapYaml(name + "-sql", "select 1") + "---\n" + SecretYaml(name + "-db") + "---\n" +
          MigrationYaml(name));
  }
  std::string Kubectl(std::vector<std::string> arguments) {
    arguments.insert(arguments.begin(), {"-n", ns_});
    return server_.MustKubectl(std::move(arguments));
  }
  ProcessResult WaitFor(const std::string& condition, const std::string& name = "orders") {
    return server_.Kubectl(
        {"wait", "-n", ns_, "--for=condition=" + condition, "dbmig/" + name, "--timeout=60s"});
  }
  std::string Reason(const std::string& name = "orders") {
    return Kubectl({"get", "dbmig", name, "-o",
                    R"(jsonpath={.status.conditions[?(@.type=="Ready")].reason})"});
  }

  ApiServer& server_ = SharedApiServer();
  std::string ns_ = server_.CreateNamespace();
  std::unique_ptr<Installation> installation_;
};

TEST_F(ControllerApiTest, KubectlWaitAndGetSeeAResourceBecomeReady) {
  Start();
  ApplyAll("orders");
  const ProcessResult waited = WaitFor("Ready");
  EXPECT_EQ(waited.exit_code, 0) << waited.err;
  EXPECT_THAT(Kubectl({"get", "dbmig"}), MatchesRegex("NAME +READY +VERSION +PENDING +REASON +AGE\n"
                                                      "orders +True +2 +0 +UpToDate +[0-9]+s"));
  EXPECT_THAT(Kubectl({"get", "whimbrel", "-o", "name"}), HasSubstr("orders"));
  ASSERT_EQ(runner().started(), 1u);
  EXPECT_EQ(runner().requests().front().database.credentials.at("uri").Reveal(),
            "postgresql://u:hunter2@db/orders");
}

TEST_F(ControllerApiTest, KubectlPrintsTheRowThatWePrint) {
  Start();
  ApplyAll("orders");
  EXPECT_EQ(WaitFor("Ready").exit_code, 0);
  const auto objects = ReadDatabaseMigrations(*installation_->client, {ns_}, {});
  ASSERT_TRUE(objects);
  ASSERT_EQ(objects->size(), 1u);
  const std::array<std::string, 6> row = PrinterRow(objects->front(), Clock::System().SystemNow());
  std::istringstream printed(Kubectl({"get", "dbmig", "--no-headers"}));
  // All but the age, which goes on between the two.
  for (std::size_t i = 0; i + 1 < row.size(); ++i) {
    std::string cell;
    printed >> cell;
    EXPECT_EQ(cell, row.at(i));
  }
}

TEST_F(ControllerApiTest, KubectlDescribeTellsTheWholeStory) {
  Start();
  runner().SetScript([](const RunRequest& request) {
    RunReport report = *Succeed(request);
    report.succeeded = false;
    report.pending_count = 1;
    report.failure = report::Failure{.reason = Reason::kMigrationFailed,
                                     .version = "3",
                                     .position = {.file = "003_x.sql", .line = 4, .column = 12},
                                     .sql_state = "42P01",
                                     .message = "relation \"x\" does not exist"};
    return std::optional(report);
  });
  ApplyAll("orders");
  EXPECT_EQ(WaitFor("Stalled").exit_code, 0);
  std::string text;
  EXPECT_TRUE(Eventually([&] {
    text = Kubectl({"describe", "dbmig", "orders"});
    return text.find("MigrationFailed  ") != std::string::npos &&
           text.find("MigrationApplied") != std::string::npos;
  })) << text;
  EXPECT_THAT(text, HasSubstr("3: 003_x.sql:4:12: relation \"x\" does not exist (SQLSTATE 42P01)"));
  EXPECT_THAT(text, HasSubstr("MigrationApplied"));
  EXPECT_THAT(text, Not(HasSubstr("hunter2")));
}

TEST_F(ControllerApiTest, KubectlExplainKnowsEveryField) {
  const std::string text = server_.MustKubectl({"explain", "dbmig.spec", "--recursive"});
  for (const char* field : {"configMaps", "lockTimeoutSeconds", "secretRef", "baselineVersion"}) {
    EXPECT_THAT(text, HasSubstr(field));
  }
  EXPECT_THAT(server_.MustKubectl({"explain", "dbmig.spec.suspend"}), HasSubstr("no new run"));
}

TEST_F(ControllerApiTest, EveryConditionNamesItsGeneration) {
  Start();
  ApplyAll("orders");
  EXPECT_EQ(WaitFor("Ready").exit_code, 0);
  const nlohmann::json object =
      nlohmann::json::parse(Kubectl({"get", "dbmig", "orders", "-o", "json"}));
  EXPECT_EQ(object["status"]["observedGeneration"], object["metadata"]["generation"]);
  ASSERT_EQ(object["status"]["conditions"].size(), 3u);
  for (const auto& condition : object["status"]["conditions"]) {
    EXPECT_EQ(condition["observedGeneration"], object["metadata"]["generation"]);
  }
}

TEST_F(ControllerApiTest, AnEditedConfigMapIsANewRun) {
  Start();
  ApplyAll("orders");
  EXPECT_EQ(WaitFor("Ready").exit_code, 0);
  Apply(ConfigMapYaml("orders-sql", "select 2"));
  EXPECT_TRUE(Eventually([&] { return runner().started() == 2; }));
  EXPECT_TRUE(EventuallyEquals<std::string>([&] { return Reason(); }, "UpToDate"));
  EXPECT_EQ(*runner().requests().back().source->Find("001_a.sql")->bytes(), "select 2");
}

TEST_F(ControllerApiTest, AMissingConfigMapIsNamedAndRecoversByItself) {
  Start();
  Apply(SecretYaml("orders-db") + "---\n" + MigrationYaml("orders"));
  EXPECT_TRUE(EventuallyEquals<std::string>([&] { return Reason(); }, "SourceNotFound"));
  EXPECT_THAT(Kubectl({"get", "dbmig", "orders", "-o", "wide"}),
              HasSubstr("ConfigMap " + ns_ + "/orders-sql does not exist"));
  Apply(ConfigMapYaml("orders-sql", "select 1"));
  EXPECT_EQ(WaitFor("Ready").exit_code, 0);
}

TEST_F(ControllerApiTest, AnnotationsRetryAndCancel) {
  Start();
  ApplyAll("orders");
  EXPECT_EQ(WaitFor("Ready").exit_code, 0);
  runner().SetScript({});
  Kubectl({"annotate", "dbmig", "orders", "whimbrel.dev/retry-requested-at=2026-11-21T10:00:00Z"});
  EXPECT_TRUE(Eventually([&] { return runner().started() == 2; }));
  Kubectl({"annotate", "dbmig", "orders", "whimbrel.dev/cancel-requested-at=2026-11-21T10:00:01Z"});
  EXPECT_EQ(WaitFor("Stalled").exit_code, 0);
  EXPECT_EQ(Reason(), "Cancelled");
}

TEST_F(ControllerApiTest, ADeletedResourceTakesItsRunAlong) {
  Start();
  runner().SetScript({});
  ApplyAll("orders");
  ASSERT_TRUE(Eventually([&] { return runner().started() == 1; }));
  Kubectl({"delete", "dbmig", "orders"});
  EXPECT_TRUE(Eventually([&] { return runner().remembered() == 0; }));
}

TEST_F(ControllerApiTest, TwoControllersConvergeAndComeToRest) {
  Start();
  Installation other(server_.kubeconfig(), Options());
  for (int i = 0; i < 5; ++i) ApplyAll("r" + std::to_string(i));
  for (int i = 0; i < 5; ++i) {
    EXPECT_EQ(WaitFor("Ready", "r" + std::to_string(i)).exit_code, 0);
  }
  EXPECT_TRUE(installation_->controller.WaitUntilSettled({}));
  EXPECT_TRUE(other.controller.WaitUntilSettled({}));
  const std::size_t runs = runner().started() + other.runner.started();
  EXPECT_GE(runs, 5u);
  EXPECT_LE(runs, 10u);
  const auto versions = [&] {
    return Kubectl({"get", "dbmig", "-o", "jsonpath={.items[*].metadata.resourceVersion}"});
  };
  const std::string at_rest = versions();
  // Any write of one would wake the other: an edit that both see, and the rest is as before.
  Apply(ConfigMapYaml("unrelated", "select 1"));
  ApplyAll("r5");
  EXPECT_EQ(WaitFor("Ready", "r5").exit_code, 0);
  EXPECT_TRUE(installation_->controller.WaitUntilSettled({}));
  EXPECT_TRUE(other.controller.WaitUntilSettled({}));
  EXPECT_THAT(versions(), ::testing::StartsWith(at_rest));
}

TEST_F(ControllerApiTest, AControllerThatWasKilledInTheMiddleIsReplacedByOneRun) {
  Start();
  runner().SetScript({});
  ApplyAll("orders");
  ASSERT_TRUE(EventuallyEquals<std::string>([&] { return Reason(); }, "Migrating"));
  installation_.reset();
  EXPECT_EQ(Reason(), "Migrating");
  Start();
  EXPECT_EQ(WaitFor("Ready").exit_code, 0);
  EXPECT_EQ(runner().started(), 1u);
}

TEST_F(ControllerApiTest, SaysWhichRightIsMissing) {
  FakeRunner runner;
  const auto client = kube::Connect(server_.weak_kubeconfig());
  Controller controller(*client, runner, {.namespaces = {ns_}});
  const Result<void> started = controller.Start();
  ASSERT_FALSE(started);
  EXPECT_EQ(started.error().kind, ErrorKind::kPermissionDenied) << started.error().message;
  EXPECT_THAT(started.error().message, HasSubstr("databasemigrations in namespace " + ns_));
}

TEST(ControllerApi, SaysHowToInstallTheCrdAndResumesAfterTheServerWasKilled) {
  ApiServer server;
  FakeRunner nobody;
  const auto client = kube::Connect(server.kubeconfig());
  {
    Controller controller(*client, nobody, {});
    const Result<void> started = controller.Start();
    ASSERT_FALSE(started);
    EXPECT_EQ(started.error().kind, ErrorKind::kNotFound) << started.error().message;
    EXPECT_THAT(started.error().message, HasSubstr("kubectl apply -f crds/"));
  }
  InstallCrd(server);
  const std::string ns = server.CreateNamespace();
  Installation installation(server.kubeconfig(), {});
  const auto apply = [&](const std::string& yaml) {
    server.MustKubectl({"apply", "-n", ns, "-f", "-"}, yaml);
  };
  const auto settled = [&] {
    return EventuallyEquals<std::string>(
        [&] {
          return server.MustKubectl(
              {"get", "dbmig", "orders", "-n", ns, "-o",
               R"(jsonpath={.status.conditions[?(@.type=="Ready")].reason})"});
        },
        "UpToDate");
  };
  apply(ConfigMapYaml("orders-sql", "select 1") + "---\n" + SecretYaml("orders-db") + "---\n" +
        MigrationYaml("orders"));
  EXPECT_TRUE(settled());
  server.Kill9();
  server.Start();
  apply(ConfigMapYaml("orders-sql", "select 2"));
  EXPECT_TRUE(Eventually([&] { return installation.runner.started() == 2; }));
  EXPECT_TRUE(settled());
  EXPECT_EQ(installation.runner.started(), 2u) << "nothing runs twice";
}

}  // namespace
}  // namespace whimbrel::controller
