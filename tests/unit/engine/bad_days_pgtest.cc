#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <thread>

#include "support/eventually.h"
#include "support/tcp_proxy.h"
#include "unit/engine/run_fixture.h"
#include "whimbrel/history/ledger.h"
#include "whimbrel/migration/resolver.h"

namespace whimbrel::engine {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;
using whimbrel::testing::Eventually;
using whimbrel::testing::PgClient;
using whimbrel::testing::PgTarget;
using whimbrel::testing::SharedPostgres;
using whimbrel::testing::TcpProxy;

/// A migration that would leave two rows if it were applied twice.
const Files kOnce = {
    {"001_once.sql", "CREATE TABLE IF NOT EXISTS once (n int);\nINSERT INTO once VALUES (1);\n"}};

class BadDays : public ::testing::Test {
 protected:
  std::string Sessions() {
    return sql_.Scalar(
        "SELECT count(*) FROM pg_stat_activity WHERE application_name LIKE 'whimbrel/%' AND "
        "datname = "
        "current_database()");
  }

  PgTarget database_ = SharedPostgres().CreateDatabase();
  PgClient sql_{database_};
};

TEST_F(BadDays, WaitsUntilTheDatabaseIsThere) {
  TcpProxy proxy(database_.port);
  proxy.Refuse();
  report::RunRequest request = RequestFor(database_.WithPort(proxy.port()), kOnce);
  std::vector<std::string> phases;
  const report::RunReport report = RunNow(request, {}, [&](const report::Progress& progress) {
    if (progress.phase == report::Progress::Phase::kWaitingForDatabase) proxy.Restore();
    phases.push_back(std::string(report::ToString(progress.phase)));
  });
  EXPECT_EQ(Ending(report), "Succeeded 001");
  EXPECT_THAT(phases, ::testing::Contains("WaitingForDatabase"));
}

TEST_F(BadDays, SaysThatTheDatabaseDidNotComeInTime) {
  TcpProxy proxy(database_.port);
  proxy.Refuse();
  report::RunRequest request = RequestFor(database_.WithPort(proxy.port()), kOnce);
  request.database.ready_timeout = std::chrono::seconds(0);
  EXPECT_EQ(Ending(Execute(request)), "WaitingForDatabase  transient uncounted");
}

TEST_F(BadDays, NamesAWrongPasswordAndShowsNone) {
  PgTarget wrong = database_;
  wrong.password = "c4n4ry-secret";
  const report::RunReport report = Execute(RequestFor(wrong, kOnce));
  EXPECT_EQ(Ending(report), "AuthenticationFailed  transient uncounted");
  EXPECT_THAT(report.failure->message, HasSubstr("postgres"));
  EXPECT_THAT(report.failure->message + report.failure->hint, Not(HasSubstr("c4n4ry")));
}

TEST_F(BadDays, NamesAMissingDatabase) {
  const report::RunReport report = Execute(RequestFor(database_.WithDatabase("nowhere"), kOnce));
  EXPECT_EQ(Ending(report), "DatabaseMissing  transient uncounted");
  EXPECT_THAT(report.failure->message, HasSubstr("nowhere"));
}

TEST_F(BadDays, RunsAgainWhatALostConnectionSpoiled) {
  TcpProxy proxy(database_.port);
  proxy.CutAfterRequest("INSERT INTO once");
  const report::RunReport report = Execute(RequestFor(database_.WithPort(proxy.port()), kOnce));
  EXPECT_EQ(Ending(report), "Succeeded 001");
  EXPECT_EQ(sql_.Scalar("SELECT count(*) FROM once"), "1");
  EXPECT_THAT(report.notices, ::testing::SizeIs(1));
}

TEST_F(BadDays, LooksIntoTheLedgerAfterACommitWithoutAnswer) {
  TcpProxy proxy(database_.port);
  proxy.CutAfterRequest("COMMIT");
  // The first COMMIT that passes may be the one of the tables themselves; they are there already
  // then.
  ASSERT_EQ(Ending(Execute(RequestFor(database_, {{"001_once.sql", kOnce[0].second}}))),
            "Succeeded 001");
  Files files = kOnce;
  files.push_back({"002_twice.sql", "INSERT INTO once VALUES (2);\n"});
  const report::RunReport report = Execute(RequestFor(database_.WithPort(proxy.port()), files));
  EXPECT_EQ(Ending(report), "Succeeded 002");
  EXPECT_EQ(report.applied_this_run, 1);
  EXPECT_EQ(report.applied_count, 2);
  EXPECT_EQ(sql_.Scalar("SELECT string_agg(n::text, ',' ORDER BY n) FROM once"), "1,2");
  EXPECT_EQ(sql_.Scalar("SELECT count(*) FROM whimbrel.whimbrel_migration"), "2");
}

TEST_F(BadDays, CancelsTheBackendAtTheDeadline) {
  report::RunRequest request =
      RequestFor(database_, {{"001_sleep.sql", "SELECT pg_sleep(600);\n"}});
  request.execution.deadline = std::chrono::seconds(1);
  const report::RunReport report = Execute(request);
  EXPECT_EQ(Ending(report), "DeadlineExceeded 001");
  EXPECT_THAT(report.failure->message, HasSubstr("deadlineSeconds"));
  EXPECT_TRUE(Eventually([&] { return Sessions() == "0"; }));
}

TEST_F(BadDays, EndsAStatementThatTakesTooLong) {
  report::RunRequest request =
      RequestFor(database_, {{"001_sleep.sql", "SELECT pg_sleep(600);\n"}});
  request.execution.statement_timeout = std::chrono::milliseconds(200);
  const report::RunReport report = Execute(request);
  EXPECT_EQ(Ending(report), "MigrationFailed 001");
  EXPECT_THAT(report.failure->hint, HasSubstr("statementTimeoutSeconds"));
}

TEST_F(BadDays, StopsWhenAskedTo) {
  std::stop_source stop;
  report::RunRequest request =
      RequestFor(database_, {{"001_sleep.sql", "SELECT pg_sleep(600);\n"}});
  const report::RunReport report =
      RunNow(request, stop.get_token(), [&](const report::Progress& progress) {
        if (progress.phase == report::Progress::Phase::kMigrating) stop.request_stop();
      });
  EXPECT_EQ(report.failure->reason, report::Reason::kCancelled);
  EXPECT_TRUE(Eventually([&] { return Sessions() == "0"; }));
}

TEST_F(BadDays, TriesAgainForATableThatSomebodyElseHolds) {
  sql_.Exec("CREATE TABLE busy (id int)");
  PgClient holder(database_);
  holder.Exec("BEGIN; LOCK TABLE busy IN ACCESS SHARE MODE");
  const std::string holder_pid = "held by pid " + std::to_string(holder.backend_pid());
  bool released = false;
  const report::RunReport report =
      RunNow(RequestFor(database_, {{"001_busy.sql", "ALTER TABLE busy ADD COLUMN c int;\n"}}), {},
             [&](const report::Progress& progress) {
               // A slow machine may look too late: then it is tried once more.
               const bool named = progress.detail.find(holder_pid) != std::string::npos;
               if (progress.phase != report::Progress::Phase::kRetrying || released || !named)
                 return;
               released = true;
               holder.Exec("COMMIT");
             });
  EXPECT_TRUE(released);
  EXPECT_EQ(Ending(report), "Succeeded 001");
}

TEST_F(BadDays, DoesNotTryAgainWhatCannotWork) {
  int migrating = 0;
  const report::RunReport report =
      RunNow(RequestFor(database_, {{"001_bad.sql", "SELECT nope;\n"}}), {},
             [&](const report::Progress& progress) {
               if (progress.phase == report::Progress::Phase::kMigrating) ++migrating;
             });
  EXPECT_EQ(Ending(report), "MigrationFailed 001");
  EXPECT_EQ(migrating, 1);
}

TEST_F(BadDays, AppliesOnceWhenManyRunAtOnce) {
  constexpr int kRuns = 6;
  Files files;
  for (int i = 1; i <= 10; ++i) {
    files.push_back({std::to_string(i) + "_x.sql",
                     "CREATE TABLE IF NOT EXISTS log (n int);\nINSERT INTO log VALUES (" +
                         std::to_string(i) + ");\n"});
  }
  std::vector<std::string> endings(kRuns);
  {
    std::vector<std::jthread> threads;
    for (int i = 0; i < kRuns; ++i) {
      threads.emplace_back([&, i] {
        endings[static_cast<std::size_t>(i)] = Ending(Execute(RequestFor(database_, files)));
      });
    }
  }
  EXPECT_THAT(endings, ::testing::Each("Succeeded 10"));
  EXPECT_EQ(sql_.Scalar("SELECT count(*) || ' ' || count(DISTINCT n) FROM log"), "10 10");
}

TEST_F(BadDays, IsFencedByTheClaimEvenWithoutTheLock) {
  // The claim of another writer that did not take our lock is under way in an open transaction.
  ASSERT_EQ(Ending(Execute(RequestFor(database_, kOnce))), "Succeeded 001");
  sql_.Exec("DELETE FROM whimbrel.whimbrel_migration; TRUNCATE once");
  PgClient other(database_);
  const auto resolved = migration::Resolve(*SourceOf(kOnce), migration::Format::kNumbered);
  ASSERT_TRUE(resolved.has_value());
  other.Exec("BEGIN; " +
             history::Ledger("whimbrel", "default").ClaimSql(resolved->versioned.front(), 1));
  bool committed = false;
  const report::RunReport report =
      RunNow(RequestFor(database_, kOnce), {}, [&](const report::Progress& progress) {
        if (progress.phase != report::Progress::Phase::kRetrying || committed) return;
        committed = true;
        other.Exec("INSERT INTO once VALUES (1); COMMIT");
      });
  EXPECT_EQ(Ending(report), "Succeeded 001");
  EXPECT_EQ(report.applied_this_run, 0);
  EXPECT_EQ(sql_.Scalar("SELECT count(*) FROM once"), "1");
}

TEST_F(BadDays, NamesADatabaseThatIsSetReadOnly) {
  // A read-only default on a primary is somebody's decision, not a failover.
  sql_.Exec("ALTER DATABASE " + database_.dbname + " SET default_transaction_read_only = on");
  EXPECT_EQ(Ending(Execute(RequestFor(database_, kOnce))), "ReadOnlyDatabase ");
}

TEST_F(BadDays, ReportsAStopThatComesWhileItHasNoSession) {
  TcpProxy proxy(database_.port);
  proxy.CutAfterRequest("INSERT INTO once");
  std::stop_source stop;
  const report::RunReport report =
      RunNow(RequestFor(database_.WithPort(proxy.port()), kOnce), stop.get_token(),
             [&](const report::Progress& progress) {
               if (progress.phase == report::Progress::Phase::kRetrying) stop.request_stop();
             });
  EXPECT_EQ(report.failure->reason, report::Reason::kCancelled);
  EXPECT_EQ(report.database, database_.dbname);
}

TEST_F(BadDays, KeepsWhatItKnewWhenReadingAgainFails) {
  ASSERT_EQ(Ending(Execute(RequestFor(database_, kOnce))), "Succeeded 001");
  TcpProxy proxy(database_.port);
  proxy.CutAfterRequest("SELECT 'the second'");
  Files files = kOnce;
  files.push_back({"002_second.sql", "SELECT 'the second';\n"});
  const report::RunReport report =
      RunNow(RequestFor(database_.WithPort(proxy.port()), files), {},
             [&](const report::Progress& progress) {
               if (progress.phase != report::Progress::Phase::kRetrying) return;
               sql_.Exec("ALTER TABLE whimbrel.whimbrel_migration RENAME TO elsewhere");
             });
  EXPECT_FALSE(report.succeeded);
  EXPECT_EQ(report.current_version, "001");
  EXPECT_EQ(report.applied_count, 1);
  EXPECT_EQ(report.pending_count, 1);
}

TEST_F(BadDays, WaitsForATableNoLongerThanTheLockBudgetAndCountsNoRetry) {
  sql_.Exec("CREATE TABLE busy (id int)");
  PgClient holder(database_);
  holder.Exec("BEGIN; LOCK TABLE busy IN ACCESS SHARE MODE");
  report::RunRequest request =
      RequestFor(database_, {{"001_busy.sql", "ALTER TABLE busy ADD COLUMN c int;\n"}});
  request.execution.lock_budget = std::chrono::seconds(0);
  const report::RunReport report = Execute(request);
  EXPECT_EQ(Ending(report), "WaitingForLock 001 transient uncounted");
  EXPECT_THAT(report.failure->hint, HasSubstr("lockBudgetSeconds"));
}

TEST_F(BadDays, DoesNotWaitForEverToReadItsOwnTables) {
  ASSERT_EQ(Ending(Execute(RequestFor(database_, kOnce))), "Succeeded 001");
  PgClient holder(database_);
  holder.Exec("BEGIN; LOCK TABLE whimbrel.whimbrel_migration IN ACCESS EXCLUSIVE MODE");
  report::RunRequest request = RequestFor(database_, kOnce);
  request.execution.lock_budget = std::chrono::seconds(0);
  EXPECT_EQ(Ending(Execute(request)), "WaitingForLock  transient uncounted");
}

}  // namespace
}  // namespace whimbrel::engine
