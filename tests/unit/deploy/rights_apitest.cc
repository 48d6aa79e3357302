#include <gtest/gtest.h>

#include "support/temp_dir.h"
#include "unit/deploy/installation.h"

namespace whimbrel::deploy {
namespace {

using nlohmann::json;
using testing::Allowed;
using testing::ApplyRefusal;
using testing::Attempt;
using testing::InstalledServer;
using testing::kDeploy;
using testing::kOperator;
using whimbrel::testing::ApiServer;

constexpr const char* kOurs = "whimbrel.dev";
constexpr const char* kEvents = "events.k8s.io";
constexpr const char* kLeases = "coordination.k8s.io";
constexpr const char* kSystem = "whimbrel-system";

/// What the controller does wherever it serves resources (its module's sources, and
/// docs/security.md).
std::vector<Attempt> NeededAnywhere() {
  std::vector<Attempt> needed = {{"patch", kOurs, "databasemigrations/status", ""},
                                 {"create", "batch", "jobs", ""},
                                 {"delete", "batch", "jobs", ""},
                                 {"list", "", "events", ""},
                                 {"create", kEvents, "events", ""},
                                 {"patch", kEvents, "events", ""}};
  for (const char* verb : {"get", "list", "watch"}) {
    needed.push_back({verb, kOurs, "databasemigrations", ""});
    needed.push_back({verb, "batch", "jobs", ""});
    needed.push_back({verb, "", "pods", ""});
    needed.push_back({verb, "", "configmaps", ""});
  }
  return needed;
}

std::vector<Attempt> NeverNeeded() {
  std::vector<Attempt> never = {
      {"update", "batch", "jobs", ""},
      {"patch", "batch", "jobs", ""},
      {"deletecollection", "batch", "jobs", ""},
      {"patch", "batch", "jobs/status", ""},
      {"create", "batch", "cronjobs", ""},
      {"create", "apps", "deployments", ""},
      {"create", "", "pods", ""},
      {"delete", "", "pods", ""},
      {"create", "", "pods/exec", ""},
      {"create", "", "pods/attach", ""},
      {"create", "", "pods/portforward", ""},
      {"create", "", "pods/eviction", ""},
      {"patch", "", "pods/ephemeralcontainers", ""},
      {"get", "", "pods/log", ""},
      {"get", "", "nodes", ""},
      {"list", "", "namespaces", ""},
      {"create", "", "serviceaccounts/token", ""},
      {"impersonate", "", "users", ""},
      {"impersonate", "", "serviceaccounts", ""},
      {"create", "rbac.authorization.k8s.io", "rolebindings", ""},
      {"bind", "rbac.authorization.k8s.io", "clusterroles", ""},
      {"escalate", "rbac.authorization.k8s.io", "clusterroles", ""},
      {"update", "admissionregistration.k8s.io", "validatingadmissionpolicies", ""},
      {"create", "authentication.k8s.io", "tokenreviews", ""},
      {"create", "authorization.k8s.io", "subjectaccessreviews", ""},
      {"update", "apiextensions.k8s.io", "customresourcedefinitions", ""},
      {"get", kLeases, "leases", "another"},
      {"update", kLeases, "leases", "another"},
      {"delete", kLeases, "leases", "whimbrel-controller"},
      {"get", "*", "*", ""},
      {"*", "*", "*", ""}};
  for (const char* verb : {"get", "list", "watch", "create", "update", "patch", "delete"}) {
    never.push_back({verb, "", "secrets", ""});
  }
  for (const char* verb : {"create", "update", "patch", "delete", "deletecollection"}) {
    never.push_back({verb, "", "configmaps", ""});
    never.push_back({verb, kOurs, "databasemigrations", ""});
  }
  return never;
}

std::string Describe(const Attempt& attempt) {
  return attempt.verb + " " + attempt.group + "/" + attempt.resource + " " + attempt.name;
}

TEST(RightsTest, TheOperatorMayDoWhatItNeedsInEveryNamespace) {
  for (const Attempt& attempt : NeededAnywhere()) {
    EXPECT_TRUE(Allowed(InstalledServer(), kOperator, "shop", attempt)) << Describe(attempt);
  }
}

TEST(RightsTest, TheOperatorMayDoNothingElseNotEvenWhereItLives) {
  for (const Attempt& attempt : NeverNeeded()) {
    EXPECT_FALSE(Allowed(InstalledServer(), kOperator, "shop", attempt)) << Describe(attempt);
    EXPECT_FALSE(Allowed(InstalledServer(), kOperator, kSystem, attempt)) << Describe(attempt);
  }
}

TEST(RightsTest, TheLeaseIsTheOneInTheOperatorsNamespace) {
  const Attempt create = {"create", kLeases, "leases", ""};
  EXPECT_TRUE(Allowed(InstalledServer(), kOperator, kSystem, create));
  EXPECT_FALSE(Allowed(InstalledServer(), kOperator, "shop", create));
  for (const char* verb : {"get", "update"}) {
    const Attempt attempt = {verb, kLeases, "leases", "whimbrel-controller"};
    EXPECT_TRUE(Allowed(InstalledServer(), kOperator, kSystem, attempt)) << verb;
    EXPECT_FALSE(Allowed(InstalledServer(), kOperator, "kube-system", attempt)) << verb;
  }
}

TEST(RightsTest, NoRuleOfOursHasAWildcard) {
  const json roles =
      json::parse(InstalledServer().MustKubectl({"get", "clusterroles,roles", "-A", "-o", "json",
                                                 "-l", "app.kubernetes.io/part-of=whimbrel"}));
  ASSERT_GE(roles.at("items").size(), 4u);
  for (const json& role : roles.at("items")) {
    EXPECT_EQ(role.at("rules").dump().find('*'), std::string::npos) << role.dump();
  }
}

TEST(RightsTest, ANamespacedInstallHasNoRightOutsideItsNamespaces) {
  const ApiServer server;
  ASSERT_EQ(ApplyRefusal(server, kDeploy / "install-namespaced.yaml"), "");
  for (const Attempt& attempt : NeededAnywhere()) {
    EXPECT_TRUE(Allowed(server, kOperator, "default", attempt)) << Describe(attempt);
    EXPECT_FALSE(Allowed(server, kOperator, "shop", attempt)) << Describe(attempt);
    EXPECT_FALSE(Allowed(server, kOperator, "", attempt)) << Describe(attempt);
  }
  for (const Attempt& attempt : NeverNeeded()) {
    EXPECT_FALSE(Allowed(server, kOperator, "default", attempt)) << Describe(attempt);
  }
  EXPECT_TRUE(Allowed(server, kOperator, kSystem, {"create", kLeases, "leases", ""}));
}

TEST(RightsTest, EachOptionalRightIsTheOneThatItsFileSays) {
  const ApiServer server;
  for (const char* file :
       {"install.yaml", "optional/runner-progress.yaml", "optional/in-process.yaml",
        "optional/aggregate-to-edit.yaml", "optional/metrics-auth.yaml"}) {
    ASSERT_EQ(ApplyRefusal(server, kDeploy / file), "") << file;
  }
  EXPECT_TRUE(Allowed(server, kOperator, "shop", {"get", "", "pods/log", ""}));
  EXPECT_TRUE(Allowed(server, kOperator, "default", {"get", "", "secrets", "orders-db-app"}));
  EXPECT_FALSE(Allowed(server, kOperator, "default", {"get", "", "secrets", "another"}));
  EXPECT_FALSE(Allowed(server, kOperator, "shop", {"get", "", "secrets", "orders-db-app"}));
  EXPECT_FALSE(Allowed(server, kOperator, "default", {"list", "", "secrets", ""}));
  EXPECT_TRUE(
      Allowed(server, kOperator, "", {"create", "authentication.k8s.io", "tokenreviews", ""}));
  EXPECT_TRUE(Allowed(server, kOperator, "",
                      {"create", "authorization.k8s.io", "subjectaccessreviews", ""}));
  EXPECT_FALSE(Allowed(server, kOperator, "", {"get", "", "secrets", ""}));
}

}  // namespace
}  // namespace whimbrel::deploy
