#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <future>
#include <mutex>
#include <optional>

#include "engine/session_watch.h"
#include "support/eventually.h"
#include "support/tcp_proxy.h"
#include "unit/engine/run_fixture.h"
#include "whimbrel/postgres/session.h"

namespace whimbrel::engine {
namespace {

using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::MatchesRegex;
using ::testing::SizeIs;
using whimbrel::testing::Eventually;
using whimbrel::testing::PgClient;
using whimbrel::testing::PgTarget;
using whimbrel::testing::SharedPostgres;
using whimbrel::testing::TcpProxy;

/// A watch that is in a hurry, over one session of a run.
class SessionWatchTest : public ::testing::Test {
 protected:
  SessionWatchTest() {
    request_.execution.lock_timeout = std::chrono::seconds(60);
    context_.pace.first_look = std::chrono::milliseconds(100);
    context_.pace.look_period = std::chrono::milliseconds(50);
    context_.pace.ping = std::chrono::milliseconds(100);
  }

  postgres::Connection Open(std::uint16_t port = 0) {
    postgres::ConnectionParameters parameters;
    parameters.values = {{"host", database_.host},
                         {"port", std::to_string(port == 0 ? database_.port : port)},
                         {"user", database_.user},
                         {"dbname", database_.dbname}};
    parameters.password = Secret(database_.password);
    auto opened = postgres::Connection::Open(
        parameters, {.application_name = postgres::ApplicationName(request_.run_id, "test", "run"),
                     .limits = context_.limits});
    if (!opened) throw std::runtime_error(opened.error().ToString());
    return *std::move(opened);
  }

  std::string SessionsOfTheRun() {
    return sql_.Scalar(
        "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND "
        "application_name LIKE 'whimbrel/%'");
  }

  std::string BackendsOf(const postgres::Connection& connection) {
    return sql_.Scalar("SELECT count(*) FROM pg_stat_activity WHERE pid = " +
                       std::to_string(connection.backend_pid()));
  }

  bool Shown(const std::string& pattern) {
    const std::lock_guard lock(mutex_);
    return std::ranges::any_of(activities_, [&](const std::string& activity) {
      return ::testing::Matches(MatchesRegex(pattern))(activity);
    });
  }
  std::string LastShown() {
    const std::lock_guard lock(mutex_);
    return activities_.empty() ? "" : activities_.back();
  }

