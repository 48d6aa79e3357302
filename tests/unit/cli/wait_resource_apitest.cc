// `whimbrel wait --resource`, by an account that may get one resource and do nothing else.

#include <atomic>
#include <sstream>

#include "support/tcp_proxy.h"
#include "unit/cli/cluster_fixture.h"

namespace whimbrel::cli {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;
using whimbrel::testing::ProcessResult;
using whimbrel::testing::RunProcess;
using whimbrel::testing::SpawnOptions;
using whimbrel::testing::Subprocess;

class WaitResourceTest : public ClusterTest {
 protected:
  /// As docs/wait.md has it.
  void Grant() {
    Apply(R"(apiVersion: rbac.authorization.k8s.io/v1
kind: Role
metadata: {name: wait-for-orders}
rules:
  - apiGroups: [whimbrel.dev]
    resources: [databasemigrations]
    resourceNames: [orders]
    verbs: [get]
---
apiVersion: rbac.authorization.k8s.io/v1
kind: RoleBinding
metadata: {name: wait-for-orders}
roleRef: {apiGroup: rbac.authorization.k8s.io, kind: Role, name: wait-for-orders}
subjects: [{apiGroup: rbac.authorization.k8s.io, kind: User, name: weak}]
)");
  }

  SpawnOptions Command(std::vector<std::string> more) {
    SpawnOptions options;
    options.argv = {
        WHIMBREL_BINARY,     "wait", "--resource", "dbmig/orders", "-n", ns_, "--kubeconfig",
        kubeconfig_.string()};
    options.argv.insert(options.argv.end(), more.begin(), more.end());
    return options;
  }
  ProcessResult Look() { return RunProcess(Command({"--timeout-seconds", "1"})); }
  static bool Says(Subprocess& process, const std::string& text) {
    return process.WaitForOut(
        [&](const std::string& out) { return out.find(text) != std::string::npos; });
  }

  void CreateMigration() { Apply(MigrationYaml("orders", "orders-db", "orders-sql")); }
  /// What a controller would write.
  void SetStatus(int generation, const std::string& ready, const std::string& reason,
                 const std::string& stalled = "False") {
    const std::string more =
        R"(","lastTransitionTime":"2026-01-02T03:04:05Z","observedGeneration":)" +
        std::to_string(generation) + R"(,"reason":")" + reason +
        R"(","message":"said the controller"})";
    Kubectl({"patch", "dbmig", "orders", "--subresource=status", "--type=merge", "-p",
             R"({"status":{"observedGeneration":)" + std::to_string(generation) +
                 R"(,"currentVersion":"007","conditions":[{"type":"Ready","status":")" + ready +
                 more + R"(,{"type":"Stalled","status":")" + stalled + more + "]}}"});
  }

  std::filesystem::path kubeconfig_ = api_.weak_kubeconfig();
};

TEST_F(WaitResourceTest, FollowsAResourceFromNothingToReadyByGetAlone) {
  Grant();
  Subprocess waiting(Command({}));
  ASSERT_TRUE(Says(waiting, "waiting: " + ns_ + "/orders does not exist yet\n")) << waiting.err();
  CreateMigration();
  ASSERT_TRUE(Says(waiting, "waiting: " + ns_ + "/orders is not looked at yet"));
  SetStatus(1, "False", "Progressing");
  ASSERT_TRUE(Says(waiting, "/orders: Progressing: said the controller\n"));
  SetStatus(1, "True", "UpToDate");
  EXPECT_EQ(waiting.Wait(), 0) << waiting.err();
  EXPECT_THAT(waiting.out(), HasSubstr("ready: " + ns_ + "/orders at version 007\n"));
}

TEST_F(WaitResourceTest, DoesNotBelieveTheStatusOfAnOlderGeneration) {
  Grant();
  CreateMigration();
  SetStatus(1, "True", "UpToDate");
  EXPECT_EQ(Look().exit_code, 0);
  Kubectl({"patch", "dbmig", "orders", "--type=merge", "-p", R"({"spec":{"suspend":true}})"});
  const ProcessResult changed = Look();
  EXPECT_EQ(changed.exit_code, 1);
  EXPECT_THAT(changed.err, HasSubstr("not ready within 1 s: " + ns_ +
                                     "/orders is not looked at yet in its generation 2"));
}

TEST_F(WaitResourceTest, AStalledResourceIsForAPerson) {
  Grant();
  CreateMigration();
  Subprocess waiting(Command({}));
  ASSERT_TRUE(Says(waiting, "not looked at yet"));
  SetStatus(1, "False", "MigrationFailed", "True");
  EXPECT_EQ(waiting.Wait(), 3);
  EXPECT_THAT(waiting.err(), HasSubstr("stalled: " + ns_ + "/orders: MigrationFailed: said the"));
}

