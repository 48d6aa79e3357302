#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "support/eventually.h"
#include "unit/engine/run_fixture.h"

namespace whimbrel::engine {
namespace {

using ::testing::HasSubstr;
using whimbrel::testing::PgClient;
using whimbrel::testing::PgTarget;
using whimbrel::testing::SharedPostgres;

const Files kTwoTables = {{"001_a.sql", "CREATE TABLE a (id int);\n"},
                          {"002_b.sql", "CREATE TABLE b (id int);\n"}};

class RunTest : public ::testing::Test {
 protected:
  PgTarget database_ = SharedPostgres().CreateDatabase();
  PgClient sql_{database_};

  report::RunReport Run(const Files& files) { return Execute(RequestFor(database_, files)); }
  std::string Tables() {
    return sql_.Text(
        "SELECT string_agg(relname, ',' ORDER BY relname) FROM pg_class WHERE relkind = 'r' AND "
        "relnamespace = 'public'::regnamespace");
  }
  std::string Ledger() {
    return sql_.Text(
        "SELECT string_agg(kind || id || '#' || run || ' ' || state, ', ' ORDER BY id, run) FROM "
        "whimbrel.whimbrel_migration");
  }
};

TEST_F(RunTest, AppliesAllFilesAndThenHasNothingToDo) {
  const report::RunReport first = Run(kTwoTables);
  EXPECT_EQ(Ending(first), "Succeeded 002");
  EXPECT_EQ(first.applied_this_run, 2);
  EXPECT_EQ(first.applied_count, 2);
  EXPECT_EQ(first.pending_count, 0);
  EXPECT_EQ(first.applied.at(0).version, "002");
  EXPECT_EQ(first.format, "Numbered");
  EXPECT_EQ(Tables(), "a,b");

  const report::RunReport second = Run(kTwoTables);
  EXPECT_EQ(Ending(second), "Succeeded 002");
  EXPECT_EQ(second.applied_this_run, 0);
  EXPECT_EQ(second.applied_count, 2);
  EXPECT_EQ(Ledger(), "V1#1 applied, V2#1 applied");
}

TEST_F(RunTest, LeavesNothingOfAFileThatFails) {
  Files files = kTwoTables;
  files.push_back({"003_c.sql", "CREATE TABLE c (id int);\nSELECT 'é' ||\n       'ü' || nope;\n"});
  files.push_back({"004_d.sql", "CREATE TABLE d (id int);\n"});
  const report::RunReport report = Run(files);
  EXPECT_EQ(Ending(report), "MigrationFailed 003");
  EXPECT_EQ(report.failure->position.ToString(), "003_c.sql:3:15");
  EXPECT_EQ(report.failure->sql_state, "42703");
  EXPECT_THAT(report.failure->message, HasSubstr("nope"));
  EXPECT_EQ(Tables(), "a,b");
  EXPECT_EQ(report.current_version, "002");
  EXPECT_EQ(report.pending_count, 2);

  files[2].second = "CREATE TABLE c (id int);\n";
  EXPECT_EQ(Ending(Run(files)), "Succeeded 004");
  EXPECT_EQ(Tables(), "a,b,c,d");
}

TEST_F(RunTest, PutsItsOwnTransactionInPlaceOfTheFiles) {
  EXPECT_EQ(Ending(Run({{"001_a.sql", "BEGIN;\nCREATE TABLE a (id int);\nCOMMIT;\n"}})),
            "Succeeded 001");
  // Had the file's COMMIT been sent, the failing statement would have left the table.
  EXPECT_EQ(
      Ending(Run({{"001_a.sql", "BEGIN;\nCREATE TABLE a (id int);\nCOMMIT;\n"},
                  {"002_b.sql", "BEGIN;\nCREATE TABLE b (id int);\nSELECT 1/0;\nCOMMIT;\n"}})),
      "MigrationFailed 002");
  EXPECT_EQ(Tables(), "a");
}

TEST_F(RunTest, RefusesWhatCannotBeMadeSafeBeforeAnythingRuns) {
  const report::RunReport report = Run(
      {{"001_a.sql", "CREATE TABLE a (id int);\n"}, {"002_i.sql", "BEGIN;\nVACUUM a;\nCOMMIT;\n"}});
  EXPECT_EQ(Ending(report), "InvalidSource 002");
  EXPECT_EQ(report.failure->position.ToString(), "002_i.sql:2:1");
  EXPECT_EQ(Tables(), "");
}

TEST_F(RunTest, StreamsCopyData) {
  EXPECT_EQ(Ending(Run({{"001_a.sql",
                         "CREATE TABLE a (id int, t text);\nCOPY a FROM stdin;\n1\tx;y\n2\t'\n\\.\n"
                         "INSERT INTO a VALUES (3, 'z');\n"}})),
            "Succeeded 001");
  EXPECT_EQ(sql_.Scalar("SELECT string_agg(id || t, ' ' ORDER BY id) FROM a"), "1x;y 2' 3z");
}

TEST_F(RunTest, NamesAnEditedFile) {
  Run(kTwoTables);
  Files edited = kTwoTables;
  edited[0].second += "CREATE TABLE more ();\n";
  const report::RunReport report = Run(edited);
  EXPECT_EQ(Ending(report), "ChecksumMismatch 001");
  EXPECT_THAT(report.failure->message, HasSubstr("001_a.sql"));
  EXPECT_EQ(Tables(), "a,b");
}

TEST_F(RunTest, DoesNotMindLineEndsAndTrailingWhiteSpace) {
  Run(kTwoTables);
  Files edited = kTwoTables;
  edited[0].second = "CREATE TABLE a (id int);\r\n\r\n  ";
  EXPECT_EQ(Ending(Run(edited)), "Succeeded 002");
}

TEST_F(RunTest, StopsAtTheTargetVersion) {
  report::RunRequest request = RequestFor(database_, kTwoTables);
  request.target_version = "1";
  EXPECT_EQ(Ending(Execute(request)), "Succeeded 001");
  EXPECT_EQ(Tables(), "a");
}

TEST_F(RunTest, RefusesASecondSourceInTheSameHistory) {
  Run(kTwoTables);
  const report::RunReport report = Run({{"001_other.sql", "CREATE TABLE other ();\n"}});
  EXPECT_EQ(Ending(report), "HistoryConflict 001");
  EXPECT_THAT(report.failure->hint, HasSubstr("history.set"));
  EXPECT_EQ(Tables(), "a,b");
}

TEST_F(RunTest, KeepsTwoSourcesApartByTheirSets) {
  Run(kTwoTables);
  report::RunRequest request =
      RequestFor(database_, {{"001_other.sql", "CREATE TABLE other ();\n"}});
  request.history.set = "other";
  EXPECT_EQ(Ending(Execute(request)), "Succeeded 001");
  EXPECT_EQ(Tables(), "a,b,other");
}

TEST_F(RunTest, NeverRunsTheSameFilesAgainUnderANewHistory) {
  Run(kTwoTables);
  report::RunRequest request = RequestFor(database_, kTwoTables);
  request.history.table = "migrations(name)";
  const report::RunReport report = Execute(request);
  EXPECT_EQ(Ending(report), "HistoryConflict ");
  EXPECT_THAT(report.failure->message, HasSubstr("\"default\""));
  EXPECT_EQ(Ledger(), "V1#1 applied, V2#1 applied");
}

TEST_F(RunTest, AsksAnAdministratorForWhatItMayNotDo) {
  sql_.Exec("CREATE ROLE weak" + database_.dbname + " LOGIN PASSWORD 'weak'");
  sql_.Exec("REVOKE CREATE ON DATABASE " + database_.dbname + " FROM PUBLIC");
  const PgTarget weak = database_.WithUser("weak" + database_.dbname, "weak");
  const report::RunReport report = Execute(RequestFor(weak, kTwoTables));
  EXPECT_EQ(Ending(report), "PermissionDenied ");
  EXPECT_THAT(report.failure->hint, HasSubstr("CREATE SCHEMA"));
  EXPECT_EQ(Tables(), "");
}

TEST_F(RunTest, RunsUnderTheRoleThatItIsTold) {
  const std::string owner = "owner_" + database_.dbname;
  sql_.Exec("CREATE ROLE " + owner + "; GRANT CREATE ON DATABASE " + database_.dbname + " TO " +
            owner + "; GRANT ALL ON SCHEMA public TO " + owner);
  report::RunRequest request = RequestFor(database_, kTwoTables);
  request.database.role = owner;
  EXPECT_EQ(Ending(Execute(request)), "Succeeded 002");
  EXPECT_EQ(sql_.Scalar("SELECT tableowner FROM pg_tables WHERE tablename = 'a'"), owner);
}

TEST_F(RunTest, KeepsWhatOneFileSetsFromTheNext) {
  EXPECT_EQ(
      Ending(Run({{"001_a.sql",
                   "CREATE SCHEMA s; SET search_path = s; SET client_encoding = 'LATIN1';\n"
                   "CREATE TABLE a (id int); CREATE TEMP TABLE t (id int); PREPARE p AS SELECT 1;\n"
                   "SET statement_timeout = 1;\n"},
                  {"002_b.sql",
                   "CREATE TABLE b (id int); CREATE TABLE t (id int); PREPARE p AS SELECT 1;\n"}})),
      "Succeeded 002");
  EXPECT_EQ(sql_.Scalar("SELECT schemaname FROM pg_tables WHERE tablename = 'a'"), "s");
  EXPECT_EQ(sql_.Scalar("SELECT schemaname FROM pg_tables WHERE tablename = 'b'"), "public");
}

TEST_F(RunTest, ReportsDeferredConstraintsUnderTheFilesName) {
  const report::RunReport report = Run(
      {{"001_a.sql",
        "CREATE TABLE a (id int PRIMARY KEY, r int REFERENCES a DEFERRABLE INITIALLY DEFERRED);\n"
        "INSERT INTO a VALUES (1, 2);\n"}});
  EXPECT_EQ(Ending(report), "MigrationFailed 001");
  EXPECT_EQ(report.failure->sql_state, "23503");
  EXPECT_EQ(Tables(), "");
}

TEST_F(RunTest, CountsABaselineAsApplied) {
  sql_.Exec("CREATE TABLE a (id int)");
  report::RunRequest request = RequestFor(database_, kTwoTables);
  request.history.baseline_version = "1";
  const report::RunReport report = Execute(request);
  EXPECT_EQ(Ending(report), "Succeeded 002");
  EXPECT_EQ(report.applied_this_run, 1);
  EXPECT_EQ(Ending(Run(kTwoTables)), "Succeeded 002");
}

TEST_F(RunTest, RunsARepeatableAgainWhenItsTextChanges) {
  const Files first = {{"V1__a.sql", "CREATE TABLE a (id int);"},
                       {"R__v.sql", "CREATE OR REPLACE VIEW v AS SELECT 1 AS one;"}};
  EXPECT_EQ(Execute(RequestFor(database_, first)).applied_this_run, 2);
  EXPECT_EQ(Execute(RequestFor(database_, first)).applied_this_run, 0);
  Files second = first;
  second[1].second = "CREATE OR REPLACE VIEW v AS SELECT 2 AS one;";
  EXPECT_EQ(Execute(RequestFor(database_, second)).applied_this_run, 1);
  EXPECT_EQ(sql_.Scalar("SELECT one FROM v"), "2");
  EXPECT_EQ(sql_.Scalar("SELECT count(*) FROM flyway_schema_history"), "3");
}

TEST_F(RunTest, RefusesALedgerOfANewerVersion) {
  Run(kTwoTables);
  sql_.Exec("UPDATE whimbrel.whimbrel_meta SET schema_version = schema_version + 1");
  const report::RunReport report = Run(kTwoTables);
  EXPECT_FALSE(report.succeeded);
  EXPECT_THAT(report.failure->message, HasSubstr("schema version 2"));
  EXPECT_FALSE(report.failure->hint.empty());
}

TEST_F(RunTest, NeverRunsTheSameFilesAgainThoughANewOneCameAlong) {
  Run(kTwoTables);
  Files files = kTwoTables;
  files.push_back({"003_c.sql", "CREATE TABLE c (id int);\n"});
  report::RunRequest request = RequestFor(database_, files);
  request.history.table = "migrations(name)";
  EXPECT_EQ(Ending(Execute(request)), "HistoryConflict ");
  EXPECT_EQ(Tables(), "a,b");
}

TEST_F(RunTest, RefusesABaselineThatIsNoVersion) {
  report::RunRequest request = RequestFor(database_, kTwoTables);
  request.history.baseline_version = "newest";
  const report::RunReport report = Execute(request);
  EXPECT_EQ(Ending(report), "InvalidSpec ");
  EXPECT_THAT(report.failure->message, HasSubstr("newest"));
  EXPECT_EQ(Tables(), "");
}

TEST_F(RunTest, ExplainsARoleThatItMayNotTakeOrThatIsNotThere) {
  const std::string owner = "owner_" + database_.dbname;
  const std::string weak = "weak_" + database_.dbname;
  sql_.Exec("CREATE ROLE " + owner + "; CREATE ROLE " + weak + " LOGIN PASSWORD 'weak'");
  report::RunRequest request = RequestFor(database_.WithUser(weak, "weak"), kTwoTables);
  request.database.role = owner;
  const report::RunReport denied = Execute(request);
  EXPECT_EQ(Ending(denied), "PermissionDenied ");
  EXPECT_THAT(denied.failure->hint, HasSubstr("GRANT \"" + owner + "\" TO \"" + weak + "\";"));
  request.database.role = "nobody_at_all";
  EXPECT_EQ(Ending(Execute(request)), "InvalidSpec ");
}

TEST_F(RunTest, NamesTheRightThatAFileLacks) {
  const std::string weak = "weak_" + database_.dbname;
  sql_.Exec("CREATE ROLE " + weak + " LOGIN PASSWORD 'weak'; GRANT CREATE ON DATABASE " +
            database_.dbname + " TO " + weak + "; CREATE TABLE theirs ()");
  const report::RunReport report = Execute(RequestFor(
      database_.WithUser(weak, "weak"), {{"001_a.sql", "SELECT 1;\nSELECT * FROM theirs;\n"}}));
  EXPECT_EQ(Ending(report), "PermissionDenied 001");
  EXPECT_EQ(report.failure->position.line, 2U);
  EXPECT_THAT(report.failure->hint, HasSubstr("GRANT"));
}

}  // namespace
}  // namespace whimbrel::engine