  PgTarget database_ = SharedPostgres().CreateDatabase();
  PgClient sql_{database_};
  report::RunRequest request_ = RequestFor(database_, {});
  std::mutex mutex_;
  std::vector<std::string> activities_;
  SlotPool slots_{1};
  RunContext context_{.request = request_,
                      .limits = {},
                      .clock = Clock::System(),
                      .random = Random::System(),
                      .slots = slots_,
                      .progress = ProgressReporter(
                          [this](const report::Progress& progress) {
                            const std::lock_guard lock(mutex_);
                            activities_.push_back(progress.activity);
                          },
                          Clock::System())};
};

TEST_F(SessionWatchTest, DoesNothingForShortCalls) {
  context_.pace.first_look = std::chrono::hours(1);
  postgres::Connection main = Open();
  SessionWatch watch(context_, main);
  for (int i = 0; i < 100; ++i) {
    const SessionWatch::Scope scope = watch.Watch(main);
    ASSERT_TRUE(main.Execute("SELECT 1"));
  }
  EXPECT_EQ(SessionsOfTheRun(), "1");
  EXPECT_THAT(activities_, IsEmpty());
  EXPECT_EQ(watch.LastBlockers(), "");
}

TEST_F(SessionWatchTest, NamesWhoHoldsTheLockAndNeverTheQuery) {
  sql_.Exec("CREATE TABLE t (c4n4ry int)");
  PgClient holder(database_);
  holder.Exec("SET application_name = 'the-app'; BEGIN; LOCK TABLE t; SELECT c4n4ry FROM t");
  postgres::Connection main = Open();
  SessionWatch watch(context_, main);
  auto statement = std::async(std::launch::async, [&] {
    const SessionWatch::Scope scope = watch.Watch(main);
    return main.Execute("INSERT INTO t VALUES (1)").has_value();
  });
  const std::string who = "pid " + std::to_string(holder.backend_pid()) + " .the-app";
  EXPECT_TRUE(Eventually([&] {
    return Shown("waiting for a lock held by " + who + ", idle in transaction for [0-9]+ s.");
  }));
  holder.Exec("COMMIT");
  EXPECT_TRUE(statement.get());
  EXPECT_EQ(LastShown(), "");
  EXPECT_THAT(watch.LastBlockers(), HasSubstr("the-app, idle in transaction for"));
  ASSERT_THAT(context_.notices, SizeIs(1));
  EXPECT_EQ(context_.notices[0].kind, report::Notice::Kind::kLockWait);
  EXPECT_THAT(context_.notices[0].message, MatchesRegex("waited for a lock held by " + who + "."));
  EXPECT_FALSE(Shown(".*c4n4ry.*"));
  // The second session is gone with the call.
  EXPECT_TRUE(Eventually([&] { return SessionsOfTheRun() == "1"; }));
  {
    const SessionWatch::Scope scope = watch.Watch(main);
    EXPECT_EQ(watch.LastBlockers(), "");
  }
}

TEST_F(SessionWatchTest, TellsOneFactOnceHoweverLongItLasts) {
  sql_.Exec("CREATE TABLE t ()");
  PgClient holder(database_);
  holder.Exec("BEGIN; LOCK TABLE t");
  postgres::Connection main = Open();
  SessionWatch watch(context_, main);
  for (int i = 0; i < 2; ++i) {
    const SessionWatch::Scope scope = watch.Watch(main);
    ASSERT_TRUE(main.Execute("SET lock_timeout = 600"));
    EXPECT_EQ(main.Execute("INSERT INTO t DEFAULT VALUES").error().sql_state, "55P03");
    EXPECT_THAT(watch.LastBlockers(), HasSubstr("idle in transaction"));
  }
  EXPECT_THAT(context_.notices, SizeIs(1));
}

TEST_F(SessionWatchTest, ShowsHowFarAnIndexBuildIs) {
  sql_.Exec("CREATE TABLE t AS SELECT generate_series(1, 1000) AS n");
  PgClient writer(database_);
  writer.Exec("BEGIN; INSERT INTO t VALUES (0)");
  postgres::Connection main = Open();
  SessionWatch watch(context_, main);
  // Progress is shown as long as nobody is waited for: the build waits in its own function.
  sql_.Exec(
      "CREATE FUNCTION slow(n int) RETURNS int IMMUTABLE LANGUAGE plpgsql AS "
      "$$ BEGIN PERFORM pg_sleep(0.002); RETURN n; END $$");
  writer.Exec("COMMIT");
  auto statement = std::async(std::launch::async, [&] {
    const SessionWatch::Scope scope = watch.Watch(main);
    return main.Execute("CREATE INDEX CONCURRENTLY i ON t (slow(n))").has_value();
  });
  EXPECT_TRUE(Eventually([&] { return Shown("building index: scanning table, [0-9]+ %"); }));
  EXPECT_TRUE(statement.get());
}

TEST_F(SessionWatchTest, NamesWhomAnIndexBuildWaitsFor) {
  sql_.Exec("CREATE TABLE t (n int)");
  PgClient writer(database_);
  writer.Exec("BEGIN; INSERT INTO t VALUES (0)");
  postgres::Connection main = Open();
  SessionWatch watch(context_, main);
  auto statement = std::async(std::launch::async, [&] {
    const SessionWatch::Scope scope = watch.Watch(main);
    return main.Execute("CREATE INDEX CONCURRENTLY i ON t (n)").has_value();
  });
  EXPECT_TRUE(Eventually([&] {
    return Shown("waiting for a lock held by pid " + std::to_string(writer.backend_pid()) + " .*");
  }));
  writer.Exec("COMMIT");
  EXPECT_TRUE(statement.get());
}

TEST_F(SessionWatchTest, LooksAtTheSessionThatItIsTold) {
  postgres::Connection main = Open();
  postgres::Connection fresh = Open();
  sql_.Exec("CREATE TABLE t ()");
  PgClient holder(database_);
  holder.Exec("BEGIN; LOCK TABLE t");
  SessionWatch watch(context_, main);
  auto statement = std::async(std::launch::async, [&] {
    const SessionWatch::Scope scope = watch.Watch(fresh);
    return fresh.Execute("INSERT INTO t DEFAULT VALUES").has_value();
  });
  EXPECT_TRUE(Eventually([&] { return Shown("waiting for a lock held by .*"); }));
  holder.Exec("COMMIT");
  EXPECT_TRUE(statement.get());
}

TEST_F(SessionWatchTest, FailsNothingWhereNoSlotIsFree) {
  const std::string role = "lonely_" + database_.dbname;
  sql_.Exec("CREATE ROLE " + role + " LOGIN CONNECTION LIMIT 1 PASSWORD 'x'");
  database_ = database_.WithUser(role, "x");
  postgres::Connection main = Open();
  SessionWatch watch(context_, main);
  const SessionWatch::Scope scope = watch.Watch(main);
  EXPECT_TRUE(main.Execute("SELECT pg_sleep(0.5)"));
}

TEST_F(SessionWatchTest, KeepsASessionAliveThatWaits) {
  postgres::Connection main = Open();
  ASSERT_TRUE(
      main.Execute("SET idle_in_transaction_session_timeout = '1s'; BEGIN; CREATE TABLE t ()"));
  SessionWatch watch(context_, main);
  const auto changed = [&] {
    return sql_.Scalar("SELECT state_change FROM pg_stat_activity WHERE pid = " +
                       std::to_string(main.backend_pid()));
  };
  {
    const SessionWatch::KeptAlive alive = watch.KeepAlive(main);
    const std::string before = changed();
    EXPECT_TRUE(Eventually([&] { return changed() != before; }));
    sql_.Exec("SELECT pg_sleep(2)");
  }
  EXPECT_TRUE(main.Commit());
  const std::string after = changed();
  sql_.Exec("SELECT pg_sleep(0.3)");
  EXPECT_EQ(changed(), after);
}

/// A COPY whose source blocks after the first line, as a file of a server that is gone.
class BlockedSource final : public postgres::StatementStream {
 public:
  Result<std::optional<postgres::StreamStatement>> Next() override {
    if (std::exchange(sent_, true)) return std::nullopt;
    return postgres::StreamStatement{
        .text = "COPY t FROM stdin", .barrier_before = true, .copy_from_stdin = true};
  }
  Result<std::string_view> NextCopyData() override {
    blocks.set_value();
    unblock.get_future().wait();
    return "1\n";
  }
  void OnStandardConformingStrings(bool /*on*/) override {}

