// The API server's worst day: it is killed, compacted, refuses and loses answers, while many
// resources migrate. WHIMBREL_API_CHAOS_RESOURCES=200 makes it longer than CI has time for,
// WHIMBREL_API_CHAOS_SEED another day.

#include <algorithm>
#include <chrono>
#include <cstdlib>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "support/api_fault_dice.h"
#include "support/api_fault_proxy.h"
#include "support/subprocess.h"
#include "support/temp_dir.h"
#include "unit/cli/cluster_fixture.h"
#include "unit/cli/status_recorder.h"

namespace whimbrel::cli {
namespace {

using nlohmann::json;
using ::testing::IsEmpty;
using whimbrel::testing::ApiFaultDice;
using whimbrel::testing::ApiFaultProxy;
using whimbrel::testing::ApiRequest;
using whimbrel::testing::Eventually;
using whimbrel::testing::PgClient;
using whimbrel::testing::PgTarget;
using whimbrel::testing::SharedPostgres;
using whimbrel::testing::Subprocess;

// A failure shows it; a healthy run is far from it.
constexpr std::chrono::minutes kDeadline{4};
constexpr int kDatabases = 4;

int FromEnvironment(const char* name, int otherwise) {
  const char* value = std::getenv(name);
  return value == nullptr ? otherwise : std::atoi(value);
}

class ApiChaosTest : public ClusterTest {
 protected:
  static std::string Name(int number) { return "chaos-" + std::to_string(number); }

  /// Files up to `version`, each of which leaves a row in a table without a key.
  static std::string Files(int number, int version) {
    std::string yaml =
        "apiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: " + Name(number) + "\ndata:\n";
    for (int i = 1; i <= version; ++i) {
      const std::string id = "00" + std::to_string(i);
      yaml += "  " + id + "_step.sql: INSERT INTO witness VALUES ('" + Name(number) + "', '" + id +
              "');\n";
    }
    return yaml + "---\n";
  }

  static std::string Migration(int number) {
    return MigrationYaml(
               Name(number), "db-" + std::to_string(number % kDatabases), Name(number),
               "  execution:\n    mode: InProcess\n  history:\n    set: " + Name(number) + "\n") +
           "---\n";
  }

  void ApplyFiles(int version) {
    std::string yaml;
    for (int i = 0; i < resources_; ++i) yaml += Files(i, version);
    Apply(yaml);
  }
  void ApplyResources() {
    std::string yaml;
    for (int i = 0; i < kDatabases; ++i) {
      PgClient(databases_[i]).Exec("CREATE TABLE witness (resource text, version text)");
      yaml += SecretYaml("db-" + std::to_string(i), databases_[i]) + "---\n";
    }
    for (int i = 0; i < resources_; ++i) yaml += Migration(i);
    Apply(yaml);
  }

  /// How many resources are Ready at `version`, as anybody sees them who asks the server itself.
  int ReadyAt(const std::string& version) {
    const auto answer = api_.Request(
        "GET", "/apis/whimbrel.dev/v1alpha1/namespaces/" + ns_ + "/databasemigrations");
    if (answer.status != 200) return 0;
    int ready = 0;
    const json list = json::parse(answer.body);
    for (const json& item : list.at("items")) {
      const json status = item.value("status", json::object());
      for (const json& condition : status.value("conditions", json::array())) {
        const bool is_ready = condition.at("type") == "Ready" && condition.at("status") == "True";
        if (condition.at("type") != "Ready") continue;
        if (is_ready && status.value("currentVersion", "") == version) {
          ++ready;
        } else {
          laggard_ = item.at("metadata").at("name").get<std::string>() + " " + status.dump();
        }
      }
    }
    return ready;
  }
  ::testing::AssertionResult Reach(const std::string& version, int count) {
    int ready = 0;
    const auto reached = Eventually([&] { return (ready = ReadyAt(version)) >= count; }, kDeadline);
    if (reached) return reached;
    const std::string log = whimbrel::testing::ReadFile(log_ / "controller.log");
    return ::testing::AssertionFailure()
           << ready << " of " << count << " are ready at " << version
           << "; one that is not: " << laggard_ << "; the controller's last words:\n"
           << log.substr(log.size() - std::min<std::size_t>(log.size(), 4000));
  }

  void KillTheServer() {
    api_.Kill9();
    api_.CompactEtcd();
    api_.Start();
  }

  std::string Witnesses(int database) {
    return PgClient(databases_[database])
        .Text("SELECT resource, version, count(*) FROM witness GROUP BY 1, 2 HAVING count(*) <> 1");
  }

  const int resources_ = FromEnvironment("WHIMBREL_API_CHAOS_RESOURCES", 24);
  const int seed_ = FromEnvironment("WHIMBREL_API_CHAOS_SEED", 1);
  const whimbrel::testing::TempDir log_;
  std::string laggard_;  ///< The status of one that is not ready yet.
  const std::vector<PgTarget> databases_ = [] {
    std::vector<PgTarget> databases;
    for (int i = 0; i < kDatabases; ++i) databases.push_back(SharedPostgres().CreateDatabase());
    return databases;
  }();
};

TEST_F(ApiChaosTest, EverythingConvergesNothingIsAppliedTwiceAndNoStatusLies) {
  SCOPED_TRACE("WHIMBREL_API_CHAOS_SEED=" + std::to_string(seed_));
  StatusRecorder recorder(databases_);
  ApiFaultDice dice(static_cast<std::uint64_t>(seed_));
  ApiFaultProxy proxy(api_, [&](const ApiRequest& request) {
    recorder.Look(request);
    return dice.Judge(request);
  });
  Subprocess controller({.argv = {WHIMBREL_BINARY, "controller", "--kubeconfig",
                                  api_.KubeconfigFor(proxy.url(), "chaos").string(),
                                  "--watch-namespaces", ns_, "--health-probe-bind-address", "0",
                                  "--kube-api-qps", "1000", "--max-concurrent-migrations", "8"},
                         .output_file = log_ / "controller.log"});
  ApplyFiles(1);
  ApplyResources();
  ASSERT_TRUE(Reach("001", resources_ / 3));
  KillTheServer();
  ApplyFiles(2);
  ASSERT_TRUE(Reach("002", resources_ / 3));
  api_.CompactEtcd();
  proxy.Cut();
  ASSERT_TRUE(Reach("002", resources_ / 2));
  KillTheServer();
  ApplyFiles(3);
  EXPECT_TRUE(Reach("003", resources_));

  EXPECT_TRUE(controller.running());
  EXPECT_THAT(recorder.lies(), IsEmpty());
  EXPECT_GE(recorder.written(), resources_);
  EXPECT_GE(dice.Share(), 25) << "per cent of the requests refused";
  EXPECT_GT(dice.cut(), 0);
  for (int i = 0; i < kDatabases; ++i) EXPECT_EQ(Witnesses(i), "") << "applied twice";
  int rows = 0;
  for (const PgTarget& database : databases_) {
    rows += std::stoi(PgClient(database).Scalar("SELECT count(*) FROM witness"));
  }
  EXPECT_EQ(rows, 3 * resources_);
}

}  // namespace
}  // namespace whimbrel::cli
