// `whimbrel controller` on a real API server with a real PostgreSQL: what its users do, and their
// bad days.

#include <csignal>
#include <iterator>
#include <sstream>

#include "support/tcp_proxy.h"
#include "unit/cli/cluster_fixture.h"

namespace whimbrel::cli {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;
using ::testing::Not;
using whimbrel::testing::Eventually;
using whimbrel::testing::EventuallyEquals;
using whimbrel::testing::PgTarget;
using whimbrel::testing::TcpProxy;

constexpr const char* kOnce =
    "CREATE TABLE IF NOT EXISTS once (n int);\nINSERT INTO once VALUES (1);";

class ControllerTest : public ClusterTest {
 protected:
  void ApplyAll(const std::string& sql, const std::string& more = "") {
    Apply(SecretYaml("db", database_));
    Apply(ConfigMapYaml("files", "001_once.sql", sql));
    Apply(MigrationYaml("app", "db", "files", more));
  }
  /// To the ConfigMap of kOnce, and waits until it is applied.
  void AddAFile() {
    Apply(ConfigMapYaml("files", "001_once.sql", kOnce) +
          "  002_more.sql: |\n    CREATE TABLE more ();\n");
    EXPECT_TRUE(EventuallyEquals<std::string>(
        [&] {
          return Kubectl({"get", "dbmig", "app", "-o", "jsonpath={.status.currentVersion}"});
        },
        "002"));
  }
  std::string Once() {
    return sql_.Scalar("SELECT to_regclass('once') IS NOT NULL") == "t"
               ? sql_.Scalar("SELECT count(*) FROM once")
               : "none";
  }
  bool Sleeping() {
    return sql_.Scalar(
               "SELECT count(*) FROM pg_stat_activity WHERE query LIKE '%pg_sleep%' AND "
               "application_name LIKE "
               "'whimbrel/%' AND datname = current_database()") == "1";
  }
};

TEST_F(ControllerTest, DoesWhatItsUsersExpectOfKubectl) {
  auto controller = StartController();
  ApplyAll(kOnce);
  ASSERT_TRUE(BecomesReady("app"));
  EXPECT_THAT(Kubectl({"get", "dbmig"}),
              AllOf(HasSubstr("READY"), HasSubstr("app    True    001       0         UpToDate")));
  EXPECT_THAT(Kubectl({"describe", "dbmig", "app"}),
              AllOf(HasSubstr("UpToDate"), HasSubstr("MigrationApplied")));
  EXPECT_THAT(Kubectl({"explain", "dbmig.spec"}), HasSubstr("execution"));
  EXPECT_EQ(Kubectl({"get", "dbmig", "app", "-o", "jsonpath={.status.observedGeneration}"}), "1");
}

TEST_F(ControllerTest, AppliesAnEditOfTheConfigMap) {
  auto controller = StartController();
  ApplyAll(kOnce);
  ASSERT_TRUE(BecomesReady("app"));
  AddAFile();
}

TEST_F(ControllerTest, StallsOnASqlErrorAndRecoversOnTheEdit) {
  auto controller = StartController();
  ApplyAll("CREATE TABLE half ();\nSELECT\n  nope;");
  ASSERT_TRUE(GetsReason("app", "MigrationFailed"));
  EXPECT_EQ(Condition("app", "Stalled", "status"), "True");
  EXPECT_EQ(
      Kubectl({"get", "dbmig", "app", "-o",
               "jsonpath={.status.failure.file}:{.status.failure.line}:{.status.failure.column} "
               "{.status.failure.sqlState}"}),
      "001_once.sql:3:3 42703");
  EXPECT_EQ(sql_.Scalar("SELECT to_regclass('half') IS NULL"), "t");
  Apply(ConfigMapYaml("files", "001_once.sql", kOnce));
  EXPECT_TRUE(BecomesReady("app"));
  EXPECT_EQ(Once(), "1");
}

TEST_F(ControllerTest, WaitsForAMissingConfigMapAndSecret) {
  auto controller = StartController({"--resync-seconds", "1"});
  Apply(MigrationYaml("app", "db", "files"));
  ASSERT_TRUE(GetsReason("app", "SourceNotFound"));
  EXPECT_THAT(Condition("app", "Ready", "message"), HasSubstr("files"));
  EXPECT_EQ(Condition("app", "Reconciling", "status"), "True");
  Apply(ConfigMapYaml("files", "001_once.sql", kOnce));
  ASSERT_TRUE(GetsReason("app", "SecretNotFound"));
  EXPECT_THAT(Condition("app", "Ready", "message"), HasSubstr("db"));
  Apply(SecretYaml("db", database_));
  // Secrets are not watched: asked for again after a minute, or at once by a retry request.
  Kubectl({"annotate", "dbmig", "app", "whimbrel.dev/retry-requested-at=2026-01-02T03:04:05Z"});
  EXPECT_TRUE(BecomesReady("app"));
}

TEST_F(ControllerTest, WaitsForTheDatabaseAsReconciling) {
  TcpProxy proxy(database_.port);
  proxy.Refuse();
  auto controller = StartController();
  Apply(SecretYaml("db", database_.WithPort(proxy.port())));
  Apply(ConfigMapYaml("files", "001_once.sql", kOnce));
  Apply(MigrationYaml("app", "db", "files"));
  ASSERT_TRUE(GetsReason("app", "WaitingForDatabase"));
  EXPECT_EQ(Condition("app", "Reconciling", "status"), "True");
  EXPECT_EQ(Condition("app", "Stalled", "status"), "False");
  proxy.Restore();
  EXPECT_TRUE(BecomesReady("app"));
}

TEST_F(ControllerTest, NamesAWrongPasswordAndShowsItNowhere) {
  auto controller = StartController();
  PgTarget wrong = database_;
  wrong.password = "c4n4ry-secret";
  Apply(SecretYaml("db", wrong));
  Apply(ConfigMapYaml("files", "001_once.sql", kOnce));
  Apply(MigrationYaml("app", "db", "files"));
  ASSERT_TRUE(GetsReason("app", "AuthenticationFailed"));
  EXPECT_THAT(Kubectl({"get", "dbmig,events.events.k8s.io", "-o", "yaml"}),
              Not(HasSubstr("c4n4ry")));
  EXPECT_THAT(controller->err() + controller->out(), Not(HasSubstr("c4n4ry")));
  Apply(SecretYaml("db", database_));
  Kubectl({"annotate", "dbmig", "app", "whimbrel.dev/retry-requested-at=2026-01-02T03:04:05Z"});
  EXPECT_TRUE(BecomesReady("app"));
}

TEST_F(ControllerTest, CancelsAtTheDeadlineAndOnRequest) {
  auto controller = StartController();
  ApplyAll("SELECT pg_sleep(600);",
           "  execution:\n    mode: InProcess\n    statementTimeoutSeconds: 60\n    "
           "deadlineSeconds: 61\n");
  ASSERT_TRUE(Eventually([&] { return Sleeping(); }));
  Kubectl({"annotate", "dbmig", "app", "whimbrel.dev/cancel-requested-at=2026-01-02T03:04:05Z"});
  EXPECT_TRUE(GetsReason("app", "Cancelled"));
  EXPECT_TRUE(Eventually([&] { return !Sleeping(); }));
}

TEST_F(ControllerTest, NeverLetsAHungDatabaseDelayAHealthyOne) {
  TcpProxy hole(database_.port);
  hole.BlackHole();
  auto controller = StartController();
  Apply(SecretYaml("hung", database_.WithPort(hole.port())));
  Apply(SecretYaml("db", database_));
  Apply(ConfigMapYaml("files", "001_once.sql", kOnce));
  std::string hung;
  for (int i = 0; i < 20; ++i) {
    hung += MigrationYaml("hung-" + std::to_string(i), "hung", "files") + "---\n";
  }
  Apply(hung);
  ASSERT_TRUE(Eventually([&] {
    // A black hole accepts nothing that could be counted; the status says who tries.
    std::istringstream ids(Kubectl(
        {"get", "dbmig", "-o", "jsonpath={range .items[*]}{.status.run.id}{\"\\n\"}{end}"}));
    return std::distance(std::istream_iterator<std::string>(ids), {}) == 20;
  }));
  Apply(MigrationYaml("app", "db", "files"));
  EXPECT_TRUE(BecomesReady("app"));
}

TEST_F(ControllerTest, AppliesOnceAfterASigkillInTheMiddle) {
  auto controller = StartController();
  ApplyAll(std::string(kOnce) + "\nSELECT pg_sleep(600);");
  ASSERT_TRUE(Eventually([&] { return Sleeping(); }));
  controller->Signal(SIGKILL);
  EXPECT_EQ(controller->Wait(), 128 + SIGKILL);
  EXPECT_EQ(Once(), "none");
  Apply(ConfigMapYaml("files", "001_once.sql", kOnce));
  auto next = StartController();
  EXPECT_TRUE(BecomesReady("app"));
  EXPECT_EQ(Once(), "1");
}

TEST_F(ControllerTest, StopsCleanlyWithinTenSecondsOfSigterm) {
  auto controller = StartController();
  ApplyAll(std::string(kOnce) + "\nSELECT pg_sleep(600);");
  ASSERT_TRUE(Eventually([&] { return Sleeping(); }));
  controller->Signal(SIGTERM);
  EXPECT_EQ(controller->Wait(std::chrono::seconds(10)), 0) << controller->err();
  EXPECT_TRUE(Eventually([&] { return !Sleeping(); }));
  EXPECT_EQ(Once(), "none");
}

TEST_F(ControllerTest, AppliesOnceUnderTwoControllers) {
  auto a = StartController();
  auto b = StartController();
  ApplyAll(kOnce);
  EXPECT_TRUE(BecomesReady("app"));
  EXPECT_TRUE(Eventually([&] {
    return sql_.Scalar(
               "SELECT count(*) FROM pg_stat_activity WHERE application_name LIKE 'whimbrel/%' AND "
               "datname = "
               "current_database()") == "0";
  }));
  EXPECT_EQ(Once(), "1");
}

TEST_F(ControllerTest, RunsNothingWhileSuspended) {
  auto controller = StartController();
  Apply(SecretYaml("db", database_));
  Apply(ConfigMapYaml("files", "001_once.sql", kOnce));
  Apply(
      MigrationYaml("app", "db", "files", "  suspend: true\n  execution:\n    mode: InProcess\n"));
  ASSERT_TRUE(GetsReason("app", "Suspended"));
  EXPECT_EQ(Once(), "none");
  Kubectl({"patch", "dbmig", "app", "--type=merge", "-p", "{\"spec\":{\"suspend\":false}}"});
  EXPECT_TRUE(BecomesReady("app"));
}

TEST_F(ControllerTest, SaysThatJobModeNeedsARunnerImage) {
  auto controller = StartController();
  ApplyAll(kOnce, "  execution: {}\n");
  ASSERT_TRUE(GetsReason("app", "InvalidSpec"));
  EXPECT_THAT(Condition("app", "Ready", "message"), HasSubstr("InProcess"));
}

TEST_F(ControllerTest, WaitsForTheSourceThatTheDigestNames) {
  auto controller = StartController();
  Apply(SecretYaml("db", database_));
  Apply(ConfigMapYaml("files", "001_once.sql", kOnce));
  Apply(MigrationYaml(
      "app", "db", "files",
      "    digest: sha256:" + std::string(64, '0') + "\n  execution:\n    mode: InProcess\n"));
  ASSERT_TRUE(GetsReason("app", "SourceDigestMismatch"));
  EXPECT_EQ(Once(), "none");
}

TEST_F(ControllerTest, NamesTwoSourcesInOneHistory) {
  auto controller = StartController();
  ApplyAll(kOnce);
  ASSERT_TRUE(BecomesReady("app"));
  Apply(ConfigMapYaml("other-files", "001_other.sql", "CREATE TABLE other ();"));
  Apply(MigrationYaml("other", "db", "other-files"));
  ASSERT_TRUE(GetsReason("other", "HistoryConflict"));
  EXPECT_EQ(sql_.Scalar("SELECT to_regclass('other') IS NULL"), "t");
}

TEST_F(ControllerTest, ExplainsAKubeconfigThatIsNotThere) {
  const auto result = whimbrel::testing::RunProcess(
      {.argv = {WHIMBREL_BINARY, "controller", "--kubeconfig", "/nowhere/config"}});
  EXPECT_EQ(result.exit_code, 2);
  EXPECT_THAT(result.err, HasSubstr("/nowhere/config"));
}

TEST_F(ControllerTest, GoesOnAfterTheApiServerWasKilled) {
  auto controller = StartController();
  ApplyAll(kOnce);
  ASSERT_TRUE(BecomesReady("app"));
  api_.Kill9();
  api_.Start();
  AddAFile();
  EXPECT_EQ(Once(), "1");
  EXPECT_TRUE(controller->running());
}

}  // namespace
}  // namespace whimbrel::cli
