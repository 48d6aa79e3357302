#include "support/tcp_proxy.h"
#include "unit/postgres/pg_fixture.h"
#include "whimbrel/postgres/sqlstate.h"

namespace whimbrel::postgres {
namespace {

using ::testing::HasSubstr;

class InterruptTest : public PgTest {
 protected:
  /// Runs `sql` on a thread of its own; requests the stop once the server is in the middle of it.
  PgResult<Rows> StopInTheMiddle(Connection& connection, const std::string& sql,
                                 const std::string& pattern) {
    auto result = std::async(std::launch::async, [&] { return connection.Execute(sql); });
    AwaitRunning(connection.backend_pid(), pattern);
    stop_.request_stop();
    return result.get();
  }

  CallLimits Stoppable() { return {.deadline = SteadyTime::max(), .stop = stop_.get_token()}; }

  std::stop_source stop_;
};

TEST_F(InterruptTest, AStopCancelsTheStatementAndTheSessionLives) {
  Connection connection = Open(Stoppable());
  const auto rows = StopInTheMiddle(connection, "SELECT pg_sleep(3600)", "SELECT pg_sleep%");
  ASSERT_FALSE(rows);
  EXPECT_EQ(rows.error().interruption, Interruption::kStopRequested);
  EXPECT_EQ(rows.error().sql_state, kQueryCanceled);
  EXPECT_TRUE(rows.error().connection_usable);
  EXPECT_FALSE(rows.error().outcome_unknown);

  connection.SetLimits({});
  EXPECT_TRUE(connection.Execute("SELECT 1"));
}

TEST_F(InterruptTest, ADeadlineCancelsTheStatement) {
  Connection connection = Open();
  connection.SetLimits({.deadline = FromNow(std::chrono::milliseconds(100)), .stop = {}});
  const auto rows = connection.Execute("SELECT pg_sleep(3600)");
  ASSERT_FALSE(rows);
  EXPECT_EQ(rows.error().interruption, Interruption::kDeadlineReached);
  EXPECT_EQ(rows.error().sql_state, kQueryCanceled);
  EXPECT_TRUE(connection.usable());
}

TEST_F(InterruptTest, AStatementThatWaitsForALockIsCancelled) {
  observer_.Exec("CREATE TABLE t(a int)");
  observer_.Exec("BEGIN; LOCK TABLE t");
  testing::PgClient second(target_);
  Connection connection = Open();
  connection.SetLimits({.deadline = FromNow(std::chrono::milliseconds(100)), .stop = {}});
  const auto rows = connection.Execute("INSERT INTO t VALUES (1)");
  ASSERT_FALSE(rows);
  EXPECT_EQ(rows.error().interruption, Interruption::kDeadlineReached);
  observer_.Exec("ROLLBACK");
  EXPECT_EQ(second.Scalar("SELECT count(*) FROM t"), "0");
}

TEST_F(InterruptTest, AfterTheLimitNothingIsSent) {
  Connection connection = Open(Stoppable());
  stop_.request_stop();
  const auto rows = connection.Execute("CREATE TABLE t(a int)");
  ASSERT_FALSE(rows);
  EXPECT_EQ(rows.error().interruption, Interruption::kStopRequested);
  EXPECT_EQ(rows.error().sql_state, "");
  EXPECT_TRUE(rows.error().connection_usable);
  EXPECT_FALSE(rows.error().outcome_unknown);
  EXPECT_EQ(observer_.Scalar("SELECT count(*) FROM pg_class WHERE relname = 't'"), "0");
}

TEST_F(InterruptTest, ARollbackWorksAfterTheLimit) {
  Connection connection = Open(Stoppable());
  ASSERT_TRUE(connection.Execute("BEGIN; CREATE TABLE t(a int)"));
  stop_.request_stop();
  connection.Rollback();
  EXPECT_EQ(connection.transaction_status(), TransactionStatus::kIdle);
  EXPECT_TRUE(connection.usable());
}

TEST_F(InterruptTest, AStatementThatEndsWellInSpiteOfTheCancelReturnsItsResult) {
  Connection connection = Open(Stoppable());
  // The cancel is caught, so the statement ends well.
  const auto rows = StopInTheMiddle(connection,
                                    "DO $$ BEGIN PERFORM pg_sleep(3600); EXCEPTION WHEN "
                                    "query_canceled THEN CREATE TABLE done(a int); END $$",
                                    "DO $$ BEGIN%");
  EXPECT_TRUE(rows) << rows.error().ToString();
  EXPECT_EQ(observer_.Scalar("SELECT count(*) FROM done"), "0");
  EXPECT_EQ(connection.Execute("SELECT 1").error().interruption, Interruption::kStopRequested);
}

TEST_F(InterruptTest, AStatementThatSwallowsACancelIsCancelledAgain) {
  Connection connection = Open(Stoppable());
  const auto rows = StopInTheMiddle(connection,
                                    "DO $$ BEGIN BEGIN PERFORM pg_sleep(3600); EXCEPTION WHEN "
                                    "query_canceled THEN NULL; END; PERFORM pg_sleep(3600); END $$",
                                    "DO $$ BEGIN%");
  ASSERT_FALSE(rows);
  EXPECT_EQ(rows.error().sql_state, kQueryCanceled);
  EXPECT_TRUE(rows.error().connection_usable);
}

TEST_F(InterruptTest, AStatementThatObeysNoCancelIsGivenUpAndItsSessionTerminated) {
  Connection connection = Open(Stoppable());
  const int pid = connection.backend_pid();
  const auto rows = StopInTheMiddle(connection,
                                    "DO $$ BEGIN LOOP BEGIN PERFORM pg_sleep(3600); EXCEPTION WHEN "
                                    "query_canceled THEN NULL; END; END LOOP; END $$",
                                    "DO $$ BEGIN LOOP%");
  ASSERT_FALSE(rows);
  EXPECT_EQ(rows.error().interruption, Interruption::kStopRequested);
  EXPECT_FALSE(rows.error().connection_usable);
  EXPECT_TRUE(rows.error().outcome_unknown);
  EXPECT_THAT(rows.error().message, HasSubstr("did not end the statement"));
  EXPECT_TRUE(testing::Eventually([&] { return !BackendLives(pid); }));
}

TEST_F(InterruptTest, InATransactionTheOutcomeOfAStatementGivenUpIsKnown) {
  testing::TcpProxy proxy(target_.port);
  Connection connection = OpenAt(target_.WithPort(proxy.port()));
  ASSERT_TRUE(connection.Execute("BEGIN; CREATE TABLE t(a int)"));
  proxy.BlackHole();
  connection.SetLimits({.deadline = FromNow(std::chrono::milliseconds(50)), .stop = {}});
  const auto rows = connection.Execute("SELECT 1");
  ASSERT_FALSE(rows);
  EXPECT_EQ(rows.error().interruption, Interruption::kDeadlineReached);
  EXPECT_FALSE(rows.error().connection_usable);
  EXPECT_FALSE(rows.error().outcome_unknown);
}

TEST_F(InterruptTest, OverANetworkThatForgotTheConnectionNothingIsLeftRunning) {
  testing::TcpProxy proxy(target_.port);
  Connection connection = OpenAt(target_.WithPort(proxy.port()), Stoppable());
  const int pid = connection.backend_pid();
  auto result =
      std::async(std::launch::async, [&] { return connection.Execute("SELECT pg_sleep(3600)"); });
  AwaitRunning(pid, "SELECT pg_sleep%");
  proxy.Strand();
  stop_.request_stop();
  const auto rows = result.get();
  ASSERT_FALSE(rows);
  EXPECT_EQ(rows.error().interruption, Interruption::kStopRequested);
  EXPECT_FALSE(rows.error().connection_usable);
  EXPECT_TRUE(testing::Eventually([&] { return !BackendLives(pid); }));
}

TEST_F(InterruptTest, AnIndexBuildThatWaitsForOldTransactionsIsCancelled) {
  observer_.Exec("CREATE TABLE t(a int)");
  testing::PgClient writer(target_);
  writer.Exec("BEGIN; INSERT INTO t VALUES (1)");
  Connection connection = Open(Stoppable());
  const auto rows = StopInTheMiddle(connection, "CREATE INDEX CONCURRENTLY i ON t(a)",
                                    "CREATE INDEX CONCURRENTLY%");
  ASSERT_FALSE(rows);
  EXPECT_EQ(rows.error().sql_state, kQueryCanceled);
  EXPECT_TRUE(rows.error().connection_usable);
  EXPECT_FALSE(rows.error().outcome_unknown);
  AwaitIdle(connection.backend_pid());
}

TEST_F(InterruptTest, ASessionThatChangedItsNameIsFoundAllTheSame) {
  Connection connection = Open(Stoppable());
  ASSERT_TRUE(connection.Execute("SET application_name = 'it''s \"me\"'"));
  const auto rows = StopInTheMiddle(connection, "SELECT pg_sleep(3600)", "SELECT pg_sleep%");
  ASSERT_FALSE(rows);
  EXPECT_EQ(rows.error().sql_state, kQueryCanceled);
  EXPECT_TRUE(connection.usable());
}

TEST_F(InterruptTest, ASessionThatOnlyLooksEndsAtItsLimit) {
  ConnectOptions options;
  options.give_up_at_limit = true;
  auto connection = Connection::Open(ParametersOf(target_), options);
  ASSERT_TRUE(connection);
  const int pid = connection->backend_pid();
  ASSERT_TRUE(connection->Execute("SET client_connection_check_interval = '100ms'"));
  connection->SetLimits({.deadline = FromNow(std::chrono::milliseconds(100)), .stop = {}});
  const auto rows = connection->Execute("SELECT pg_sleep(3600)");
  ASSERT_FALSE(rows);
  EXPECT_EQ(rows.error().interruption, Interruption::kDeadlineReached);
  EXPECT_FALSE(rows.error().connection_usable);
  EXPECT_TRUE(testing::Eventually([&] { return !BackendLives(pid); }));
}

TEST_F(InterruptTest, WithoutASlotForTheSecondSessionTheCancelRequestServes) {
  const std::string role = CreateRole("LOGIN CONNECTION LIMIT 1");
  Connection connection = OpenAt(target_.WithUser(role, "x"), Stoppable());
  const auto rows = StopInTheMiddle(connection, "SELECT pg_sleep(3600)", "SELECT pg_sleep%");
  ASSERT_FALSE(rows);
  EXPECT_EQ(rows.error().interruption, Interruption::kStopRequested);
  EXPECT_EQ(rows.error().sql_state, kQueryCanceled);
  EXPECT_TRUE(rows.error().connection_usable);
}

TEST_F(InterruptTest, ALargeResultIsInterruptedToo) {
  Connection connection = Open();
  connection.SetLimits({.deadline = FromNow(std::chrono::milliseconds(100)), .stop = {}});
  const auto rows = connection.Execute("COPY (SELECT generate_series(1, 1000000000)) TO STDOUT");
  ASSERT_FALSE(rows);
  EXPECT_EQ(rows.error().interruption, Interruption::kDeadlineReached);
  EXPECT_TRUE(connection.usable());
}

}  // namespace
}  // namespace whimbrel::postgres
