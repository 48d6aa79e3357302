// `whimbrel controller --metrics-secure --metrics-auth` on a real API server: real tokens, judged
// by real TokenReviews and SubjectAccessReviews.

#include <httplib.h>

#include <memory>
#include <string>

#include "support/exposition.h"
#include "support/temp_dir.h"
#include "unit/cli/cluster_fixture.h"

namespace whimbrel::cli {
namespace {

using ::testing::Contains;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Key;
using whimbrel::testing::Subprocess;

class MetricsTest : public ClusterTest {
 protected:
  std::unique_ptr<Subprocess> StartSecured(std::vector<std::string> more = {}) {
    more.insert(more.end(),
                {"--metrics-bind-address=127.0.0.1:0", "--metrics-secure", "--metrics-auth"});
    return StartController(std::move(more));
  }

  /// A token of a new ServiceAccount; cluster-wide names carry the test's namespace.
  std::string TokenOf(const std::string& account) {
    Kubectl({"create", "serviceaccount", account});
    return Kubectl({"create", "token", account, "--duration=1h"});
  }
  void Bind(const std::string& role, const std::string& account) {
    api_.MustKubectl({"create", "clusterrolebinding", ns_ + "-" + account, "--clusterrole=" + role,
                      "--serviceaccount=" + ns_ + ":" + account});
  }

  static int PortOf(Subprocess& controller) {
    const std::string field = R"("msg":"serving metrics","port":)";
    EXPECT_TRUE(controller.WaitForErr([&](const std::string& text) {
      const std::size_t at = text.find(field);
      return at != std::string::npos && text.find('\n', at) != std::string::npos;
    })) << controller.err();
    return std::stoi(controller.err().substr(controller.err().find(field) + field.size()));
  }

