#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <signal.h>

#include "support/eventually.h"
#include "unit/cli/runner_fixture.h"

namespace whimbrel::cli {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;
using whimbrel::testing::Eventually;
using whimbrel::testing::PgClient;
using whimbrel::testing::PgTarget;
using whimbrel::testing::ReadFile;
using whimbrel::testing::SharedPostgres;
using whimbrel::testing::Subprocess;

const Keys kSlow = {{"001_a.sql", "CREATE TABLE a (id int);\n"},
                    {"002_slow.sql",
                     "CREATE TABLE slow (id int);\n"
                     "SELECT pg_sleep(3600) WHERE to_regclass('public.wake') IS NULL;\n"}};

/// What becomes of a run in the middle of a long statement.
class RunnerInTheMiddleTest : public ::testing::Test {
 protected:
  RunnerInTheMiddleTest() {
    sql_.Exec("CREATE ROLE " + role_.user + " LOGIN PASSWORD '" + role_.password + "'");
    sql_.Exec("GRANT ALL ON DATABASE " + role_.dbname + " TO " + role_.user);
    sql_.Exec("GRANT ALL ON SCHEMA public TO " + role_.user);
  }

  /// The backend that sleeps, once it does.
  std::string Sleeper() {
    const std::string of_run =
        " FROM pg_stat_activity WHERE datname = current_database() AND state = 'active' AND query "
        "LIKE 'SELECT pg_sleep%'";
    EXPECT_TRUE(Eventually([&] { return sql_.Scalar("SELECT count(*)" + of_run) == "1"; }));
    return sql_.Scalar("SELECT max(pid)" + of_run);
  }
  bool IsAlive(const std::string& pid) {
    return sql_.Scalar("SELECT count(*) FROM pg_stat_activity WHERE pid = " + pid) == "1";
  }

