// What an earlier Whimbrel left in a database, and what a later one would leave: each program that
// reads a ledger goes on with the first and refuses the second.

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

#include "unit/cli/manifests.h"
#include "unit/cli/runner_fixture.h"

namespace whimbrel::cli {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;
using whimbrel::testing::PgClient;
using whimbrel::testing::PgTarget;
using whimbrel::testing::ProcessResult;
using whimbrel::testing::ReadFile;
using whimbrel::testing::RunProcess;
using whimbrel::testing::SharedPostgres;
using whimbrel::testing::TempDir;

/// The files with which tests/fixtures/ledger-1.sql was made, to the byte.
const Keys kNumbered = {
    {"001_customers.sql",
     "CREATE TABLE customers (id int PRIMARY KEY, name text NOT NULL);\n"
     "INSERT INTO customers VALUES (1, 'Ada'), (2, 'Grace');\n"},
    {"001_customers.down.sql", "DROP TABLE customers;\n"},
    {"002_orders.sql",
     "CREATE TABLE orders (id int PRIMARY KEY, customer int NOT NULL REFERENCES customers, "
     "placed date NOT NULL);\n"
     "INSERT INTO orders VALUES (1, 1, '2026-01-02'), (2, 2, '2026-01-03');\n"
     "CREATE INDEX CONCURRENTLY orders_customer ON orders (customer);\n"
     "CREATE INDEX CONCURRENTLY orders_placed ON orders (placed);\n"
     "INSERT INTO orders VALUES (3, 2, '2026-01-04');\n"}};
const Keys kFlyway = {
    {"V1__notes.sql", "CREATE TABLE notes (id int);\n"},
    {"R__note_count.sql",
     "CREATE OR REPLACE VIEW note_count AS SELECT count(*)::int AS n FROM notes;\n"}};

class UpgradeTest : public ::testing::Test {
 protected:
  UpgradeTest() {
    // By a client of its own: a dump changes settings of its session.
    PgClient(database_).Exec(ReadFile(WHIMBREL_SOURCE_DIR "/tests/fixtures/ledger-1.sql"));
  }

  ProcessResult Whimbrel(std::vector<std::string> arguments) {
    arguments.insert(arguments.begin(), WHIMBREL_BINARY);
    return RunProcess({.argv = std::move(arguments), .environment = database_.Environment()});
  }
  ProcessResult RunFolder(const Keys& files) {
    const TempDir folder;
    for (const auto& [name, text] : files) folder.Write(name, text);
    return Whimbrel({"run", folder.path().string()});
  }
  /// Everything that Whimbrel has recorded, and when it touched which row.
  std::string Records() {
    return sql_.Text(
               "SELECT xmin, * FROM whimbrel.whimbrel_migration ORDER BY set, kind, id, run") +
           sql_.Text("SELECT xmin, * FROM whimbrel.whimbrel_journal ORDER BY set, id, run, step");
  }
  void MakeItNewer() {
    sql_.Exec("UPDATE whimbrel.whimbrel_meta SET schema_version = schema_version + 1");
  }

