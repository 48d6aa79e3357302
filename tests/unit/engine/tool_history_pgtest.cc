#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "unit/engine/run_fixture.h"

namespace whimbrel::engine {
namespace {

using ::testing::HasSubstr;
using whimbrel::testing::PgClient;
using whimbrel::testing::PgTarget;
using whimbrel::testing::SharedPostgres;

const Files kFiles = {
    {"001_a.sql", "CREATE TABLE IF NOT EXISTS a (id int); INSERT INTO a VALUES (1);"},
    {"002_b.sql", "INSERT INTO a VALUES (2);"},
    {"003_c.sql", "INSERT INTO a VALUES (3);"}};

/// "Which truth wins" (design §3), over the plain name table of one of the seeds.
class NameTableRun : public ::testing::Test {
 protected:
  report::RunReport Run(const Files& files = kFiles) {
    report::RunRequest request = RequestFor(database_, files);
    request.history.table = "migrations(name)";
    return Execute(request);
  }
  std::string Rows() {
    return sql_.Scalar("SELECT coalesce(string_agg(id::text, '' ORDER BY id), '') FROM a");
  }
  std::string Names() {
    return sql_.Scalar("SELECT string_agg(name, ' ' ORDER BY name) FROM migrations");
  }

  PgTarget database_ = SharedPostgres().CreateDatabase();
  PgClient sql_{database_};
};

TEST_F(NameTableRun, GoesOnFromATableThatTheTeamHasKept) {
  sql_.Exec(
      "CREATE TABLE migrations (id serial PRIMARY KEY, name varchar(255) NOT NULL UNIQUE, "
      "executed_at timestamp "
      "DEFAULT now()); INSERT INTO migrations (name) VALUES ('001_a.sql'), ('002_b.sql'); CREATE "
      "TABLE a (id int); "
      "INSERT INTO a VALUES (1), (2)");
  const report::RunReport report = Run();
  EXPECT_EQ(Ending(report), "Succeeded 003");
  EXPECT_EQ(report.applied_this_run, 1);
  EXPECT_EQ(Rows(), "123");
  EXPECT_EQ(Names(), "001_a.sql 002_b.sql 003_c.sql");
  EXPECT_EQ(report.set, "public.migrations");
}

TEST_F(NameTableRun, AppliesARowAgainThatWasDeletedAndSaysSo) {
  Run();
  sql_.Exec("DELETE FROM migrations WHERE name = '002_b.sql'");
  const report::RunReport report = Run();
  EXPECT_EQ(Ending(report), "Succeeded 003");
  EXPECT_EQ(Rows(), "1223");
  ASSERT_EQ(report.notices.size(), 1U);
  EXPECT_EQ(report.notices[0].kind, report::Notice::Kind::kWithdrawn);
  EXPECT_EQ(sql_.Scalar("SELECT string_agg(run || state, ' ' ORDER BY run) FROM "
                        "whimbrel.whimbrel_migration WHERE "
                        "id = '2'"),
            "1withdrawn 2applied");
}

TEST_F(NameTableRun, TakesARowThatWasPutBackAsApplied) {
  Run();
  sql_.Exec(
      "DELETE FROM migrations WHERE name = '002_b.sql'; INSERT INTO migrations (name) VALUES "
      "('002_b.sql')");
  EXPECT_EQ(Run().applied_this_run, 0);
  EXPECT_EQ(Rows(), "123");
}

TEST_F(NameTableRun, PlansAnewWhenSomebodyWritesToTheTableBeforeAFile) {
  Run({kFiles[0], kFiles[1]});
  report::RunRequest request = RequestFor(database_, kFiles);
  request.history.table = "migrations(name)";
  bool written = false;
  const report::RunReport report = RunNow(request, {}, [&](const report::Progress& progress) {
    if (progress.phase != report::Progress::Phase::kMigrating || written) return;
    written = true;
    // As many rows as before.
    sql_.Exec(
        "DELETE FROM migrations WHERE name = '002_b.sql'; INSERT INTO migrations (name) VALUES "
        "('003_c.sql')");
  });
  EXPECT_EQ(Ending(report), "Succeeded 003");
  EXPECT_EQ(Rows(), "122");
}

TEST_F(NameTableRun, StopsWhenTheTableIsEmptied) {
  Run();
  sql_.Exec("TRUNCATE migrations");
  EXPECT_EQ(Ending(Run()), "HistoryConflict ");
  EXPECT_EQ(Rows(), "123");
}

TEST_F(NameTableRun, StopsWhenTheTableIsGone) {
  Run();
  sql_.Exec("DROP TABLE migrations");
  EXPECT_EQ(Ending(Run()), "HistoryConflict ");
  EXPECT_EQ(Rows(), "123");
}

TEST_F(NameTableRun, NamesColumnsThatItCannotFill) {
  sql_.Exec("CREATE TABLE migrations (name text PRIMARY KEY, author text NOT NULL)");
  const report::RunReport report = Run();
  EXPECT_FALSE(report.succeeded);
  EXPECT_THAT(report.failure->message, HasSubstr("author"));
}

/// The same table as the tool that the team may go back to.
class FlywayRun : public ::testing::Test {
 protected:
  report::RunReport Run(const Files& files) {
    report::RunRequest request = RequestFor(database_, files);
    request.format = migration::Format::kFlyway;
    return Execute(request);
  }