  std::promise<void> blocks;
  std::promise<void> unblock;

 private:
  bool sent_ = false;
};

TEST_F(SessionWatchTest, EndsTheSessionOfACopyWhoseSourceBlocksWhenTheRunIsStopped) {
  sql_.Exec("CREATE TABLE t (n int)");
  std::stop_source stop;
  context_.limits.stop = stop.get_token();
  context_.pace.end_stuck_call = std::chrono::milliseconds(300);
  postgres::Connection main = Open();
  ASSERT_TRUE(main.Execute("BEGIN"));
  SessionWatch watch(context_, main);
  BlockedSource source;
  auto copy = std::async(std::launch::async, [&] {
    const SessionWatch::Scope scope = watch.Watch(main);
    return main.Run(source);
  });
  source.blocks.get_future().wait();
  EXPECT_EQ(BackendsOf(main), "1");
  stop.request_stop();
  EXPECT_TRUE(Eventually([&] { return BackendsOf(main) == "0"; }));
  // Its thread is as stuck as before; what it holds in the server is gone.
  source.unblock.set_value();
  const auto done = copy.get();
  ASSERT_FALSE(done);
  const auto& error = std::get<postgres::PgError>(done.error().cause);
  EXPECT_EQ(error.interruption, postgres::Interruption::kStopRequested);
  EXPECT_FALSE(error.connection_usable);
  EXPECT_FALSE(error.outcome_unknown);
}

TEST_F(SessionWatchTest, EndsAtOnceWhenTheNetworkSwallowsEverything) {
  TcpProxy proxy(database_.port);
  postgres::Connection main = Open(proxy.port());
  std::optional<SessionWatch> watch(std::in_place, context_, main);
  {
    const SessionWatch::Scope scope = watch->Watch(main);
    ASSERT_TRUE(Eventually([&] { return SessionsOfTheRun() == "2"; }));
    proxy.BlackHole();
    sql_.Exec("SELECT pg_sleep(0.2)");
  }
  const auto began = std::chrono::steady_clock::now();
  watch.reset();
  EXPECT_LT(std::chrono::steady_clock::now() - began, std::chrono::seconds(3));
}

}  // namespace
}  // namespace whimbrel::engine