  PgTarget database_ = SharedPostgres().CreateDatabase();
  PgClient sql_{database_};
};

TEST_F(UpgradeTest, GoesOnWithAFileThatTheOlderVersionDidNotFinish) {
  const ProcessResult result = RunFolder(kNumbered);
  EXPECT_EQ(result.exit_code, 0) << result.err;
  EXPECT_THAT(result.out, HasSubstr("up to date at version 002: 2 applied, 1 of them now"));
  EXPECT_EQ(sql_.Text("SELECT id FROM orders ORDER BY id"), "1\n2\n3") << "each step once";
  EXPECT_EQ(sql_.Text("SELECT indisvalid FROM pg_index WHERE indexrelid = "
                      "'public.orders_placed'::regclass"),
            "t");
  EXPECT_EQ(sql_.Text("SELECT state, attempt FROM whimbrel.whimbrel_migration WHERE path = "
                      "'002_orders.sql'"),
            "applied|2");
}

TEST_F(UpgradeTest, FindsNothingToDoWhereTheOlderVersionWasDone) {
  const std::string before = Records();
  const ProcessResult result = RunFolder(kFlyway);
  EXPECT_EQ(result.exit_code, 0) << result.err;
  EXPECT_THAT(result.out, HasSubstr("up to date at version 1: 2 applied, 0 of them now"));
  EXPECT_EQ(Records(), before);
}

TEST_F(UpgradeTest, NoticesAnEditOfWhatTheOlderVersionApplied) {
  Keys edited = kNumbered;
  edited["001_customers.sql"] += "SELECT 1;\n";
  const ProcessResult result = RunFolder(edited);
  EXPECT_EQ(result.exit_code, 3);
  EXPECT_THAT(result.err, HasSubstr("ChecksumMismatch"));
}

constexpr const char* kRefusal = "says schema version 2, but this Whimbrel knows 1";
constexpr const char* kAdvice = "run that version or a newer one";

TEST_F(UpgradeTest, RunInAFolderRefusesALedgerOfANewerVersion) {
  MakeItNewer();
  const std::string before = Records();
  const ProcessResult result = RunFolder(kNumbered);
  EXPECT_EQ(result.exit_code, 3);
  EXPECT_THAT(result.err, AllOf(HasSubstr(kRefusal), HasSubstr(kAdvice)));
  EXPECT_EQ(Records(), before);
}

TEST_F(UpgradeTest, TheRunnerOfAJobRefusesALedgerOfANewerVersion) {
  MakeItNewer();
  const std::string before = Records();
  RunnerPod pod(kNumbered, database_);
  EXPECT_EQ(pod.Run().exit_code, 3);
  EXPECT_EQ(pod.Ending(), "InternalError");
  EXPECT_THAT(pod.FailureMessage(), HasSubstr(kRefusal));
  EXPECT_EQ(Records(), before);
}

TEST_F(UpgradeTest, AResourceShowsThatTheLedgerIsOfANewerVersion) {
  MakeItNewer();
  const TempDir folder;
  folder.Write("1.yaml", SecretYaml("db", database_));
  folder.Write("2.yaml",
               "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: files}\ndata:\n"
               "  003_more.sql: CREATE TABLE more ();\n");
  folder.Write("3.yaml", MigrationYaml("orders", "db", "files"));
  const ProcessResult result =
      RunProcess({.argv = {WHIMBREL_BINARY, "run", "-f", folder.path().string(), "-o", "json"}});
  EXPECT_EQ(result.exit_code, 3) << result.err;
  const auto status = nlohmann::json::parse(result.out).at("items").at(0).at("status");
  EXPECT_THAT(status.at("failure").at("message").get<std::string>(), HasSubstr(kRefusal));
  EXPECT_THAT(status.at("failure").at("hint").get<std::string>(), HasSubstr(kAdvice));
  for (const auto& condition : status.at("conditions")) {
    if (condition.at("type") == "Stalled") {
      EXPECT_EQ(condition.at("status"), "True");
      EXPECT_THAT(condition.at("message").get<std::string>(), HasSubstr(kRefusal));
    }
  }
  EXPECT_EQ(sql_.Scalar("SELECT to_regclass('public.more') IS NULL"), "t");
}

/// An init container of an older release must neither keep its pods from starting nor let them
/// start too early: it asks one table what is applied, whatever version it has.
TEST_F(UpgradeTest, WaitReadsALedgerOfANewerVersionAndTakesWhatItDoesNotKnowForUnfinished) {
  MakeItNewer();
  const auto wait = [&](const std::string& version) {
    return Whimbrel({"wait", "--database", "--at-least", version, "--timeout-seconds", "1"});
  };
  EXPECT_EQ(wait("1").exit_code, 0);
  sql_.Exec(
      "ALTER TABLE whimbrel.whimbrel_migration DROP CONSTRAINT whimbrel_migration_state_check");
  sql_.Exec("UPDATE whimbrel.whimbrel_migration SET state = 'checking' WHERE path LIKE '001_%'");
  const ProcessResult result = wait("1");
  EXPECT_EQ(result.exit_code, 1);
  EXPECT_THAT(result.out, HasSubstr("1 has begun but not ended"));
}

}  // namespace
}  // namespace whimbrel::cli