TEST_F(WaitResourceTest, TellsWhichRightIsMissing) {
  const ProcessResult result = Look();
  EXPECT_EQ(result.exit_code, 2);
  EXPECT_THAT(result.err,
              AllOf(HasSubstr("cannot get resource \"databasemigrations\""),
                    HasSubstr("it needs the verb get"), HasSubstr("[orders]"), HasSubstr(ns_)));
}

TEST_F(WaitResourceTest, AClusterWithoutTheTypeIsForAPerson) {
  whimbrel::testing::ApiServer bare;
  kubeconfig_ = bare.kubeconfig();
  const ProcessResult result = Look();
  EXPECT_EQ(result.exit_code, 2);
  EXPECT_THAT(result.err, HasSubstr("install Whimbrel's CRD"));

  bare.Stop();
  const ProcessResult down = Look();
  EXPECT_EQ(down.exit_code, 1);
  EXPECT_THAT(down.err, HasSubstr("not ready within 1 s: "));
}

TEST_F(WaitResourceTest, AServerThatDoesNotAnswerEndsWithThePatience) {
  Grant();
  whimbrel::testing::TcpProxy proxy(api_.port());
  proxy.BlackHole();
  kubeconfig_ = api_.KubeconfigFor("https://127.0.0.1:" + std::to_string(proxy.port()), ns_);
  const ProcessResult result = Look();
  EXPECT_EQ(result.exit_code, 1);
  EXPECT_THAT(result.err, HasSubstr("did not answer in time")) << "not the request's own limit";
}

TEST_F(WaitResourceTest, SigtermEndsItWhileNobodyAnswers) {
  Grant();
  std::atomic<bool> asked = false;
  whimbrel::testing::TcpProxy proxy(api_.port());
  proxy.OnRequest([&](std::string_view) {
    proxy.BlackHole();
    asked = true;
  });
  kubeconfig_ = api_.KubeconfigFor("https://127.0.0.1:" + std::to_string(proxy.port()), ns_);
  Subprocess waiting(Command({}));
  ASSERT_TRUE(whimbrel::testing::Eventually([&] { return asked.load(); }));
  waiting.Signal(SIGTERM);
  EXPECT_EQ(waiting.Wait(std::chrono::seconds(10)), 1);
}

TEST_F(WaitResourceTest, SigtermEndsItAtOnce) {
  Grant();
  Subprocess waiting(Command({}));
  ASSERT_TRUE(Says(waiting, "does not exist yet"));
  waiting.Signal(SIGTERM);
  EXPECT_EQ(waiting.Wait(std::chrono::seconds(10)), 1);
  EXPECT_THAT(waiting.err(), HasSubstr("stopped before it was ready"));
}

/// The YAML of docs/wait.md whose kind it is.
std::string Documented(const std::string& kind) {
  std::istringstream page(
      whimbrel::testing::ReadFile(std::string(WHIMBREL_SOURCE_DIR) + "/docs/wait.md"));
  std::string block;
  for (std::string line; std::getline(page, line);) {
    if (line.starts_with("    ")) {
      block += line.substr(4) + "\n";
    } else if (block.find("\nkind: " + kind + "\n") != std::string::npos) {
      return block;
    } else {
      block.clear();
    }
  }
  return "";
}

TEST_F(WaitResourceTest, WhatThePageTellsToApplyIsTakenInARestrictedNamespace) {
  api_.MustKubectl({"label", "namespace", ns_, "pod-security.kubernetes.io/enforce=restricted"});
  Apply(Documented("Pod"));
  Apply(Documented("Role"));
  EXPECT_EQ(Kubectl({"get", "pod", "orders", "-o", "jsonpath={.spec.initContainers[0].args[0]}"}),
            "wait");
}

TEST_F(WaitResourceTest, ARealControllerLeadsItThere) {
  Grant();
  Subprocess waiting(Command({}));
  const auto controller = StartController();
  Apply(SecretYaml("orders-db", database_));
  Apply(ConfigMapYaml("orders-sql", "001_a.sql", "CREATE TABLE a (id int);"));
  CreateMigration();
  EXPECT_EQ(waiting.Wait(), 0) << waiting.out() << waiting.err();
  EXPECT_THAT(waiting.out(), HasSubstr("/orders at version 001\n"));
}

}  // namespace
}  // namespace whimbrel::cli
