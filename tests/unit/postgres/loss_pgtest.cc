#include <csignal>

#include "support/tcp_proxy.h"
#include "unit/postgres/pg_fixture.h"
#include "whimbrel/postgres/sqlstate.h"

namespace whimbrel::postgres {
namespace {

class LossTest : public PgTest {
 protected:
  void Terminate(const Connection& connection) {
    const int pid = connection.backend_pid();
    observer_.Exec("SELECT pg_terminate_backend(" + std::to_string(pid) + ")");
    ASSERT_TRUE(testing::Eventually([&] { return !BackendLives(pid); }));
  }
};

TEST_F(LossTest, AnAdministratorsTerminationKeepsItsSqlState) {
  Connection connection = Open();
  ASSERT_TRUE(connection.Execute("BEGIN; CREATE TABLE t(a int)"));
  auto result =
      std::async(std::launch::async, [&] { return connection.Execute("SELECT pg_sleep(3600)"); });
  AwaitRunning(connection.backend_pid(), "SELECT pg_sleep%");
  observer_.Exec("SELECT pg_terminate_backend(" + std::to_string(connection.backend_pid()) + ")");
  const auto rows = result.get();
  ASSERT_FALSE(rows);
  EXPECT_EQ(rows.error().sql_state, "57P01");
  EXPECT_FALSE(rows.error().connection_usable);
  EXPECT_FALSE(rows.error().outcome_unknown);  // It was in a transaction.
  EXPECT_EQ(Judge(rows.error()), Verdict::kTransient);
  EXPECT_TRUE(FindRule(rows.error()).reconnect);
  EXPECT_FALSE(connection.usable());
  EXPECT_EQ(connection.transaction_status(), TransactionStatus::kUnknown);

  connection = Open();
  EXPECT_TRUE(connection.Execute("SELECT 1"));
}

TEST_F(LossTest, ASessionThatEndedWhileItWasIdleIsNoticedAtTheNextCall) {
  Connection connection = Open();
  Terminate(connection);
  const auto rows = connection.Execute("SELECT 1");
  ASSERT_FALSE(rows);
  EXPECT_EQ(rows.error().sql_state, "57P01");
  EXPECT_TRUE(rows.error().outcome_unknown);  // Outside a transaction: nobody knows.
  EXPECT_EQ(Judge(rows.error()), Verdict::kAmbiguous);
}

TEST_F(LossTest, RollbackOfABrokenSessionIsFine) {
  Connection connection = Open();
  ASSERT_TRUE(connection.Execute("BEGIN"));
  Terminate(connection);
  connection.Rollback();
  EXPECT_FALSE(connection.usable());
}

TEST_F(LossTest, ACommitWhoseAnswerIsLostHasAnUnknownOutcome) {
  testing::TcpProxy proxy(target_.port);
  Connection connection = OpenAt(target_.WithPort(proxy.port()));
  ASSERT_TRUE(connection.Execute("BEGIN; CREATE TABLE t(a int)"));
  proxy.CutAfterRequest("COMMIT");
  const auto committed = connection.Commit();
  ASSERT_FALSE(committed);
  EXPECT_TRUE(committed.error().outcome_unknown);
  EXPECT_FALSE(committed.error().connection_usable);
  EXPECT_EQ(Judge(committed.error()), Verdict::kAmbiguous);
  EXPECT_EQ(observer_.Scalar("SELECT count(*) FROM t"), "0");  // It was done.
}

TEST_F(LossTest, ACommitThatNeverArrivedHasAnUnknownOutcomeToo) {
  testing::TcpProxy proxy(target_.port);
  Connection connection = OpenAt(target_.WithPort(proxy.port()));
  ASSERT_TRUE(connection.Execute("BEGIN; CREATE TABLE t(a int)"));
  proxy.CutBeforeRequest("COMMIT");
  const auto committed = connection.Commit();
  ASSERT_FALSE(committed);
  EXPECT_TRUE(committed.error().outcome_unknown);
}

TEST_F(LossTest, AStatementInATransactionHasAKnownOutcomeWhenTheConnectionBreaks) {
  testing::TcpProxy proxy(target_.port);
  Connection connection = OpenAt(target_.WithPort(proxy.port()));
  ASSERT_TRUE(connection.Execute("BEGIN"));
  proxy.CutAfterRequest("CREATE TABLE");
  const auto rows = connection.Execute("CREATE TABLE t(a int)");
  ASSERT_FALSE(rows);
  EXPECT_EQ(rows.error().sql_state, "");
  EXPECT_FALSE(rows.error().outcome_unknown);
  EXPECT_EQ(Judge(rows.error()), Verdict::kTransient);
  EXPECT_TRUE(FindRule(rows.error()).reconnect);
}

TEST_F(LossTest, AStatementOutsideATransactionHasAnUnknownOutcomeWhenTheConnectionBreaks) {
  testing::TcpProxy proxy(target_.port);
  Connection connection = OpenAt(target_.WithPort(proxy.port()));
  proxy.CutAfterRequest("CREATE TABLE");
  const auto rows = connection.Execute("CREATE TABLE t(a int)");
  ASSERT_FALSE(rows);
  EXPECT_TRUE(rows.error().outcome_unknown);
  EXPECT_TRUE(testing::Eventually([&] {
    return observer_.Scalar("SELECT count(*) FROM pg_class WHERE relname = 't'") == "1";
  }));
}

TEST_F(LossTest, ACrashOfAnotherBackendIsKnownByTheNoticeBeforeTheClose) {
  testing::PostgresServer server;
  Connection connection = OpenAt(server.target());
  Connection victim = OpenAt(server.target());
  ASSERT_TRUE(connection.Execute("BEGIN"));
  auto result =
      std::async(std::launch::async, [&] { return connection.Execute("SELECT pg_sleep(3600)"); });
  testing::PgClient client(server.target());
  ASSERT_TRUE(testing::Eventually([&] {
    return client.Scalar(
               "SELECT count(*) FROM pg_stat_activity WHERE query LIKE 'SELECT pg_s%' AND "
               "state = 'active' AND pid = " +
               std::to_string(connection.backend_pid())) == "1";
  }));
  ASSERT_EQ(kill(victim.backend_pid(), SIGKILL), 0);
  const auto rows = result.get();
  ASSERT_FALSE(rows);
  EXPECT_EQ(rows.error().sql_state, "57P02");
  EXPECT_FALSE(rows.error().connection_usable);
  EXPECT_EQ(Judge(rows.error()), Verdict::kTransient);
}

}  // namespace
}  // namespace whimbrel::postgres
