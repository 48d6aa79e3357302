// `whimbrel controller` as a ServiceAccount that has rights in some namespaces only, on a real API
// server with RBAC.

#include <csignal>
#include <memory>
#include <string>
#include <vector>

#include "support/temp_dir.h"
#include "unit/cli/cluster_fixture.h"

namespace whimbrel::cli {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;
using whimbrel::testing::EventuallyEquals;
using whimbrel::testing::ReadFile;
using whimbrel::testing::SharedPostgres;
using whimbrel::testing::SpawnOptions;
using whimbrel::testing::Subprocess;
using whimbrel::testing::TempDir;

/// What one namespace grants for runs in the controller's process.
struct Grant {
  const char* group;
  const char* resource;
  const char* verbs;
};
constexpr Grant kWorkGrants[] = {
    {"whimbrel.dev", "databasemigrations", "get, list, watch"},
    {"whimbrel.dev", "databasemigrations/status", "patch"},
    {"", "configmaps", "get, list, watch"},
    {"", "secrets", "get"},
    {"events.k8s.io", "events", "create, patch"},
};
constexpr Grant kLeaseGrants[] = {
    {"coordination.k8s.io", "leases", "get, create, update"},
    {"events.k8s.io", "events", "create"},
};

class NamespacedTest : public ClusterTest {
 protected:
  NamespacedTest() {
    api_.MustKubectl({"-n", home_, "create", "serviceaccount", "whimbrel"});
    const std::string token =
        api_.MustKubectl({"-n", home_, "create", "token", "whimbrel", "--duration=1h"});
    std::string config = ReadFile(api_.kubeconfig());
    const std::string admin = api_.admin_token();
    config.replace(config.find(admin), admin.size(), token);
    kubeconfig_ = folder_.Write("kubeconfig", config);
  }

  /// All of these, except on one resource.
  template <std::size_t N>
  void GrantIn(const std::string& ns, const Grant (&grants)[N], const std::string& except = "") {
    std::string rules;
    for (const Grant& grant : grants) {
      if (grant.resource == except) continue;
      rules += std::string("- apiGroups: [\"") + grant.group + "\"]\n  resources: [\"" +
               grant.resource + "\"]\n  verbs: [" + grant.verbs + "]\n";
    }
    api_.MustKubectl({"-n", ns, "apply", "-f", "-"},
                     "apiVersion: rbac.authorization.k8s.io/v1\nkind: Role\nmetadata:\n  name: "
                     "whimbrel\nrules:\n" +
                         rules +
                         "---\napiVersion: rbac.authorization.k8s.io/v1\nkind: RoleBinding\n"
                         "metadata:\n  name: whimbrel\nroleRef:\n  apiGroup: "
                         "rbac.authorization.k8s.io\n  kind: Role\n  name: whimbrel\nsubjects:\n"
                         "- kind: ServiceAccount\n  name: whimbrel\n  namespace: " +
                         home_ + "\n");
    // The API server learns of it by a watch.
    for (const Grant& grant : {grants[0], grants[N / 2]}) {
      const std::string granted = grant.resource == except ? "no" : "yes";
      const std::string verbs = grant.verbs;
      ASSERT_TRUE(EventuallyEquals<std::string>(
          [&] {
            return api_
                .Kubectl({"-n", ns, "auth", "can-i", verbs.substr(0, verbs.find(',')),
                          std::string(grant.resource) + "." + grant.group, "--as",
                          "system:serviceaccount:" + home_ + ":whimbrel"})
                .out.substr(0, granted.size());
          },
          granted));
    }
  }
  std::unique_ptr<Subprocess> StartAsServiceAccount(std::vector<std::string> more) {
    std::vector<std::string> argv = {WHIMBREL_BINARY, "controller", "--kubeconfig",
                                     kubeconfig_.string(), "--health-probe-bind-address=0"};
    argv.insert(argv.end(), more.begin(), more.end());
    return std::make_unique<Subprocess>(SpawnOptions{.argv = argv, .last_signal = SIGKILL});
  }
  void ApplyAllIn(const std::string& ns, const whimbrel::testing::PgTarget& database) {
    api_.MustKubectl({"-n", ns, "apply", "-f", "-"},
                     SecretYaml("db", database) + "---\n" +
                         ConfigMapYaml("files", "001_first.sql", "CREATE TABLE first ();") +
                         "---\n" + MigrationYaml("app", "db", "files"));
  }
  std::string ReasonIn(const std::string& ns) {
    return api_.MustKubectl({"-n", ns, "get", "dbmig", "app", "-o",
                             "jsonpath={.status.conditions[?(@.type==\"Ready\")].reason}"});
  }

