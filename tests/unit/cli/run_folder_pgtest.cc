#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <csignal>
#include <nlohmann/json.hpp>
#include <sstream>

#include "support/eventually.h"
#include "unit/cli/folder_run.h"

namespace whimbrel::cli {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;
using whimbrel::testing::Eventually;
using whimbrel::testing::PgClient;
using whimbrel::testing::ProcessResult;
using whimbrel::testing::RunProcess;
using whimbrel::testing::SpawnOptions;
using whimbrel::testing::Subprocess;
using whimbrel::testing::TempDir;

/// Generous for client_connection_check_interval (2 s) on a busy machine, and far from any sleep
/// that a test kills.
constexpr std::chrono::seconds kOrphanLives{20};

class RunFolderTest : public FolderRunTest {};

TEST_F(RunFolderTest, TakesTheDatabaseFromTheEnvironment) {
  folder_.Write("001_a.sql", "CREATE TABLE a (id int);\n");
  const ProcessResult result = Run();
  EXPECT_EQ(result.exit_code, 0) << result.err;
  EXPECT_THAT(result.out, HasSubstr("applied 001"));
  EXPECT_THAT(result.out, HasSubstr("up to date at version 001"));
  EXPECT_THAT(result.out, Not(HasSubstr("\x1b")));
}

TEST_F(RunFolderTest, TakesTheDatabaseFromAFileOrStandardInput) {
  folder_.Write("001_a.sql", "CREATE TABLE a (id int);\n");
  const TempDir other;
  const std::string file = other.Write("url", database_.Uri() + "\n").string();
  EXPECT_EQ(
      RunProcess({.argv = {WHIMBREL_BINARY, "run", folder_.path().string(), "--url-file", file}})
          .exit_code,
      0);
  const ProcessResult piped =
      RunProcess({.argv = {WHIMBREL_BINARY, "run", folder_.path().string(), "--url-file", "-"},
                  .input = database_.Uri()});
  EXPECT_EQ(piped.exit_code, 0) << piped.err;
}

TEST_F(RunFolderTest, ShowsAFailureAsAPersonWantsIt) {
  folder_.Write("001_a.sql", "CREATE TABLE a (id int);\n");
  folder_.Write("002_b.sql", "CREATE TABLE b (id int);\nINSERT INTO nope VALUES (1);\n");
  const ProcessResult result = Run();
  EXPECT_EQ(result.exit_code, 3);
  EXPECT_THAT(
      result.err,
      HasSubstr(
          "MigrationFailed in version 002\n002_b.sql:2:13\n 2 | INSERT INTO nope VALUES (1);\n"
          "   |             ^\n"));
  EXPECT_THAT(result.err, HasSubstr("SQLSTATE 42P01"));
}

TEST_F(RunFolderTest, SpeaksJson) {
  folder_.Write("001_a.sql", "CREATE TABLE a (id int);\n");
  const ProcessResult result = Run({"-o", "json"});
  const nlohmann::json report = nlohmann::json::parse(result.out);
  EXPECT_EQ(report.at("succeeded"), true);
  EXPECT_EQ(report.at("currentVersion"), "001");
}

TEST_F(RunFolderTest, TellsItsProgressInJsonBesideTheReport) {
  folder_.Write("001_a.sql", "CREATE TABLE a (id int);\nSELECT pg_sleep(2.5);\n");
  folder_.Write("002_b.sql", "CREATE TABLE b (id int);\n");
  const ProcessResult result = Run({"-o", "json"});
  EXPECT_EQ(nlohmann::json::parse(result.out).at("appliedThisRun"), 2);
  std::vector<std::string> files;
  bool slow = false;
  std::istringstream lines(result.err);
  for (std::string line; std::getline(lines, line);) {
    const nlohmann::json progress = nlohmann::json::parse(line);
    EXPECT_EQ(progress.at("type"), "progress");
    EXPECT_TRUE(progress.contains("time"));
    const std::string file = progress.value("file", "");
    if (!file.empty() && (files.empty() || files.back() != file)) files.push_back(file);
    slow = slow || (progress.value("statement", 0) == 2 && progress.value("line", 0) == 2 &&
                    progress.value("statements", 0) == 2 && progress.value("total", 0) == 2);
  }
  EXPECT_EQ(files, (std::vector<std::string>{"001_a.sql", "002_b.sql"}));
  EXPECT_TRUE(slow) << result.err;
}

TEST_F(RunFolderTest, TellsALogOfSlowStatementsAlone) {
  folder_.Write("001_a.sql", "CREATE TABLE a (id int);\nSELECT pg_sleep(2.5);\n");
  const ProcessResult result = Run();
  EXPECT_EQ(result.exit_code, 0) << result.err;
  EXPECT_THAT(result.err, HasSubstr("[1/1] 001_a.sql:2 statement 2 of 2, "));
  EXPECT_THAT(result.err, HasSubstr("001_a.sql:2 statement 2 of 2: took "));
  EXPECT_THAT(result.err, Not(HasSubstr("statement 1 of 2")));
  EXPECT_THAT(result.err, Not(HasSubstr("\x1b")));
}

TEST_F(RunFolderTest, CountsWhatTheReportCannotList) {
  for (int i = 1; i <= 23; ++i) folder_.Write(std::to_string(i) + "_x.sql", "SELECT 1;\n");
  const ProcessResult result = Run();
  EXPECT_THAT(result.out, HasSubstr("applied 3 before these\napplied 4 "));
}

TEST_F(RunFolderTest, ExplainsAFolderThatIsNotThere) {
  const ProcessResult result = RunProcess({.argv = {WHIMBREL_BINARY, "run", "/nowhere"}});
  EXPECT_EQ(result.exit_code, 2);
  EXPECT_THAT(result.err, HasSubstr("/nowhere"));
}

TEST_F(RunFolderTest, ExplainsWrongFlags) {
  EXPECT_EQ(RunProcess({.argv = {WHIMBREL_BINARY, "run", "--no-such-flag"}}).exit_code, 2);
  EXPECT_EQ(RunProcess({.argv = {WHIMBREL_BINARY}}).exit_code, 2);
  EXPECT_EQ(RunProcess({.argv = {WHIMBREL_BINARY, "run"}}).exit_code, 2);
  EXPECT_EQ(RunProcess({.argv = {WHIMBREL_BINARY, "version"}}).exit_code, 0);
  const ProcessResult ignored =
      RunProcess({.argv = {WHIMBREL_BINARY, "run", "-f", "x.yaml", "--target", "3"}});
  EXPECT_EQ(ignored.exit_code, 2);
  EXPECT_THAT(ignored.err, HasSubstr("--target"));
  EXPECT_EQ(Run({"--history-set", std::string(64, 'x')}).exit_code, 2);
  EXPECT_EQ(Run({"--lock-timeout-seconds", "0"}).exit_code, 2);
}

TEST_F(RunFolderTest, NeverShowsThePassword) {
  folder_.Write("001_a.sql", "SELECT 1;\n");
  SpawnOptions options = Command({"--log-level", "debug"});
  options.environment["PGPASSWORD"] = "c4n4ry-secret";
  const ProcessResult result = RunProcess(options);
  EXPECT_EQ(result.exit_code, 1);
  EXPECT_THAT(result.err, HasSubstr("AuthenticationFailed"));
  EXPECT_THAT(result.out + result.err, Not(HasSubstr("c4n4ry")));
}

TEST_F(RunFolderTest, NamesTheSqlThatGivesAWeakRoleItsRights) {
  folder_.Write("001_a.sql", "CREATE TABLE a (id int);\n");
  const std::string weak = "weak_" + database_.dbname;
  sql_.Exec("CREATE ROLE " + weak + " LOGIN PASSWORD 'weak'");
  SpawnOptions options = Command();
  options.environment["PGUSER"] = weak;
  options.environment["PGPASSWORD"] = "weak";
  const ProcessResult result = RunProcess(options);
  EXPECT_EQ(result.exit_code, 3);
  EXPECT_THAT(result.err, HasSubstr("PermissionDenied\n"));
  EXPECT_THAT(result.err, HasSubstr("SQLSTATE 42501"));
  EXPECT_THAT(result.err, HasSubstr("CREATE SCHEMA \"whimbrel\" AUTHORIZATION \"" + weak + "\";"));
}

TEST_F(RunFolderTest, NoticesAFileThatChangesWhileItWaitsForALock) {
  folder_.Write("002_b.sql", "CREATE TABLE b (id int);\n");
  // The first file waits for us; by then both were read once.
  sql_.Exec("CREATE TABLE gate ()");
  folder_.Write("001_a.sql", "LOCK TABLE gate;\n");
  PgClient holder(database_);
  holder.Exec("BEGIN; LOCK TABLE gate");
  Subprocess process(Command({"--lock-timeout-seconds", "60"}));
  ASSERT_TRUE(Eventually([&] { return Sessions("wait_event_type = 'Lock'") == "1"; }));
  folder_.Write("002_b.sql", "CREATE TABLE c (id int);\n");
  holder.Exec("COMMIT");
  EXPECT_EQ(process.Wait(), 1);
  EXPECT_THAT(process.err(), HasSubstr("SourceChanged in version 002"));
  EXPECT_EQ(sql_.Scalar("SELECT to_regclass('c') IS NULL"), "t");
  EXPECT_EQ(Run().exit_code, 0);
}

/// A migration that does something, then waits long enough to be killed in.
constexpr const char* kSlow =
    "CREATE TABLE slow (n int);\nINSERT INTO slow VALUES (1);\nSELECT pg_sleep(300);\n";
constexpr const char* kQuick = "CREATE TABLE slow (n int);\nINSERT INTO slow VALUES (1);\n";

TEST_F(RunFolderTest, AppliesOnceAfterASigkillInTheMiddle) {
  folder_.Write("001_slow.sql", kSlow);
  Subprocess first(Command());
  ASSERT_TRUE(Eventually([&] { return Sessions("query LIKE 'SELECT pg_sleep%'") == "1"; }));
  first.Signal(SIGKILL);
  EXPECT_EQ(first.Wait(), 128 + SIGKILL);

  folder_.Write("001_slow.sql", kQuick);
  const ProcessResult second = Run();
  EXPECT_EQ(second.exit_code, 0) << second.err;
  EXPECT_EQ(sql_.Scalar("SELECT count(*) FROM slow"), "1");
}

TEST_F(RunFolderTest, LeavesNothingRunningAfterASigkill) {
  if (sql_.Scalar("SELECT current_setting('server_version_num')::int < 140000") == "t")
    GTEST_SKIP() << "PostgreSQL 13 does not look after its clients";
  folder_.Write("001_slow.sql",
                "CREATE TABLE slow (n int);\nSELECT pg_sleep(300) FROM pg_sleep(0);\n");
  Subprocess process(Command());
  ASSERT_TRUE(Eventually([&] { return Sessions("wait_event = 'PgSleep'") == "1"; }));
  process.Signal(SIGKILL);
  EXPECT_EQ(process.Wait(), 128 + SIGKILL);
  // client_connection_check_interval is 2 s; without it the sleep would go on, and its locks stay.
  EXPECT_TRUE(Eventually([&] { return Sessions() == "0"; }, kOrphanLives));
  EXPECT_EQ(sql_.Scalar("SELECT to_regclass('slow') IS NULL"), "t");
  EXPECT_EQ(sql_.Scalar("SELECT count(*) FROM whimbrel.whimbrel_migration"), "0");
}

TEST_F(RunFolderTest, LeavesNoIndexBuildRunningAtSigterm) {
  sql_.Exec("CREATE TABLE t (n int)");
  PgClient writer(database_);
  writer.Exec("BEGIN; INSERT INTO t VALUES (1)");
  folder_.Write("001_index.sql", "CREATE INDEX CONCURRENTLY i ON t (n);\n");
  Subprocess process(Command({"--lock-timeout-seconds", "60"}));
  const std::string building = "query LIKE 'CREATE INDEX CONC%' AND state = 'active'";
  ASSERT_TRUE(Eventually([&] { return Sessions(building) == "1"; }));
  process.Signal(SIGTERM);
  EXPECT_EQ(process.Wait(std::chrono::seconds(10)), 1);
  EXPECT_EQ(Sessions(building), "0");
  // The next run clears away what the build left, and builds.
  writer.Exec("COMMIT");
  EXPECT_EQ(Run().exit_code, 0);
  EXPECT_EQ(sql_.Scalar("SELECT indisvalid FROM pg_index WHERE indexrelid = 'i'::regclass"), "t");
}

TEST_F(RunFolderTest, StopsCleanlyAtSigterm) {
  folder_.Write("001_slow.sql", kSlow);
  Subprocess process(Command());
  ASSERT_TRUE(Eventually([&] { return Sessions("query LIKE 'SELECT pg_sleep%'") == "1"; }));
  process.Signal(SIGTERM);
  EXPECT_EQ(process.Wait(std::chrono::seconds(10)), 1);
  EXPECT_THAT(process.err(), HasSubstr("Cancelled"));
  EXPECT_TRUE(Eventually([&] { return Sessions() == "0"; }));
}

TEST_F(RunFolderTest, AppliesOnceWhenTwoRunAtOnce) {
  for (int i = 1; i <= 20; ++i) {
    folder_.Write(std::to_string(i) + "_x.sql",
                  "CREATE TABLE IF NOT EXISTS log (n int);\nINSERT INTO log VALUES (" +
                      std::to_string(i) + ");\n");
  }
  Subprocess a(Command());
  Subprocess b(Command());
  EXPECT_EQ(a.Wait(), 0) << a.err();
  EXPECT_EQ(b.Wait(), 0) << b.err();
  EXPECT_EQ(sql_.Scalar("SELECT count(*) || ' ' || count(DISTINCT n) FROM log"), "20 20");
}

}  // namespace
}  // namespace whimbrel::cli