  PgTarget database_ = SharedPostgres().CreateDatabase();
  PgClient sql_{database_};
  // Roles belong to the whole server.
  PgTarget role_ = database_.WithUser("runner_" + database_.dbname, "canary-Xq7first");
};

TEST_F(RunnerInTheMiddleTest, RollsBackAndSaysSoWhenItIsAskedToStop) {
  for (const int signal : {SIGTERM, SIGINT}) {
    RunnerPod pod(kSlow, role_);
    Subprocess runner(pod.Command());
    const std::string backend = Sleeper();
    runner.Signal(signal);
    EXPECT_EQ(runner.Wait(), 1) << runner.err();
    EXPECT_EQ(pod.Ending(), "Cancelled 002");
    EXPECT_EQ(pod.Report().current_version, "001");
    EXPECT_TRUE(Eventually([&] { return !IsAlive(backend); }));
    EXPECT_EQ(sql_.Scalar("SELECT to_regclass('slow') IS NULL"), "t");
  }
}

TEST_F(RunnerInTheMiddleTest, ASecondSignalEndsItAtOnce) {
  RunnerPod pod(kSlow, role_);
  Subprocess runner(pod.Command());
  const pid_t backend = std::stoi(Sleeper());
  ASSERT_EQ(kill(backend, SIGSTOP), 0);  // It answers no cancel request.
  runner.Signal(SIGTERM);
  EXPECT_TRUE(runner.WaitForErr(
      [](const std::string& log) { return log.find("stopping") != std::string::npos; }));
  runner.Signal(SIGTERM);
  EXPECT_EQ(runner.Wait(), 1);
  EXPECT_EQ(pod.Message(), "") << "it ended by itself";
  ASSERT_EQ(kill(backend, SIGCONT), 0);
  EXPECT_TRUE(Eventually([&] { return !IsAlive(std::to_string(backend)); }));
}

TEST_F(RunnerInTheMiddleTest, LogsInAgainWithThePasswordThatWasRotated) {
  RunnerPod pod(kSlow, role_);
  pod.Unmount("credentials");
  auto secret = pod.Mount("credentials", CredentialsFor(role_));
  Subprocess runner(pod.Command());
  const std::string backend = Sleeper();
  sql_.Exec("ALTER ROLE " + role_.user + " PASSWORD 'second'");
  sql_.Exec("CREATE TABLE public.wake ()");
  secret.Update(CredentialsFor(role_.WithUser(role_.user, "second")));
  EXPECT_EQ(sql_.Scalar("SELECT pg_terminate_backend(" + backend + ")"), "t");
  EXPECT_EQ(runner.Wait(), 0) << runner.err();
  EXPECT_EQ(pod.Ending(), "Succeeded 002");
}

TEST_F(RunnerInTheMiddleTest, WithTheOldPasswordTheNextAttemptIsWaitedFor) {
  RunnerPod pod(kSlow, role_);
  Subprocess runner(pod.Command());
  const std::string backend = Sleeper();
  sql_.Exec("ALTER ROLE " + role_.user + " PASSWORD 'second'");
  EXPECT_EQ(sql_.Scalar("SELECT pg_terminate_backend(" + backend + ")"), "t");
  EXPECT_EQ(runner.Wait(), 1) << runner.err();
  EXPECT_EQ(pod.Ending(), "AuthenticationFailed transient uncounted");
  EXPECT_EQ(pod.Report().applied_this_run, 1);
}

TEST_F(RunnerInTheMiddleTest, ShowsNobodyThePassword) {
  const std::string canary = role_.password;
  RunnerPod pod(kSlow, role_);
  pod.Unmount("credentials");
  pod.Mount("credentials", {{"uri", role_.Uri()}});
  Subprocess runner(pod.Command());
  const std::string backend = Sleeper();
  const std::string process = "/proc/" + std::to_string(runner.pid());
  EXPECT_THAT(ReadFile(process + "/cmdline"), HasSubstr("runner"));
  EXPECT_THAT(ReadFile(process + "/cmdline"), Not(HasSubstr(canary)));
  EXPECT_THAT(ReadFile(process + "/environ"), HasSubstr("PATH="));
  EXPECT_THAT(ReadFile(process + "/environ"), Not(HasSubstr(canary)));
  // The login that fails then is the one whose message would show it.
  sql_.Exec("ALTER ROLE " + role_.user + " PASSWORD 'second'");
  EXPECT_EQ(sql_.Scalar("SELECT pg_terminate_backend(" + backend + ")"), "t");
  EXPECT_EQ(runner.Wait(), 1);
  EXPECT_THAT(runner.out(), HasSubstr("password authentication failed"));
  EXPECT_THAT(runner.out() + runner.err() + pod.Message(), Not(HasSubstr(canary)));
}

TEST_F(RunnerInTheMiddleTest, ShowsNobodyAPasswordThatTheServerTellsInAnErrorThatIsTriedAgain) {
  const std::string canary = "canary-Kp9again";
  // serialization_failure, once.
  RunnerPod pod({{"001_a.sql", "CREATE SEQUENCE IF NOT EXISTS public.once;\n"},
                 {"002_b.sql", "DO $$ BEGIN IF nextval('public.once') < 2 THEN RAISE 'password=" +
                                   canary + "' USING ERRCODE = '40001'; END IF; END $$;\n"}},
                database_);
  const auto result = whimbrel::testing::RunProcess(pod.Command());
  EXPECT_EQ(result.exit_code, 0) << result.err;
  EXPECT_THAT(result.out, HasSubstr("\"phase\":\"Retrying\""));
  EXPECT_THAT(result.out + result.err + pod.Message(), Not(HasSubstr(canary)));
}

TEST_F(RunnerInTheMiddleTest, ShowsNobodyAPasswordThatTheServerTells) {
  const std::string canary = "canary-Zw3inside";
  RunnerPod pod({{"001_a.sql", "DO $$ BEGIN RAISE 'no route to postgresql://u:" + canary +
                                   "@h/d' USING HINT = 'password=" + canary + "'; END $$;\n"}},
                database_);
  const auto result = whimbrel::testing::RunProcess(pod.Command());
  EXPECT_EQ(result.exit_code, 3);
  EXPECT_THAT(pod.FailureMessage(), HasSubstr("no route to postgresql://"));
  EXPECT_THAT(result.out + result.err + pod.Message(), Not(HasSubstr(canary)));
}

}  // namespace
}  // namespace whimbrel::cli
