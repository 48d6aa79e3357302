// The experiments in which nine other migration tools were measured, with Whimbrel in their place:
// each test says what at least one of them does instead.

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <csignal>
#include <set>

#include "support/eventually.h"
#include "unit/cli/folder_run.h"

namespace whimbrel::cli {
namespace {

using ::testing::HasSubstr;
using whimbrel::testing::Eventually;
using whimbrel::testing::EventuallyEquals;
using whimbrel::testing::PgClient;
using whimbrel::testing::ProcessResult;
using whimbrel::testing::Subprocess;

/// `SELECT wait_at_gate()` takes as long as the gate is closed: what the experiments did with
/// pg_sleep.
constexpr const char* kGate = R"sql(
CREATE TABLE gate (closed bool);
INSERT INTO gate VALUES (true);
CREATE TABLE log (n int);
CREATE FUNCTION wait_at_gate() RETURNS int LANGUAGE plpgsql VOLATILE AS $$
BEGIN
  WHILE EXISTS (SELECT FROM public.gate) LOOP
    PERFORM pg_sleep(0.005);
  END LOOP;
  RETURN 1;
END
$$;
)sql";

class PeersExperimentsTest : public FolderRunTest {
 protected:
  PeersExperimentsTest() { sql_.Exec(kGate); }

  void OpenGate() { sql_.Exec("DELETE FROM gate"); }

  [[nodiscard]] ::testing::AssertionResult IsAtTheGate() {
    return EventuallyEquals<std::string>([&] { return Sessions("wait_event = 'PgSleep'"); }, "1");
  }
  [[nodiscard]] ::testing::AssertionResult NoSessionIsLeft() {
    return EventuallyEquals<std::string>([&] { return Sessions(); }, "0");
  }
  [[nodiscard]] ::testing::AssertionResult Exist(const std::vector<std::string>& tables,
                                                 bool exist = true) {
    for (const std::string& table : tables) {
      if ((sql_.Scalar("SELECT to_regclass('" + table + "')") != "") != exist)
        return ::testing::AssertionFailure() << table << (exist ? " is not there" : " is there");
    }
    return ::testing::AssertionSuccess();
  }
  [[nodiscard]] std::string Log() { return sql_.Text("SELECT n FROM log ORDER BY n"); }

  /// Starts a run, and kills it with SIGKILL while it waits at the gate.
  void KillAtTheGate() {
    Subprocess first(Command());
    orphan_ = BackendAtTheGate(first);
    ASSERT_NE(orphan_, "");
    first.Signal(SIGKILL);
    EXPECT_EQ(first.Wait(), 128 + SIGKILL);
  }
  /// The one of `run`, once it is there. One look finds it and its number: between two naps at the
  /// gate nobody sleeps.
  [[nodiscard]] std::string BackendAtTheGate(Subprocess& run) {
    std::string pid;
    EXPECT_TRUE(Eventually([&] {
      pid = sql_.Text(
          "SELECT pid FROM pg_stat_activity WHERE wait_event = 'PgSleep' AND datname = "
          "current_database()");
      return !pid.empty();
    })) << run.err();
    return pid;
  }

