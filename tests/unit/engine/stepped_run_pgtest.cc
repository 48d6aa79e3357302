#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "support/eventually.h"
#include "support/tcp_proxy.h"
#include "unit/engine/run_fixture.h"

namespace whimbrel::engine {
namespace {

using ::testing::HasSubstr;
using whimbrel::testing::PgClient;
using whimbrel::testing::PgTarget;
using whimbrel::testing::SharedPostgres;
using whimbrel::testing::TcpProxy;

class SteppedRunTest : public ::testing::Test {
 protected:
  /// `state attempt` of each row, newest last.
  std::string Ledger() {
    return sql_.Text("SELECT state, attempt FROM whimbrel.whimbrel_migration ORDER BY id, run");
  }
  /// Steps that are done, of those with a row.
  std::string Journal() {
    return sql_.Scalar(
        "SELECT count(done_at) || ' of ' || count(*) FROM whimbrel.whimbrel_journal");
  }
  std::string InvalidIndexes() {
    return sql_.Scalar("SELECT count(*) FROM pg_index WHERE NOT indisvalid");
  }
  std::string Rows(const std::string& table) {
    return sql_.Scalar("SELECT coalesce(string_agg(n::text, ',' ORDER BY n), '') FROM " + table);
  }

  PgTarget database_ = SharedPostgres().CreateDatabase();
  PgClient sql_{database_};
};

const Files kMixed = {{"001_mixed.sql",
                       "CREATE TABLE t (n int);\n"
                       "INSERT INTO t VALUES (1), (2);\n"
                       "CREATE INDEX CONCURRENTLY t_n ON t (n);\n"
                       "INSERT INTO t VALUES (3);\n"
                       "VACUUM t;\n"}};

TEST_F(SteppedRunTest, RunsAMixedFile) {
  const report::RunReport report = Execute(RequestFor(database_, kMixed));
  EXPECT_EQ(Ending(report), "Succeeded 001") << (report.failure ? report.failure->message : "");
  EXPECT_EQ(Rows("t"), "1,2,3");
  EXPECT_EQ(Ledger(), "applied|1");
  EXPECT_EQ(Journal(), "4 of 4");
  EXPECT_EQ(Ending(Execute(RequestFor(database_, kMixed))), "Succeeded 001");
  EXPECT_EQ(Ledger(), "applied|1");
}

TEST_F(SteppedRunTest, RunsBlocksEachInItsOwnTransaction) {
  const report::RunReport report = Execute(RequestFor(
      database_,
      {{"001_blocks.sql",
        "BEGIN;\nCREATE TABLE x AS SELECT txid_current() AS n;\nCOMMIT;\n"
        "BEGIN ISOLATION LEVEL SERIALIZABLE;\nINSERT INTO x VALUES (txid_current());\n"
        "CREATE TABLE level AS SELECT current_setting('transaction_isolation');\nEND;\n"}}));
  EXPECT_EQ(Ending(report), "Succeeded 001") << (report.failure ? report.failure->message : "");
  EXPECT_EQ(sql_.Scalar("SELECT count(DISTINCT n) FROM x"), "2");
  EXPECT_EQ(sql_.Scalar("SELECT * FROM level"), "serializable");
}

TEST_F(SteppedRunTest, GoesOnBehindWhatIsDoneWhenTheFileIsMended) {
  Files files = {{"001_steps.sql",
                  "BEGIN; CREATE TABLE t (n int); INSERT INTO t VALUES (1); COMMIT;\n"
                  "BEGIN; INSERT INTO t VALUES (2); SELECT 1/0; COMMIT;\n"}};
  const report::RunReport failed = Execute(RequestFor(database_, files));
  EXPECT_EQ(Ending(failed), "MigrationFailed 001");
  EXPECT_EQ(failed.failure->sql_state, "22012");
  EXPECT_EQ(failed.failure->position.line, 2);
  EXPECT_THAT(failed.failure->hint, HasSubstr("the first 1 of 2 steps"));
  EXPECT_EQ(Rows("t"), "1");
  EXPECT_EQ(Ledger(), "running|1");

  files[0].second =
      "-- Comments may be changed.\n"
      "BEGIN; CREATE TABLE t (n int); INSERT INTO t VALUES (1); COMMIT;\n"
      "BEGIN; INSERT INTO t VALUES (2); COMMIT;\n";
  EXPECT_EQ(Ending(Execute(RequestFor(database_, files))), "Succeeded 001");
  EXPECT_EQ(Rows("t"), "1,2");
  EXPECT_EQ(Ledger(), "applied|2");
  // With the sums of what it became.
  EXPECT_EQ(Ending(Execute(RequestFor(database_, files))), "Succeeded 001");
}

TEST_F(SteppedRunTest, RefusesAChangeOfWhatIsDone) {
  Files files = {
      {"001_steps.sql", "BEGIN; CREATE TABLE t (n int); COMMIT;\nBEGIN; SELECT 1/0; COMMIT;\n"}};
  EXPECT_EQ(Ending(Execute(RequestFor(database_, files))), "MigrationFailed 001");
  files[0].second = "BEGIN; CREATE TABLE u (n int); COMMIT;\nBEGIN; SELECT 1; COMMIT;\n";
  const report::RunReport changed = Execute(RequestFor(database_, files));
  EXPECT_EQ(Ending(changed), "PartiallyApplied 001");
  EXPECT_THAT(changed.failure->message, HasSubstr("step 1"));
  EXPECT_EQ(Ending(Execute(RequestFor(database_, {{"002_other.sql", "SELECT 1;"}}))),
            "PartiallyApplied 001");
}

TEST_F(SteppedRunTest, LeavesNothingOfAFileWhoseFirstTransactionFailed) {
  Files files = {{"001_steps.sql", "CREATE TABLE t (n int); SELECT 1/0; VACUUM;\n"}};
  EXPECT_EQ(Ending(Execute(RequestFor(database_, files))), "MigrationFailed 001");
  EXPECT_EQ(Ledger(), "");
  EXPECT_EQ(sql_.Scalar("SELECT to_regclass('t') IS NULL"), "t");
}

TEST_F(SteppedRunTest, CommitsEachStatementWhereNoneIsAskedFor) {
  const Files files = {{"001_enum.sql",
                        "-- whimbrel: file transaction=none\n"
                        "CREATE TYPE mood AS ENUM ('sad');\n"
                        "ALTER TYPE mood ADD VALUE 'happy';\n"
                        "CREATE TABLE t AS SELECT 'happy'::mood AS n;\n"}};
  EXPECT_EQ(Ending(Execute(RequestFor(database_, files))), "Succeeded 001");
  EXPECT_EQ(Rows("t"), "happy");
  EXPECT_EQ(Journal(), "3 of 3");
}

TEST_F(SteppedRunTest, NamesTheDirectiveThatANewEnumValueNeeds) {
  const Files files = {{"001_enum.sql",
                        "ALTER TYPE mood ADD VALUE 'happy';\n"
                        "CREATE TABLE t AS SELECT 'happy'::mood AS n;\n"}};
  sql_.Exec("CREATE TYPE mood AS ENUM ('sad')");
  const report::RunReport report = Execute(RequestFor(database_, files));
  EXPECT_EQ(Ending(report), "MigrationFailed 001");
  EXPECT_THAT(report.failure->hint, HasSubstr("transaction=none"));
}

TEST_F(SteppedRunTest, NamesTheDirectiveThatACommitInsideNeeds) {
  sql_.Exec("CREATE TABLE t (n int)");
  const std::string body = "DO $$ BEGIN INSERT INTO t VALUES (1); COMMIT; END $$;\n";
  const report::RunReport report = Execute(RequestFor(database_, {{"001_do.sql", body}}));
  EXPECT_EQ(Ending(report), "MigrationFailed 001");
  EXPECT_EQ(report.failure->sql_state, "2D000");
  EXPECT_THAT(report.failure->hint, HasSubstr("transaction=none idempotent"));
  EXPECT_EQ(Ending(Execute(RequestFor(
                database_, {{"001_do.sql", "-- whimbrel: transaction=none idempotent\n" + body}}))),
            "Succeeded 001");
  EXPECT_EQ(Rows("t"), "1");
}

TEST_F(SteppedRunTest, ReplaysWhatTheFileHasSetBeforeEachStep) {
  sql_.Exec("CREATE SCHEMA a; CREATE ROLE app_" + database_.dbname +
            "; GRANT ALL ON SCHEMA a TO app_" + database_.dbname);
  const Files files = {{"001_set.sql", "SET search_path = a;\nSET ROLE app_" + database_.dbname +
                                           ";\nCREATE TABLE t (n int);\n"
                                           "CREATE INDEX CONCURRENTLY t_n ON t (n);\n"
                                           "INSERT INTO t VALUES (1);\n"}};
  const report::RunReport report = Execute(RequestFor(database_, files));
  EXPECT_EQ(Ending(report), "Succeeded 001") << (report.failure ? report.failure->message : "");
  EXPECT_EQ(Rows("a.t"), "1");
  EXPECT_EQ(sql_.Scalar("SELECT tableowner FROM pg_tables WHERE tablename = 't'"),
            "app_" + database_.dbname);
}

TEST_F(SteppedRunTest, AppliesAllFilesInOneTransactionOrNone) {
  Files files = {
      {"001_a.sql", "CREATE TEMP TABLE leftover (n int); CREATE TABLE a AS SELECT 1 AS n;\n"},
      {"002_b.sql", "SET search_path = nowhere; CREATE TABLE public.b AS SELECT 1 AS n;\n"},
      {"003_c.sql", "CREATE TABLE c AS SELECT 1/0 AS n;\n"}};
  report::RunRequest request = RequestFor(database_, files);
  request.execution.transaction = report::TransactionPolicy::kAll;
  EXPECT_EQ(Ending(Execute(request)), "MigrationFailed 003");
  EXPECT_EQ(Ledger(), "");

  files[2].second =
      "CREATE TABLE c AS SELECT count(*) AS n FROM pg_tables WHERE tablename = 'leftover';\n";
  request = RequestFor(database_, files);
  request.execution.transaction = report::TransactionPolicy::kAll;
  const report::RunReport report = Execute(request);
  EXPECT_EQ(Ending(report), "Succeeded 003") << (report.failure ? report.failure->message : "");
  EXPECT_EQ(report.applied_this_run, 3);
  EXPECT_EQ(Rows("c"), "0");
  EXPECT_EQ(sql_.Scalar("SELECT count(DISTINCT xmin::text) FROM whimbrel.whimbrel_migration"), "1");
}

TEST_F(SteppedRunTest, RefusesUnderAllWhatCannotBePartOfATransaction) {
  report::RunRequest request = RequestFor(database_, kMixed);
  request.execution.transaction = report::TransactionPolicy::kAll;
  const report::RunReport report = Execute(request);
  EXPECT_EQ(Ending(report), "InvalidSource 001");
  EXPECT_EQ(report.failure->position.line, 3);
}

TEST_F(SteppedRunTest, WritesTheToolsRowWithTheLastStep) {
  Files files = {{"V1__mixed.sql", kMixed[0].second + "SELECT 1/0;\n"}};
  EXPECT_EQ(Ending(Execute(RequestFor(database_, files))), "MigrationFailed 1");
  EXPECT_EQ(sql_.Scalar("SELECT count(*) FROM flyway_schema_history"), "0");
  files[0].second = kMixed[0].second;
  EXPECT_EQ(Ending(Execute(RequestFor(database_, files))), "Succeeded 1");
  EXPECT_EQ(sql_.Text("SELECT version, success FROM flyway_schema_history"), "1|t");
  EXPECT_EQ(Rows("t"), "1,2,3");
}

TEST_F(SteppedRunTest, KeepsATableWithoutAnAdvisoryLockTrue) {
  report::RunRequest request = RequestFor(database_, kMixed);
  request.history.table = "public.migrations(name)";
  EXPECT_EQ(Ending(Execute(request)), "Succeeded 001");
  EXPECT_EQ(sql_.Text("SELECT name FROM migrations"), "001_mixed.sql");
}

TEST_F(SteppedRunTest, KeepsOthersOutOfSuchATableWhileAStatementRuns) {
  sql_.Exec(
      "CREATE TABLE t AS SELECT 1 AS n; CREATE FUNCTION locked(n int) RETURNS int IMMUTABLE "
      "LANGUAGE plpgsql AS $$ BEGIN IF NOT EXISTS (SELECT FROM pg_catalog.pg_locks WHERE relation "
      "= to_regclass('public.migrations') AND mode = 'ShareRowExclusiveLock') THEN RAISE 'nobody "
      "holds the table'; END IF; RETURN n; END $$");
  report::RunRequest request =
      RequestFor(database_, {{"001_i.sql", "CREATE INDEX CONCURRENTLY t_i ON t (locked(n));\n"}});
  request.history.table = "public.migrations(name)";
  const report::RunReport report = Execute(request);
  EXPECT_EQ(Ending(report), "Succeeded 001") << (report.failure ? report.failure->message : "");
}

TEST_F(SteppedRunTest, RefusesAnIndexThatIsThereAlready) {
  sql_.Exec("CREATE TABLE t (n int); CREATE INDEX t_n ON t (n)");
  const Files files = {{"001_i.sql", "CREATE INDEX CONCURRENTLY t_n ON t (n);\n"}};
  const report::RunReport report = Execute(RequestFor(database_, files));
  EXPECT_EQ(Ending(report), "MigrationFailed 001");
  EXPECT_EQ(report.failure->position.line, 1);
  EXPECT_EQ(Ledger(), "");
}

TEST_F(SteppedRunTest, ClearsAwayAnIndexThatCannotBeBuilt) {
  const Files files = {{"001_i.sql",
                        "CREATE TABLE t AS SELECT 1 AS n FROM generate_series(1, 2);\n"
                        "CREATE UNIQUE INDEX CONCURRENTLY t_n ON t (n);\n"}};
  const report::RunReport report = Execute(RequestFor(database_, files));
  EXPECT_EQ(Ending(report), "MigrationFailed 001");
  EXPECT_EQ(report.failure->sql_state, "23505");
  EXPECT_EQ(sql_.Scalar("SELECT to_regclass('t_n') IS NULL"), "t");
  sql_.Exec("DELETE FROM t WHERE ctid = '(0,1)'");
  EXPECT_EQ(Ending(Execute(RequestFor(database_, files))), "Succeeded 001");
}

TEST_F(SteppedRunTest, KnowsItsOwnLeftoversAfterTheStatementWasMended) {
  sql_.Exec("CREATE TABLE t AS SELECT 1 AS n, 2 AS m FROM generate_series(1, 2)");
  Files files = {{"001_i.sql", "CREATE UNIQUE INDEX CONCURRENTLY t_i ON t (n);\n"}};
  TcpProxy proxy(database_.port);
  // The failed build leaves its index, since the run has no connection to clear it away.
  proxy.CutAfterRequest("CREATE UNIQUE INDEX");
  std::stop_source stop;
  const report::RunReport cut = RunNow(RequestFor(database_.WithPort(proxy.port()), files),
                                       stop.get_token(), [&](const report::Progress& progress) {
                                         if (progress.phase == report::Progress::Phase::kRetrying)
                                           stop.request_stop();
                                       });
  ASSERT_EQ(Ending(cut), "Cancelled ");
  ASSERT_EQ(InvalidIndexes(), "1");
  files[0].second = "CREATE INDEX CONCURRENTLY t_i ON t (m);\n";
  const report::RunReport report = Execute(RequestFor(database_, files));
  EXPECT_EQ(Ending(report), "Succeeded 001") << (report.failure ? report.failure->message : "");
  EXPECT_EQ(InvalidIndexes(), "0");
}

TEST_F(SteppedRunTest, SaysOfACancelledStatementThatTheNextRunLooksAfterIt) {
  sql_.Exec("CREATE TABLE t (n int)");
  PgClient writer(database_);
  writer.Exec("BEGIN; INSERT INTO t VALUES (1)");
  const Files files = {{"001_i.sql", "CREATE INDEX CONCURRENTLY t_n ON t (n);\n"}};
  std::stop_source stop;
  const report::RunReport stopped =
      RunNow(RequestFor(database_, files), stop.get_token(), [&](const report::Progress& progress) {
        if (!progress.activity.empty()) stop.request_stop();
      });
  EXPECT_EQ(Ending(stopped), "Cancelled 001");
  EXPECT_THAT(stopped.failure->message, HasSubstr("the next run looks what became of it"));
  writer.Exec("COMMIT");
  EXPECT_EQ(Ending(Execute(RequestFor(database_, files))), "Succeeded 001");
  EXPECT_EQ(InvalidIndexes(), "0");
}

struct Loss {
  const char* name;
  const char* request;  ///< After this one the connection is lost.
};

class LossInAStep : public SteppedRunTest, public ::testing::WithParamInterface<Loss> {};

TEST_P(LossInAStep, IsMadeUpFor) {
  TcpProxy proxy(database_.port);
  proxy.CutAfterRequest(GetParam().request);
  const report::RunReport report = Execute(RequestFor(database_.WithPort(proxy.port()), kMixed));
  EXPECT_EQ(Ending(report), "Succeeded 001") << (report.failure ? report.failure->message : "");
  EXPECT_EQ(report.applied_this_run, 1);
  EXPECT_EQ(Rows("t"), "1,2,3");
  EXPECT_EQ(InvalidIndexes(), "0");
  EXPECT_EQ(Journal(), "4 of 4");
  EXPECT_EQ(sql_.Scalar("SELECT state FROM whimbrel.whimbrel_migration"), "applied");
}

INSTANTIATE_TEST_SUITE_P(Boundaries, LossInAStep,
                         ::testing::ValuesIn({
                             Loss{"InTheFirstTransaction", "CREATE TABLE t"},
                             Loss{"AfterTheIntent", "AS j (set"},
                             Loss{"InTheIndexBuild", "CREATE INDEX CONCURRENTLY t_n"},
                             Loss{"InALaterTransaction", "INSERT INTO t VALUES (3)"},
                             Loss{"InTheVacuum", "VACUUM t"},
                             Loss{"AfterTheLastRow", "SET applied_at"},
                         }),
                         [](const auto& param) { return param.param.name; });

}  // namespace
}  // namespace whimbrel::engine