  TempDir folder_{"whimbrel-namespaced"};
  std::filesystem::path kubeconfig_;
  std::string home_ = api_.CreateNamespace();  ///< Where the controller itself would live.
  std::string other_ = api_.CreateNamespace();
};

TEST_F(NamespacedTest, WorksInItsNamespacesWithRightsInThemAlone) {
  GrantIn(ns_, kWorkGrants);
  GrantIn(other_, kWorkGrants);
  GrantIn(home_, kLeaseGrants);
  const std::string foreign = api_.CreateNamespace();
  const auto second_database = SharedPostgres().CreateDatabase();
  ApplyAllIn(foreign, database_);
  auto controller =
      StartAsServiceAccount({"--watch-namespaces", ns_ + "," + other_ + "," + ns_, "--leader-elect",
                             "--leader-elect-resource-namespace", home_});
  ApplyAllIn(ns_, database_);
  ApplyAllIn(other_, second_database);
  EXPECT_TRUE(EventuallyEquals<std::string>([&] { return ReasonIn(ns_); }, "UpToDate"))
      << controller->err();
  EXPECT_TRUE(EventuallyEquals<std::string>([&] { return ReasonIn(other_); }, "UpToDate"))
      << controller->err();
  EXPECT_EQ(ReasonIn(foreign), "");
  controller->Signal(SIGTERM);
  EXPECT_EQ(controller->Wait(), 0) << controller->err();
  EXPECT_THAT(api_.MustKubectl({"-n", home_, "describe", "lease", "whimbrel-controller"}),
              AllOf(HasSubstr(" became leader"), HasSubstr(" stopped leading")));
}

TEST_F(NamespacedTest, NamesTheRightThatIsMissingAndWhere) {
  struct Case {
    const char* resource;
    const char* expected;
  };
  for (const Case& one :
       {Case{"configmaps", "forbids to list configmaps in namespace "},
        Case{"databasemigrations", "forbids to list databasemigrations in namespace "}}) {
    GrantIn(ns_, kWorkGrants);
    GrantIn(other_, kWorkGrants, one.resource);
    auto controller = StartAsServiceAccount({"--watch-namespaces", ns_ + "," + other_});
    EXPECT_EQ(controller->Wait(), 2);
    EXPECT_THAT(controller->err(),
                AllOf(HasSubstr(one.expected + other_), HasSubstr("grant get, list and watch")));
  }
}

TEST_F(NamespacedTest, SaysThatAllNamespacesAreTooMany) {
  GrantIn(ns_, kWorkGrants);
  auto controller = StartAsServiceAccount({});
  EXPECT_EQ(controller->Wait(), 2);
  EXPECT_THAT(controller->err(),
              AllOf(HasSubstr("in all namespaces"), HasSubstr("or name the namespaces")));
}

TEST_F(NamespacedTest, NeverTakesASlipForAllNamespaces) {
  for (const char* slip : {"", ",", "Team", "team_a", "-a"}) {
    auto controller = StartAsServiceAccount({std::string("--watch-namespaces=") + slip});
    EXPECT_EQ(controller->Wait(), 2) << slip;
    EXPECT_THAT(controller->err(), HasSubstr("--watch-namespaces")) << slip;
  }
}

TEST_F(NamespacedTest, SaysThatItMayNotUseTheLease) {
  GrantIn(ns_, kWorkGrants);
  auto controller = StartAsServiceAccount(
      {"--watch-namespaces", ns_, "--leader-elect", "--leader-elect-resource-namespace", home_});
  EXPECT_TRUE(controller->WaitForErr([&](const std::string& text) {
    return text.find("grant get, create and update of leases") != std::string::npos;
  })) << controller->err();
  // Whoever grants it need not restart anything.
  GrantIn(home_, kLeaseGrants);
  EXPECT_TRUE(controller->WaitForErr([](const std::string& text) {
    return text.find("controller started") != std::string::npos;
  })) << controller->err();
}

}  // namespace
}  // namespace whimbrel::cli