  /// Status and body.
  static std::pair<int, std::string> Scrape(Subprocess& controller, const std::string& token) {
    httplib::SSLClient client("127.0.0.1", PortOf(controller));
    client.enable_server_certificate_verification(false);
    client.set_read_timeout(whimbrel::testing::kDeadline);
    httplib::Headers headers;
    if (!token.empty()) headers.emplace("Authorization", "Bearer " + token);
    const auto answer = client.Get("/metrics", headers);
    if (!answer) return {0, httplib::to_string(answer.error())};
    return {answer->status, answer->body};
  }
};

TEST_F(MetricsTest, ShowsMetricsToWhoeverMayGetThem) {
  api_.MustKubectl(
      {"create", "clusterrole", ns_ + "-metrics", "--verb=get", "--non-resource-url=/metrics"});
  const std::string allowed = TokenOf("prometheus");
  Bind(ns_ + "-metrics", "prometheus");
  const std::string stranger = TokenOf("stranger");
  const auto controller = StartSecured();

  const auto [status, body] = Scrape(*controller, allowed);
  EXPECT_EQ(status, 200) << body;
  const whimbrel::testing::Exposition read = whimbrel::testing::ParseExposition(body);
  EXPECT_THAT(read.faults, IsEmpty());
  EXPECT_THAT(read.samples, Contains(Key(HasSubstr("whimbrel_build_info{version="))));
  EXPECT_EQ(read.samples.at("whimbrel_leader"), 1);

  EXPECT_EQ(Scrape(*controller, stranger).first, 403);
  EXPECT_EQ(Scrape(*controller, "").first, 401);
  EXPECT_EQ(Scrape(*controller, allowed + "x").first, 401);
  for (const std::string& token : {allowed, stranger}) {
    EXPECT_EQ(controller->err().find(token), std::string::npos) << "a token in the log";
  }
}

TEST_F(MetricsTest, LetsNobodyInWhileItMayNotAsk) {
  const whimbrel::testing::TempDir folder;
  std::string config = whimbrel::testing::ReadFile(api_.kubeconfig());
  const std::string admin = api_.admin_token();
  config.replace(config.find(admin), admin.size(), TokenOf("whimbrel"));
  const std::string kubeconfig = folder.Write("kubeconfig", config).string();
  // Its reviews are refused, and it may not even list: that is not waited for.
  const std::unique_ptr<Subprocess> controller =
      std::make_unique<Subprocess>(whimbrel::testing::SpawnOptions{
          .argv = {WHIMBREL_BINARY, "controller", "--kubeconfig", kubeconfig, "--watch-namespaces",
                   ns_, "--health-probe-bind-address=0", "--leader-elect",
                   "--leader-elect-resource-namespace", ns_, "--metrics-bind-address=127.0.0.1:0",
                   "--metrics-secure", "--metrics-auth"},
          .last_signal = SIGKILL});
  EXPECT_EQ(Scrape(*controller, TokenOf("prometheus")).first, 500);
  EXPECT_TRUE(controller->WaitForErr([](const std::string& text) {
    return text.find("the ClusterRole system:auth-delegator") != std::string::npos;
  })) << controller->err();

  Bind("system:auth-delegator", "whimbrel");
  EXPECT_TRUE(whimbrel::testing::EventuallyEquals<int>(
      [&] { return Scrape(*controller, admin).first; }, 200));
}

TEST_F(MetricsTest, TellsOfEachResourceWhileItIsThere) {
  const auto controller = StartController({"--metrics-bind-address=127.0.0.1:0"});
  const auto read = [&] {
    const auto answer = httplib::Client("127.0.0.1", PortOf(*controller)).Get("/metrics");
    return whimbrel::testing::ParseExposition(answer ? answer->body : "");
  };
  const auto becomes = [&](const std::string& series, double value) {
    return whimbrel::testing::EventuallyEquals<double>(
        [&] {
          const auto all = read().samples;
          const auto found = all.find(series);
          return found == all.end() ? -1 : found->second;
        },
        value);
  };
  const std::string condition = "whimbrel_databasemigration_status_condition{condition=\"";
  const auto is_true = [&](const std::string& type, const std::string& name) {
    return condition + type + "\",name=\"" + name + "\",namespace=\"" + ns_ + "\",status=\"True\"}";
  };
  const std::string pending =
      "whimbrel_databasemigration_pending_versions{name=\"good\",namespace=\"" + ns_ + "\"}";
  Apply(SecretYaml("db", database_));
  Apply(ConfigMapYaml("good", "001_a.sql", "CREATE TABLE a ();"));
  Apply(MigrationYaml("good", "db", "good"));
  EXPECT_TRUE(becomes(is_true("Ready", "good"), 1));
  EXPECT_TRUE(becomes(is_true("Stalled", "good"), 0));
  EXPECT_TRUE(becomes(pending, 0));
  EXPECT_TRUE(becomes("whimbrel_migrations_applied_total", 1));
  EXPECT_TRUE(becomes("whimbrel_migration_duration_seconds_count", 1));
  const auto all = read();
  EXPECT_THAT(all.faults, IsEmpty());
  EXPECT_GT(all.samples.at("whimbrel_reconcile_duration_seconds_count"), 0);
  EXPECT_THAT(all.samples, Contains(Key("whimbrel_workqueue_depth")));
  EXPECT_GT(all.samples.at("workqueue_adds_total{name=\"databasemigration\"}"), 0);

  Apply(ConfigMapYaml("good", "001_a.sql", "CREATE TABLE changed ();"));
  EXPECT_TRUE(becomes(is_true("Stalled", "good"), 1));
  const std::string failed = "whimbrel_migrations_failed_total{reason=\"ChecksumMismatch\"}";
  EXPECT_THAT(read().samples, Contains(Key(failed)));

  Kubectl({"delete", "dbmig", "good"});
  EXPECT_TRUE(becomes(is_true("Stalled", "good"), -1));
  EXPECT_THAT(read().samples, ::testing::Not(Contains(Key(HasSubstr("\"" + ns_ + "\"")))));
}

}  // namespace
}  // namespace whimbrel::cli