  PgTarget database_ = SharedPostgres().CreateDatabase();
  PgClient sql_{database_};
};

TEST_F(FlywayRun, WritesTheRowsThatFlywayWould) {
  EXPECT_EQ(
      Ending(Run({{"V1__first_table.sql", "SELECT 1;"}, {"V2.1__second.sql", "SELECT 1;\r\n"}})),
      "Succeeded 2.1");
  EXPECT_EQ(sql_.Text("SELECT installed_rank, version, description, type, script, checksum, "
                      "installed_by, success FROM "
                      "flyway_schema_history ORDER BY 1"),
            "1|1|first table|SQL|V1__first_table.sql|78787420|postgres|t\n"
            "2|2.1|second|SQL|V2.1__second.sql|78787420|postgres|t");
}

TEST_F(FlywayRun, GoesOnAfterFlyway) {
  Run({{"V1__a.sql", "SELECT 1;"}, {"V2__b.sql", "SELECT 1;"}});
  // As if Flyway had written them: Whimbrel's own record is gone.
  sql_.Exec("DROP SCHEMA whimbrel CASCADE");
  const report::RunReport report =
      Run({{"V1__a.sql", "SELECT 1;"}, {"V2__b.sql", "SELECT 1;"}, {"V3__c.sql", "SELECT 1;"}});
  EXPECT_EQ(Ending(report), "Succeeded 3");
  EXPECT_EQ(report.applied_this_run, 1);
  EXPECT_EQ(report.applied_count, 3);
}

TEST_F(FlywayRun, NamesAFileThatWasEditedAfterFlywayRanIt) {
  Run({{"V1__a.sql", "SELECT 1;"}});
  sql_.Exec("DROP SCHEMA whimbrel CASCADE");
  EXPECT_EQ(Ending(Run({{"V1__a.sql", "SELECT 2;"}})), "ChecksumMismatch 1");
}

TEST_F(FlywayRun, WritesABaselineAsFlywayWould) {
  report::RunRequest request =
      RequestFor(database_, {{"V1__a.sql", "SELECT 1/0;"}, {"V2__b.sql", "SELECT 1;"}});
  request.history.baseline_version = "1";
  EXPECT_EQ(Ending(Execute(request)), "Succeeded 2");
  EXPECT_EQ(
      sql_.Text(
          "SELECT version, description, type FROM flyway_schema_history ORDER BY installed_rank"),
      "1|<< Flyway Baseline >>|BASELINE\n2|b|SQL");
}

TEST_F(FlywayRun, WaitsForAFlywayThatIsRunning) {
  Run({{"V1__a.sql", "SELECT 1;"}});
  PgClient flyway(database_);
  flyway.Exec("SELECT pg_advisory_lock(77433833903597)");
  report::RunRequest request =
      RequestFor(database_, {{"V1__a.sql", "SELECT 1;"}, {"V2__b.sql", "SELECT 1;"}});
  request.execution.lock_budget = std::chrono::seconds(0);
  const report::RunReport report = Execute(request);
  EXPECT_EQ(Ending(report), "WaitingForLock  transient uncounted");
  EXPECT_THAT(report.failure->message, HasSubstr(std::to_string(flyway.backend_pid())));
  EXPECT_EQ(sql_.Scalar("SELECT count(*) FROM flyway_schema_history"), "1");
}

}  // namespace
}  // namespace whimbrel::engine
