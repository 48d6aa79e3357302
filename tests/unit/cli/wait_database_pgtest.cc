// `whimbrel wait --database`: by the application's own login, beside the real servers.

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <csignal>

#include "support/eventually.h"
#include "support/free_port.h"
#include "support/postgres_server.h"
#include "support/subprocess.h"
#include "support/temp_dir.h"

namespace whimbrel::cli {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;
using ::testing::Not;
using whimbrel::testing::PgClient;
using whimbrel::testing::PgTarget;
using whimbrel::testing::ProcessResult;
using whimbrel::testing::RunProcess;
using whimbrel::testing::SharedPostgres;
using whimbrel::testing::SpawnOptions;
using whimbrel::testing::Subprocess;
using whimbrel::testing::TempDir;

/// A database with two files to migrate, and a login that may read the history and nothing else.
class WaitDatabaseTest : public ::testing::Test {
 protected:
  void SetUp() override {
    files_.Write("001_a.sql", "CREATE TABLE a (id int);");
    files_.Write("002_b.sql", "CREATE TABLE b (id int);");
    sql_.Exec("CREATE ROLE " + app_.user + " LOGIN PASSWORD 'app-secret'");
  }

  SpawnOptions Command(const PgTarget& target, std::vector<std::string> more) {
    SpawnOptions options;
    options.argv = {WHIMBREL_BINARY, "wait", "--database"};
    options.argv.insert(options.argv.end(), more.begin(), more.end());
    options.environment = target.Environment();
    return options;
  }
  /// Looks as the application for at most a second.
  ProcessResult Look(std::vector<std::string> more) {
    more.insert(more.end(), {"--timeout-seconds", "1"});
    return RunProcess(Command(app_, more));
  }
  /// As the application, until somebody does what is waited for.
  std::unique_ptr<Subprocess> Wait(std::vector<std::string> more) {
    return std::make_unique<Subprocess>(Command(app_, std::move(more)));
  }
  static bool Says(Subprocess& process, const std::string& text) {
    return process.WaitForOut(
        [&](const std::string& out) { return out.find(text) != std::string::npos; });
  }

  void Migrate(const std::string& target, const std::string& schema = "whimbrel",
               std::vector<std::string> more = {}) {
    SpawnOptions options = Command(database_, {});
    options.argv = {WHIMBREL_BINARY,    "run", files_.path().string(), "--target", target,
                    "--history-schema", schema};
    options.argv.insert(options.argv.end(), more.begin(), more.end());
    const ProcessResult result = RunProcess(options);
    EXPECT_EQ(result.exit_code, 0) << result.err;
  }
  void Grant(const std::string& schema = "whimbrel") {
    sql_.Exec("GRANT USAGE ON SCHEMA " + schema + " TO " + app_.user + "; GRANT SELECT ON " +
              schema + ".whimbrel_migration TO " + app_.user);
  }

