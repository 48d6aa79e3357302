#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "support/eventually.h"
#include "support/free_port.h"
#include "unit/cli/runner_fixture.h"
#include "whimbrel/report/progress.h"

namespace whimbrel::cli {
namespace {

namespace fs = std::filesystem;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Not;
using whimbrel::testing::PgClient;
using whimbrel::testing::PgTarget;
using whimbrel::testing::ProcessResult;
using whimbrel::testing::ReadFile;
using whimbrel::testing::RunProcess;
using whimbrel::testing::SharedPostgres;
using whimbrel::testing::SpawnOptions;
using whimbrel::testing::Subprocess;
using whimbrel::testing::TempDir;

const Keys kFiles = {{"001_a.sql", "CREATE TABLE a (id int);\n"},
                     {"002_b.sql", "CREATE TABLE b (id int);\nINSERT INTO b VALUES (1);\n"}};

/// `whimbrel runner` in its pod.
class RunnerTest : public ::testing::Test {
 protected:
  PgTarget database_ = SharedPostgres().CreateDatabase();
  PgClient sql_{database_};
};

TEST_F(RunnerTest, AppliesWhatIsMountedAndLeavesItsReport) {
  RunnerPod pod(kFiles, database_);
  const ProcessResult result = pod.Run();
  EXPECT_EQ(result.exit_code, 0) << result.err;
  EXPECT_EQ(pod.Ending(), "Succeeded 002");
  EXPECT_EQ(pod.Report().applied_this_run, 2);
  EXPECT_EQ(pod.Report().source_digest, pod.task.source_digest);
  EXPECT_EQ(pod.Report().database, database_.dbname);
  EXPECT_EQ(sql_.Scalar("SELECT count(*) FROM b"), "1");
}

TEST_F(RunnerTest, DoesNothingWhereNothingIsToDo) {
  EXPECT_EQ(RunnerPod(kFiles, database_).Run().exit_code, 0);
  RunnerPod again(kFiles, database_);
  const ProcessResult result = again.Run();
  EXPECT_EQ(result.exit_code, 0) << result.err;
  EXPECT_EQ(again.Ending(), "Succeeded 002");
  EXPECT_EQ(again.Report().applied_this_run, 0);
  EXPECT_EQ(again.Report().applied_count, 2);
}

TEST_F(RunnerTest, SpeaksInLinesOfJsonThatAreReadAlone) {
  RunnerPod pod(kFiles, database_);
  const ProcessResult result = pod.Run();
  std::vector<std::string> files;
  std::vector<std::string> types;
  for (const nlohmann::json& line : LinesOf(result.out)) {
    types.push_back(line.value("type", ""));
    const Result<report::Progress> progress = report::ProgressFromJson(line);
    if (progress && !progress->path.empty()) files.push_back(progress->path);
  }
  EXPECT_EQ(files, (std::vector<std::string>{"001_a.sql", "002_b.sql"})) << result.out;
  ASSERT_FALSE(types.empty());
  EXPECT_EQ(types.back(), "report");

  std::vector<std::string> messages;
  for (const nlohmann::json& line : LinesOf(result.err)) messages.push_back(line.value("msg", ""));
  EXPECT_EQ(messages, (std::vector<std::string>{"run started", "run ended"}));
}

TEST_F(RunnerTest, NamesThePlaceOfAFailure) {
  RunnerPod pod({{"001_a.sql", "CREATE TABLE a (id int);\n"},
                 {"002_b.sql", "SELECT 1;\nINSERT INTO nope VALUES (1);\n"}},
                database_);
  EXPECT_EQ(pod.Run().exit_code, 3);
  EXPECT_EQ(pod.Ending(), "MigrationFailed 002");
  const report::Failure failure = pod.Report().failure.value_or(report::Failure());
  EXPECT_EQ(failure.position.ToString(), "002_b.sql:2:13");
  EXPECT_EQ(failure.sql_state, "42P01");
  EXPECT_EQ(pod.Report().applied_this_run, 1);
}

TEST_F(RunnerTest, SaysThatTryingAgainMayHelp) {
  const whimbrel::testing::FreePort closed;
  RunnerPod pod(kFiles, database_.WithPort(closed.number()));
  const ProcessResult result = pod.Run();
  EXPECT_EQ(result.exit_code, 1) << result.err;
  EXPECT_EQ(pod.Ending(), "WaitingForDatabase transient uncounted");
}

TEST_F(RunnerTest, RunsNothingWhenTheFilesAreOthersThanPlanned) {
  RunnerPod pod(kFiles, database_);
  pod.Unmount("source/0");
  pod.Mount("source/0", {{"001_a.sql", "CREATE TABLE other (id int);\n"}});
  EXPECT_EQ(pod.Run().exit_code, 1);
  EXPECT_EQ(pod.Ending(), "SourceChanged transient");
  EXPECT_THAT(pod.FailureMessage(), HasSubstr(pod.task.source_digest));
  EXPECT_EQ(sql_.Scalar("SELECT to_regclass('other') IS NULL"), "t");
  EXPECT_EQ(sql_.Scalar("SELECT count(*) FROM pg_namespace WHERE nspname = 'whimbrel'"), "0");
}

TEST_F(RunnerTest, NamesTheConfigMapsThatAreMissing) {
  RunnerPod pod(kFiles, database_);
  pod.task.folders = {{.origin = "ConfigMap shop/first", .directory = "first"},
                      {.origin = "ConfigMap shop/second", .directory = ""}};
  pod.Unmount("source/0");
  pod.Mount("source/1", {});
  EXPECT_EQ(pod.Run().exit_code, 1);
  EXPECT_EQ(pod.Ending(), "SourceNotFound transient uncounted");
  EXPECT_THAT(pod.FailureMessage(), HasSubstr("ConfigMap shop/first does not exist"));
  EXPECT_THAT(pod.FailureMessage(), HasSubstr("ConfigMap shop/second does not exist"));
}

TEST_F(RunnerTest, NamesTheSecretThatIsMissing) {
  RunnerPod pod(kFiles, database_);
  pod.Unmount("credentials");
  pod.Mount("credentials", {});
  EXPECT_EQ(pod.Run().exit_code, 1);
  EXPECT_EQ(pod.Ending(), "SecretNotFound transient uncounted");
  EXPECT_EQ(pod.FailureMessage(), "Secret shop/orders-db does not exist, or holds no data");
}

TEST_F(RunnerTest, PutsFoldersInlineFilesAndAnArchiveTogether) {
  const TempDir files;
  files.Write("003_c.sql", "CREATE TABLE c (id int);\n");
  const fs::path archive = files / "all.tar.gz";
  const ProcessResult tar = RunProcess(
      {.argv = {"tar", "-czf", archive.string(), "-C", files.path().string(), "003_c.sql"}});
  ASSERT_EQ(tar.exit_code, 0) << tar.err;
  RunnerPod pod(kFiles, database_);
  Keys all = {{"004_d.sql", "CREATE TABLE d (id int);\n"},
              {"003_c.sql", "CREATE TABLE c (id int);\n"}};
  all.insert(kFiles.begin(), kFiles.end());
  pod.task.source_digest = DigestOf(all);
  pod.task.archive = "ConfigMap shop/archive, key all.tar.gz";
  pod.Mount("archive", {{"archive.tar.gz", ReadFile(archive)}});
  pod.task.inline_files = true;
  pod.inline_files = R"([{"name": "004_d.sql", "sql": "CREATE TABLE d (id int);\n"}])";
  const ProcessResult result = pod.Run();
  EXPECT_EQ(result.exit_code, 0) << result.err;
  EXPECT_EQ(pod.Ending(), "Succeeded 004");
}

TEST_F(RunnerTest, EndsWithTwoWhenThereIsNoTaskThatItCanRead) {
  const struct {
    const char* task;
    const char* message;
  } cases[] = {
      {"", "the annotation whimbrel.dev/run-task of the pod is no JSON"},
      {"{", "the annotation whimbrel.dev/run-task of the pod is no JSON"},
      {"[]", "it must be an object"},
      {R"({"schemaVersion": 2})", "schemaVersion is 2, this program knows 1"},
  };
  for (const auto& c : cases) {
    RunnerPod pod(kFiles, database_);
    pod.Mount("task", {{"task.json", c.task}});
    EXPECT_EQ(pod.Run().exit_code, 2) << c.task;
    EXPECT_EQ(pod.Ending(), "InternalError") << c.task;
    EXPECT_THAT(pod.FailureMessage(), HasSubstr(c.message)) << c.task;
  }
  RunnerPod pod(kFiles, database_);
  fs::create_directories(pod.root() / "task");
  EXPECT_EQ(pod.Run().exit_code, 2);
  EXPECT_THAT(pod.FailureMessage(),
              HasSubstr("task/task.json does not exist; `whimbrel runner` is"));
}

TEST_F(RunnerTest, GoesOnWhenTheTerminationMessageCannotBeWritten) {
  RunnerPod pod(kFiles, database_);
  SpawnOptions command = pod.Command();
  command.argv.back() = (pod.root() / "nowhere/termination-log").string();
  const ProcessResult result = RunProcess(command);
  EXPECT_EQ(result.exit_code, 0);
  EXPECT_THAT(result.err, HasSubstr("the termination message cannot be written"));
  EXPECT_THAT(result.err, HasSubstr("No such file or directory"));
  EXPECT_EQ(sql_.Scalar("SELECT count(*) FROM b"), "1");
}

TEST_F(RunnerTest, TakesNothingFromLibpqsEnvironment) {
  RunnerPod pod(kFiles, database_);
  SpawnOptions command = pod.Command();
  command.environment = {{"PGHOST", "192.0.2.1"},
                         {"PGSSLMODE", "require"},
                         {"PGOPTIONS", "-c default_transaction_read_only=on"},
                         {"PGSERVICE", "nowhere"}};
  const ProcessResult result = RunProcess(command);
  EXPECT_EQ(result.exit_code, 0) << result.err;
}

/// A limit of no bytes lets nobody write to a regular file: a root that is read-only. The
/// termination log is a pipe here, which has no such limit.
TEST_F(RunnerTest, WritesNothingButTheTerminationMessage) {
  RunnerPod pod(kFiles, database_);
  SpawnOptions command = pod.Command();
  const TempDir home;
  const TempDir pipe;
  const fs::path fifo = pipe / "termination-log";
  ASSERT_EQ(RunProcess({.argv = {"mkfifo", fifo.string()}}).exit_code, 0);
  command.argv.back() = fifo.string();
  command.argv.insert(command.argv.begin(), {"prlimit", "--fsize=0", "--core=0"});
  command.directory = home.path();
  command.environment = {{"HOME", home.path().string()}, {"TMPDIR", home.path().string()}};
  Subprocess reader({.argv = {"cat", fifo.string()}});
  const ProcessResult result = RunProcess(command);
  EXPECT_EQ(result.exit_code, 0) << result.err;
  EXPECT_EQ(reader.Wait(), 0);
  EXPECT_EQ(nlohmann::json::parse(reader.out()).at("succeeded"), true);
  std::vector<fs::path> written;
  for (const auto& entry : fs::recursive_directory_iterator(home.path()))
    written.push_back(entry.path());
  EXPECT_THAT(written, IsEmpty());
}

}  // namespace
}  // namespace whimbrel::cli