  std::string orphan_;  // The backend that worked for the runner that was killed.
};

constexpr const char* kOrdinary =
    "CREATE TABLE k1 ();\nINSERT INTO log VALUES (1);\nSELECT wait_at_gate();\n"
    "CREATE TABLE k2 ();\n";
constexpr const char* kWithoutTransaction =
    "-- whimbrel: file transaction=none\n"
    "CREATE TABLE k1 ();\nINSERT INTO log VALUES (1);\nSELECT wait_at_gate();\n"
    "CREATE TABLE k2 ();\n";

// golang-migrate: `Dirty database version 2. Fix and force version.`, with the work committed after
// the client's death; Liquibase: a lock row for ever.
TEST_F(PeersExperimentsTest, D1KillDuringAnOrdinaryMigrationAndTheNextRunLater) {
  folder_.Write("001_k.sql", kOrdinary);
  KillAtTheGate();
  ASSERT_TRUE(NoSessionIsLeft());
  EXPECT_TRUE(Exist({"k1", "k2"}, false));
  OpenGate();
  const ProcessResult next = Run();
  EXPECT_EQ(next.exit_code, 0) << next.err;
  EXPECT_TRUE(Exist({"k1", "k2"}));
  EXPECT_EQ(Log(), "1");
}

TEST_F(PeersExperimentsTest, D1KillDuringAnOrdinaryMigrationAndTheNextRunAtOnce) {
  folder_.Write("001_k.sql", kOrdinary);
  KillAtTheGate();
  Subprocess next(Command());
  // The dead runner's backend makes way for the next one's.
  ASSERT_TRUE(EventuallyEquals<std::string>(
      [&] { return Sessions("wait_event = 'PgSleep' AND pid <> " + orphan_); }, "1"));
  OpenGate();
  EXPECT_EQ(next.Wait(), 0) << next.err();
  EXPECT_TRUE(Exist({"k1", "k2"}));
  EXPECT_EQ(Log(), "1");
}

// Seven of nine: `relation "k1" already exists`, every time, until a person clears up.
TEST_F(PeersExperimentsTest, D1bKillDuringAFileWithoutATransaction) {
  folder_.Write("001_k.sql", kWithoutTransaction);
  KillAtTheGate();
  ASSERT_TRUE(NoSessionIsLeft());
  EXPECT_TRUE(Exist({"k1"}));
  OpenGate();
  const ProcessResult next = Run();
  EXPECT_EQ(next.exit_code, 0) << next.err;
  EXPECT_TRUE(Exist({"k1", "k2"}));
  EXPECT_EQ(Log(), "1");
}

TEST_F(PeersExperimentsTest, D1bKillDuringAFileWithoutATransactionAndTheNextRunAtOnce) {
  folder_.Write("001_k.sql", kWithoutTransaction);
  KillAtTheGate();
  Subprocess next(Command());
  OpenGate();
  EXPECT_EQ(next.Wait(), 0) << next.err();
  EXPECT_TRUE(Exist({"k1", "k2"}));
  EXPECT_EQ(Log(), "1");
}

// Flyway, goose, dbmate, Atlas, tern: rc 0, and the row is there twice.
TEST_F(PeersExperimentsTest, D1cNoWorkIsDoneTwiceInSilence) {
  folder_.Write("001_k.sql",
                "-- whimbrel: file transaction=none\n"
                "INSERT INTO log SELECT 2 FROM (SELECT wait_at_gate()) AS x;\n");
  KillAtTheGate();
  Subprocess next(Command());
  // The orphan may end its statement now: whether it does, the next run has to find out.
  OpenGate();
  EXPECT_EQ(next.Wait(), 0) << next.err();
  EXPECT_EQ(Log(), "2");
  ASSERT_TRUE(NoSessionIsLeft());
  EXPECT_EQ(Log(), "2");
}

// Flyway, Liquibase, sqitch, golang-migrate: the work is there, the row is not.
TEST_F(PeersExperimentsTest, D1dTheHistoryRowIsInTheTransactionOfTheWork) {
  folder_.Write("001_nothing.sql", "SELECT 1;\n");
  ASSERT_EQ(Run().exit_code, 0);
  sql_.Exec(
      "CREATE FUNCTION slow_history() RETURNS trigger LANGUAGE plpgsql AS "
      "$$ BEGIN PERFORM public.wait_at_gate(); RETURN NULL; END $$;"
      "CREATE TRIGGER slow AFTER UPDATE ON whimbrel.whimbrel_migration "
      "FOR EACH ROW EXECUTE FUNCTION slow_history()");
  folder_.Write("002_k.sql", "CREATE TABLE k1 ();\nINSERT INTO log VALUES (1);\n");
  KillAtTheGate();
  ASSERT_TRUE(NoSessionIsLeft());
  EXPECT_TRUE(Exist({"k1"}, false));
  EXPECT_EQ(sql_.Scalar("SELECT count(*) FROM whimbrel.whimbrel_migration"), "1");
  OpenGate();
  const ProcessResult next = Run();
  EXPECT_EQ(next.exit_code, 0) << next.err;
  EXPECT_EQ(Log(), "1");
}

// goose, dbmate, Alembic, Liquibase: one of the two fails on the history table.
TEST_F(PeersExperimentsTest, D2TwoRunsOnAFreshDatabaseAtTheSameMoment) {
  OpenGate();
  folder_.Write("001_k.sql", kOrdinary);
  folder_.Write("002_l.sql", "INSERT INTO log VALUES (2);\n");
  Subprocess a(Command());
  Subprocess b(Command());
  EXPECT_EQ(a.Wait(), 0) << a.err();
  EXPECT_EQ(b.Wait(), 0) << b.err();
  EXPECT_EQ(Log(), "1\n2");
}

// goose: both rc 0, and every later migration applied twice. Flyway and Atlas: the second gives up
// after 54 and 10 s.
TEST_F(PeersExperimentsTest, D2TheSecondRunWaitsForTheFirst) {
  folder_.Write("001_k.sql", kOrdinary);
  folder_.Write("002_l.sql", "INSERT INTO log VALUES (2);\n");
  Subprocess a(Command());
  ASSERT_TRUE(IsAtTheGate()) << a.err();
  Subprocess b(Command());
  // It has asked several times, and is still there.
  std::set<std::string> asked;
  ASSERT_TRUE(Eventually([&] {
    asked.insert(
        sql_.Text("SELECT query_start FROM pg_stat_activity WHERE application_name LIKE "
                  "'whimbrel/%' AND datname = current_database() AND wait_event = 'ClientRead'"));
    return asked.size() >= 5;
  }));
  EXPECT_TRUE(b.running());
  OpenGate();
  EXPECT_EQ(a.Wait(), 0) << a.err();
  EXPECT_EQ(b.Wait(), 0) << b.err();
  EXPECT_THAT(b.out(), HasSubstr("0 of them now"));
  EXPECT_EQ(Log(), "1\n2");
}

constexpr const char* kBuild = "CREATE INDEX CONCURRENTLY big_n ON big (n);\n";
constexpr const char* kValid =
    "SELECT indisvalid FROM pg_index WHERE indexrelid = 'big_n'::regclass";

// tern, goose, dbmate, Atlas, Liquibase: `cannot run inside a transaction block`. Flyway: hangs.
TEST_F(PeersExperimentsTest, D3CreateIndexConcurrentlyInAPlainFile) {
  sql_.Exec("CREATE TABLE big AS SELECT n FROM generate_series(1, 1000) AS n");
  folder_.Write("001_index.sql", kBuild);
  const ProcessResult result = Run();
  EXPECT_EQ(result.exit_code, 0) << result.err;
  EXPECT_EQ(sql_.Scalar(kValid), "t");
}

// golang-migrate and tern: deadlock, the index left invalid, every later run fails.
TEST_F(PeersExperimentsTest, D3TwoRunsAtOnceWithCreateIndexConcurrently) {
  sql_.Exec("CREATE TABLE big AS SELECT n FROM generate_series(1, 1000) AS n");
  folder_.Write("001_k.sql", kOrdinary);
  folder_.Write("002_index.sql", kBuild);
  Subprocess a(Command());
  ASSERT_TRUE(IsAtTheGate()) << a.err();
  Subprocess b(Command());
  // Each run has a name of its own.
  ASSERT_TRUE(EventuallyEquals<std::string>(
      [&] {
        return sql_.Scalar(
            "SELECT count(DISTINCT application_name) FROM pg_stat_activity WHERE application_name "
            "LIKE 'whimbrel/%' AND datname = current_database()");
      },
      "2"));
  OpenGate();
  EXPECT_EQ(a.Wait(), 0) << a.err();
  EXPECT_EQ(b.Wait(), 0) << b.err();
  EXPECT_EQ(sql_.Scalar(kValid), "t");
  EXPECT_EQ(Log(), "1");
}

// All who lose the process in the midst of it: the index is left invalid, and the next run fails on
// its name or, with IF NOT EXISTS, believes it.
TEST_F(PeersExperimentsTest, D3KillDuringCreateIndexConcurrently) {
  sql_.Exec("CREATE TABLE big AS SELECT n FROM generate_series(1, 1000) AS n");
  folder_.Write("001_index.sql", "CREATE INDEX CONCURRENTLY IF NOT EXISTS big_n ON big (n);\n");
  PgClient writer(database_);
  writer.Exec("BEGIN; INSERT INTO big VALUES (0)");
  Subprocess first(Command());
  // It waits for the writer, its index begun.
  ASSERT_TRUE(EventuallyEquals<std::string>(
      [&] {
        return sql_.Text(
            "SELECT NOT indisvalid FROM pg_index WHERE indexrelid = "
            "to_regclass('big_n')");
      },
      "t"));
  first.Signal(SIGKILL);
  EXPECT_EQ(first.Wait(), 128 + SIGKILL);
  ASSERT_TRUE(NoSessionIsLeft());
  writer.Exec("COMMIT");
  ASSERT_EQ(sql_.Scalar(kValid), "f");
  const ProcessResult next = Run();
  EXPECT_EQ(next.exit_code, 0) << next.err;
  EXPECT_EQ(sql_.Scalar(kValid), "t");
}

constexpr const char* kBroken =
    "CREATE TABLE k1 ();\nINSERT INTO log VALUES (1 / 0);\nINSERT INTO log VALUES (2);\n";
constexpr const char* kMended =
    "CREATE TABLE k1 ();\nINSERT INTO log VALUES (1);\nINSERT INTO log VALUES (2);\n";

// golang-migrate: rolled back, and `dirty` all the same.
TEST_F(PeersExperimentsTest, D4AStatementFailsAndTheFileIsCorrected) {
  folder_.Write("001_k.sql", kBroken);
  const ProcessResult broken = Run();
  EXPECT_EQ(broken.exit_code, 3);
  EXPECT_THAT(broken.err, HasSubstr("001_k.sql:2"));
  EXPECT_THAT(broken.err, HasSubstr("SQLSTATE 22012"));
  EXPECT_TRUE(Exist({"k1"}, false));
  folder_.Write("001_k.sql", kMended);
  const ProcessResult mended = Run();
  EXPECT_EQ(mended.exit_code, 0) << mended.err;
  EXPECT_EQ(Log(), "1\n2");
}

// Seven of nine: k1 stays, and the corrected file fails with `relation "k1" already exists`.
TEST_F(PeersExperimentsTest, D4AStatementFailsWithoutATransactionAndTheFileIsCorrected) {
  const std::string directive = "-- whimbrel: file transaction=none\n";
  folder_.Write("001_k.sql", directive + kBroken);
  const ProcessResult broken = Run();
  EXPECT_EQ(broken.exit_code, 3);
  EXPECT_THAT(broken.err, HasSubstr("001_k.sql:3"));
  EXPECT_TRUE(Exist({"k1"}));
  folder_.Write("001_k.sql", directive + kMended);
  const ProcessResult mended = Run();
  EXPECT_EQ(mended.exit_code, 0) << mended.err;
  EXPECT_EQ(Log(), "1\n2");
}

// All nine: an error, and somebody has to start them again.
TEST_F(PeersExperimentsTest, D5TheServerEndsEverySessionInTheMidst) {
  folder_.Write("001_k.sql", kOrdinary);
  Subprocess run(Command());
  const std::string before = BackendAtTheGate(run);
  ASSERT_NE(before, "");
  sql_.Exec(
      "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name LIKE "
      "'whimbrel/%' AND datname = current_database()");
  ASSERT_TRUE(EventuallyEquals<std::string>(
      [&] { return Sessions("wait_event = 'PgSleep' AND pid <> " + before); }, "1"));
  OpenGate();
  EXPECT_EQ(run.Wait(), 0) << run.err();
  EXPECT_TRUE(Exist({"k1", "k2"}));
  EXPECT_EQ(Log(), "1");
}

// All nine leave client_connection_check_interval at 0: the backend works on, and where the file
// was one message, commits.
TEST_F(PeersExperimentsTest, D7TheServerNoticesThatTheClientIsDead) {
  if (std::stoi(sql_.Scalar("SHOW server_version_num")) < 140000)
    GTEST_SKIP() << "client_connection_check_interval came with PostgreSQL 14";
  folder_.Write("001_k.sql", kOrdinary);
  KillAtTheGate();
  // The gate stays closed: nothing but the server's own look at the socket ends the statement.
  EXPECT_TRUE(NoSessionIsLeft());
  EXPECT_TRUE(Exist({"k1"}, false));
}

// goose, golang-migrate, dbmate, Alembic, sqitch, tern: not noticed.
TEST_F(PeersExperimentsTest, D8AnAppliedFileIsEdited) {
  folder_.Write("001_a.sql", "INSERT INTO log VALUES (1);\n");
  folder_.Write("002_b.sql", "INSERT INTO log VALUES (2);\n");
  ASSERT_EQ(Run().exit_code, 0);
  folder_.Write("001_a.sql", "INSERT INTO log VALUES (10);\n");
  const ProcessResult edited = Run();
  EXPECT_EQ(edited.exit_code, 3);
  EXPECT_THAT(edited.err, HasSubstr("ChecksumMismatch"));
  EXPECT_THAT(edited.err, HasSubstr("001"));
  EXPECT_EQ(Log(), "1\n2");
}

// golang-migrate and Atlas: silently skipped. Liquibase and dbmate: silently run.
TEST_F(PeersExperimentsTest, D8ALowerFileIsAdded) {
  for (const char* number : {"1", "2", "4"})
    folder_.Write("00" + std::string(number) + "_a.sql",
                  "INSERT INTO log VALUES (" + std::string(number) + ");\n");
  ASSERT_EQ(Run().exit_code, 0);
  folder_.Write("003_a.sql", "INSERT INTO log VALUES (3);\n");
  const ProcessResult refused = Run();
  EXPECT_EQ(refused.exit_code, 3);
  EXPECT_THAT(refused.err, HasSubstr("003"));
  EXPECT_EQ(Log(), "1\n2\n4");
  const ProcessResult wanted = Run({"--out-of-order", "Apply"});
  EXPECT_EQ(wanted.exit_code, 0) << wanted.err;
  EXPECT_EQ(Log(), "1\n2\n3\n4");
}

}  // namespace
}  // namespace whimbrel::cli