  TempDir files_;
  PgTarget database_ = SharedPostgres().CreateDatabase();
  PgTarget app_ = database_.WithUser("app_" + database_.dbname, "app-secret");
  PgClient sql_{database_};
};

TEST_F(WaitDatabaseTest, GoesOnOnceTheVersionIsApplied) {
  Migrate("1");
  Grant();
  const auto waiting = Wait({"--at-least", "2"});
  ASSERT_TRUE(Says(*waiting, "waiting: at version 001; wanted: 2 or newer\n")) << waiting->err();
  Migrate("2");
  EXPECT_EQ(waiting->Wait(), 0) << waiting->err();
  EXPECT_THAT(waiting->out(), HasSubstr("ready: at version 002; wanted: 2 or newer\n"));
}

TEST_F(WaitDatabaseTest, ANewerVersionWillDo) {
  Migrate("2");
  Grant();
  EXPECT_EQ(Look({"--at-least", "001"}).exit_code, 0);
}

TEST_F(WaitDatabaseTest, AVersionThatRunsIsNotApplied) {
  Migrate("2");
  Grant();
  sql_.Exec("UPDATE whimbrel.whimbrel_migration SET state = 'running' WHERE id = '2'");
  const ProcessResult running = Look({"--at-least", "2"});
  EXPECT_EQ(running.exit_code, 1);
  EXPECT_THAT(running.err, HasSubstr("not ready within 1 s: version 002 has begun but not ended"));
  EXPECT_EQ(Look({"--at-least", "1"}).exit_code, 0) << "what is below it is there";
  sql_.Exec("UPDATE whimbrel.whimbrel_migration SET state = 'withdrawn' WHERE id = '2'");
  EXPECT_THAT(Look({"--at-least", "2"}).err, HasSubstr("at version 001;"));
}

TEST_F(WaitDatabaseTest, WaitsForAHistoryThatIsNotThereYet) {
  const auto waiting = Wait({"--at-least", "1", "--history-schema", "ops"});
  ASSERT_TRUE(Says(*waiting, "waiting: there is no history in schema ops yet\n"));
  sql_.Exec("CREATE SCHEMA ops; GRANT USAGE ON SCHEMA ops TO " + app_.user +
            "; ALTER DEFAULT PRIVILEGES IN SCHEMA ops GRANT SELECT ON TABLES TO " + app_.user);
  Migrate("1", "ops");
  EXPECT_EQ(waiting->Wait(), 0) << waiting->err();
}

TEST_F(WaitDatabaseTest, NamesTheSetsThatThereAreInstead) {
  Migrate("1", "whimbrel", {"--history-set", "orders"});
  Grant();
  EXPECT_THAT(Look({"--at-least", "1"}).err, HasSubstr("no set default yet; there are: orders"));
  EXPECT_EQ(Look({"--at-least", "1", "--history-set", "orders"}).exit_code, 0);
}

TEST_F(WaitDatabaseTest, TellsWhichRightIsMissing) {
  Migrate("1");
  const ProcessResult result = Look({"--at-least", "1"});
  EXPECT_EQ(result.exit_code, 2);
  EXPECT_THAT(result.err, AllOf(HasSubstr("SQLSTATE 42501"), HasSubstr("GRANT USAGE ON SCHEMA"),
                                HasSubstr("TO \"" + app_.user + "\"")));
  const std::size_t grant = result.err.find("GRANT");
  sql_.Exec(result.err.substr(grant));
  EXPECT_EQ(Look({"--at-least", "1"}).exit_code, 0) << "what it tells is enough";
}

TEST_F(WaitDatabaseTest, ReadsFlywaysTable) {
  sql_.Exec(
      "CREATE TABLE flyway_schema_history (installed_rank int PRIMARY KEY, version varchar(50), "
      "description varchar(200) NOT NULL, type varchar(20) NOT NULL, script varchar(1000) NOT "
      "NULL, checksum int, installed_by varchar(100) NOT NULL, installed_on timestamp NOT NULL "
      "DEFAULT now(), execution_time int NOT NULL, success boolean NOT NULL); "
      "INSERT INTO flyway_schema_history VALUES (1, '1.9', 'a', 'SQL', 'V1.9__a.sql', 1, 'f', "
      "now(), 1, true), (2, NULL, 'r', 'SQL', 'R__r.sql', 1, 'f', now(), 1, true), "
      "(3, '1.10', 'b', 'SQL', 'V1.10__b.sql', 1, 'f', now(), 1, false); "
      "GRANT SELECT ON flyway_schema_history TO " +
      app_.user);
  const std::vector<std::string> wanted = {"--at-least", "1.10", "--history-table",
                                           "flyway_schema_history"};
  const ProcessResult failed = Look(wanted);
  EXPECT_EQ(failed.exit_code, 1);
  EXPECT_THAT(failed.err, HasSubstr("version 1.10 has begun but not ended"));
  sql_.Exec("UPDATE flyway_schema_history SET success = true");
  EXPECT_EQ(Look(wanted).exit_code, 0);
}

TEST_F(WaitDatabaseTest, ReadsATableOfNames) {
  const std::vector<std::string> wanted = {"--at-least", "2", "--history-table", "ops.done(file)"};
  EXPECT_THAT(Look(wanted).err, HasSubstr("there is no table ops.done yet"));
  sql_.Exec(
      "CREATE SCHEMA ops; CREATE TABLE ops.done (file text PRIMARY KEY); INSERT INTO ops.done "
      "VALUES ('001_a.sql'), ('README'); GRANT USAGE ON SCHEMA ops TO " +
      app_.user);
  const ProcessResult forbidden = Look(wanted);
  EXPECT_EQ(forbidden.exit_code, 2);
  EXPECT_THAT(forbidden.err, HasSubstr("it needs SELECT on that table"));
  sql_.Exec("GRANT SELECT ON ops.done TO " + app_.user);
  EXPECT_THAT(Look(wanted).err, HasSubstr("at version 001;"));
  sql_.Exec("INSERT INTO ops.done VALUES ('002_b.sql')");
  EXPECT_EQ(Look(wanted).exit_code, 0);
  const ProcessResult unfit = Look({"--at-least", "2", "--history-table", "ops.done(names)"});
  EXPECT_EQ(unfit.exit_code, 2);
  EXPECT_THAT(unfit.err, HasSubstr("it has no column names"));
}

TEST_F(WaitDatabaseTest, WaitsForADatabaseAndAServerThatAreNotThereYet) {
  app_ = app_.WithDatabase(app_.dbname + "_later");
  const auto for_database = Wait({"--at-least", "1"});
  ASSERT_TRUE(Says(*for_database, "does not exist"));
  sql_.Exec("CREATE DATABASE " + app_.dbname);
  ASSERT_TRUE(Says(*for_database, "there is no history in schema whimbrel yet"));
  for_database->Signal(SIGTERM);

  whimbrel::testing::PostgresServer server;
  app_ = server.CreateDatabase();
  server.Stop();
  const auto for_server = Wait({"--at-least", "1"});
  ASSERT_TRUE(Says(*for_server, "Connection refused"));
  server.Start();
  EXPECT_TRUE(Says(*for_server, "there is no history in schema whimbrel yet"));
  server.Restart();
  PgClient(app_).Exec("SELECT 1");
  for_server->Signal(SIGTERM);
  EXPECT_EQ(for_server->Wait(), 1);
}

TEST_F(WaitDatabaseTest, ARestartOfTheServerIsNoEnd) {
  whimbrel::testing::PostgresServer server;
  app_ = database_ = server.CreateDatabase();
  Migrate("1");
  const auto waiting = Wait({"--at-least", "2"});
  ASSERT_TRUE(Says(*waiting, "at version 001"));
  server.Kill9();
  ASSERT_TRUE(waiting->WaitForOut([](const std::string& out) {
    return std::count(out.begin(), out.end(), '\n') > 1;
  })) << "it noticed";
  server.Start();
  Migrate("2");
  EXPECT_EQ(waiting->Wait(), 0) << waiting->out() << waiting->err();
}

TEST_F(WaitDatabaseTest, AWrongPasswordIsForAPersonAndNeverShown) {
  app_.password = "wrong-secret";
  const ProcessResult by_environment = Look({"--at-least", "1"});
  EXPECT_EQ(by_environment.exit_code, 2);
  EXPECT_THAT(by_environment.err, AllOf(HasSubstr("password authentication failed"),
                                        HasSubstr("28P01"), Not(HasSubstr("wrong-secret"))));
  files_.Write("url", app_.Uri() + "\n");
  app_.user = "nobody";
  const ProcessResult by_file = Look({"--at-least", "1", "--url-file", (files_ / "url").string()});
  EXPECT_EQ(by_file.exit_code, 2);
  EXPECT_THAT(by_file.out + by_file.err,
              AllOf(HasSubstr("password authentication failed"), Not(HasSubstr("wrong-secret"))));
}

TEST_F(WaitDatabaseTest, RefusesWhatCannotBeMeant) {
  for (const auto& [arguments, text] :
       std::vector<std::pair<std::vector<std::string>, const char*>>{
           {{}, "say with --at-least which version"},
           {{"--at-least", "latest"}, "--at-least: "},
           {{"--at-least", "1", "--history-table", "a.b.c"}, "--history-table: "},
           {{"--at-least", "1", "--url-file", "/nowhere"}, "cannot read --url-file /nowhere"},
           {{"--at-least", "1", "--resource", "dbmig/a"}, "excludes"}}) {
    const ProcessResult result = Look(arguments);
    EXPECT_EQ(result.exit_code, 2);
    EXPECT_THAT(result.err, HasSubstr(text));
  }
}

TEST_F(WaitDatabaseTest, SigtermEndsItAtOnceWhateverItIsDoing) {
  Migrate("1");
  Grant();
  const auto asleep = Wait({"--at-least", "2"});
  ASSERT_TRUE(Says(*asleep, "at version 001"));
  asleep->Signal(SIGTERM);
  EXPECT_EQ(asleep->Wait(std::chrono::seconds(10)), 1);
  EXPECT_THAT(asleep->err(), HasSubstr("stopped before it was ready: at version 001"));

  sql_.Exec("BEGIN; LOCK TABLE whimbrel.whimbrel_migration IN ACCESS EXCLUSIVE MODE");
  const auto asking = Wait({"--at-least", "2"});
  PgClient watching(database_);
  ASSERT_TRUE(whimbrel::testing::Eventually([&] {
    return watching.Scalar(
               "SELECT count(*) FROM pg_stat_activity WHERE datname = "
               "current_database() AND wait_event_type = 'Lock'") == "1";
  }));
  asking->Signal(SIGTERM);
  EXPECT_EQ(asking->Wait(std::chrono::seconds(10)), 1);
}

TEST_F(WaitDatabaseTest, KeepsOneSessionThatHoldsNothing) {
  Migrate("1");
  Grant();
  const auto waiting = Wait({"--at-least", "2"});
  ASSERT_TRUE(Says(*waiting, "at version 001"));
  const std::string of_ours =
      " FROM pg_stat_activity WHERE datname = current_database() AND "
      "application_name = 'whimbrel/wait'";
  const std::string pid = sql_.Scalar("SELECT min(pid)" + of_ours);
  const auto looks = [&] { return sql_.Scalar("SELECT max(query_start)" + of_ours); };
  const std::string first = looks();
  ASSERT_TRUE(whimbrel::testing::Eventually([&] { return looks() != first; })) << "it looks again";
  EXPECT_EQ(sql_.Text("SELECT count(*), min(pid)" + of_ours), "1|" + pid);
  EXPECT_EQ(sql_.Scalar("SELECT count(*) FROM pg_locks WHERE pid = " + pid), "0");
  waiting->Signal(SIGTERM);
  waiting->Wait();
}

}  // namespace
}  // namespace whimbrel::cli
