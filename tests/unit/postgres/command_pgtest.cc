#include "unit/postgres/pg_fixture.h"
#include "whimbrel/postgres/sqlstate.h"

namespace whimbrel::postgres {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::Not;

using CommandTest = PgTest;

std::vector<std::optional<std::string>> Cells(const Rows::Row& row) {
  std::vector<std::optional<std::string>> cells;
  for (std::size_t i = 0; i < row.size(); ++i) cells.push_back(row[i]);
  return cells;
}

TEST_F(CommandTest, RowsHoldTextAndNull) {
  Connection connection = Open();
  const auto rows = connection.Execute("SELECT 1, NULL, '', 'ä' UNION ALL SELECT 2, 'x', 'y', 'z'");
  ASSERT_TRUE(rows) << rows.error().ToString();
  ASSERT_EQ(rows->size(), 2U);
  EXPECT_THAT(Cells((*rows)[0]), ElementsAre("1", std::nullopt, "", "ä"));
  EXPECT_EQ((*rows)[0][4], std::nullopt) << "there is no such column";
  EXPECT_EQ(rows->command_tag(), "SELECT 2");
  std::string seen;
  for (const Rows::Row& row : *rows) seen += row.View(0).value_or("NULL");
  EXPECT_EQ(seen, "12");
  EXPECT_TRUE(Rows().empty());
}

TEST_F(CommandTest, OfSeveralStatementsTheLastOnesRowsAreReturned) {
  Connection connection = Open();
  const auto rows =
      connection.Execute("SELECT 1; CREATE TABLE t(a int); INSERT INTO t VALUES(1),(2)");
  ASSERT_TRUE(rows) << rows.error().ToString();
  EXPECT_TRUE(rows->empty());
  EXPECT_EQ(rows->command_tag(), "INSERT 0 2");
  EXPECT_EQ(rows->affected(), 2U);
}

TEST_F(CommandTest, NothingIsAStatementToo) {
  Connection connection = Open();
  EXPECT_TRUE(connection.Execute(""));
  EXPECT_TRUE(connection.Execute("-- a comment\n"));
}

TEST_F(CommandTest, ParametersAreNeverPartOfTheText) {
  Connection connection = Open();
  const auto rows = connection.Query("SELECT $1::text, $2::text, $3::int + 1",
                                     {"'; DROP TABLE x; --", std::nullopt, "41"});
  ASSERT_TRUE(rows) << rows.error().ToString();
  EXPECT_THAT(Cells((*rows)[0]), ElementsAre("'; DROP TABLE x; --", std::nullopt, "42"));
}

TEST_F(CommandTest, AnErrorTellsItsSqlStatePositionAndHint) {
  Connection connection = Open();
  const auto rows = connection.Execute("SELECT 'ä', upperr('x')");
  ASSERT_FALSE(rows);
  EXPECT_EQ(rows.error().sql_state, "42883");
  EXPECT_EQ(rows.error().position, 13U);
  EXPECT_THAT(rows.error().hint, HasSubstr("No function matches"));
  EXPECT_TRUE(rows.error().connection_usable);
  EXPECT_FALSE(rows.error().outcome_unknown);
  EXPECT_EQ(rows.error().interruption, Interruption::kNone);
  EXPECT_EQ(Judge(rows.error()), Verdict::kPermanent);
}

TEST_F(CommandTest, AnErrorNamesTheConstraintAndNoRow) {
  Connection connection = Open();
  ASSERT_TRUE(
      connection.Execute("CREATE SCHEMA s; CREATE TABLE s.t(a text CONSTRAINT one PRIMARY KEY)"));
  ASSERT_TRUE(connection.Execute("INSERT INTO s.t VALUES ('canary')"));
  const auto rows = connection.Execute("INSERT INTO s.t VALUES ('canary')");
  ASSERT_FALSE(rows);
  EXPECT_EQ(rows.error().sql_state, kUniqueViolation);
  EXPECT_EQ(rows.error().constraint, "s.one");
  EXPECT_THAT(rows.error().ToString(), Not(HasSubstr("canary")));
}

TEST_F(CommandTest, AMessageThatHoldsAPasswordIsRedacted) {
  Connection connection = Open();
  const auto rows = connection.Execute(
      "DO $$ BEGIN RAISE 'cannot reach postgres://app:canary@db/x' USING HINT = "
      "'password=canary'; END $$");
  ASSERT_FALSE(rows);
  EXPECT_THAT(rows.error().message, HasSubstr("cannot reach"));
  EXPECT_THAT(rows.error().message + rows.error().hint, Not(HasSubstr("canary")));
}

TEST_F(CommandTest, ALongMessageIsCut) {
  Connection connection = Open();
  const auto rows = connection.Execute("DO $$ BEGIN RAISE '%', repeat('x', 100000); END $$");
  ASSERT_FALSE(rows);
  EXPECT_LE(rows.error().message.size(), 1024U);
}

TEST_F(CommandTest, ANulByteIsRefusedBeforeItCutsTheStatement) {
  Connection connection = Open();
  using namespace std::string_view_literals;
  const auto text = connection.Execute("CREATE TABLE cut(a int)\0;"sv);
  ASSERT_FALSE(text);
  EXPECT_EQ(text.error().sql_state, "22021");
  EXPECT_TRUE(text.error().connection_usable);
  const auto parameter = connection.Query("SELECT $1::text", {"a\0b"sv});
  ASSERT_FALSE(parameter);
  EXPECT_EQ(parameter.error().sql_state, "22021");
  EXPECT_EQ(observer_.Scalar("SELECT count(*) FROM pg_class WHERE relname = 'cut'"), "0");
  EXPECT_TRUE(connection.Execute("SELECT 1"));
}

TEST_F(CommandTest, ACopyThatNobodyFeedsFailsAndTheSessionLives) {
  Connection connection = Open();
  ASSERT_TRUE(connection.Execute("CREATE TABLE t(a text)"));
  const auto copy = connection.Execute("COPY t FROM STDIN");
  ASSERT_FALSE(copy);
  EXPECT_EQ(copy.error().sql_state, kQueryCanceled);
  EXPECT_EQ(copy.error().interruption, Interruption::kNone);
  EXPECT_TRUE(connection.Execute("COPY (SELECT generate_series(1, 1000)) TO STDOUT"));
}

TEST_F(CommandTest, TheTransactionStatusIsFollowed) {
  Connection connection = Open();
  ASSERT_TRUE(connection.Execute("BEGIN"));
  EXPECT_EQ(connection.transaction_status(), TransactionStatus::kInTransaction);
  EXPECT_FALSE(connection.Execute("SELECT 1/0"));
  EXPECT_EQ(connection.transaction_status(), TransactionStatus::kInFailedTransaction);
  connection.Rollback();
  EXPECT_EQ(connection.transaction_status(), TransactionStatus::kIdle);
  connection.Rollback();
  EXPECT_EQ(connection.transaction_status(), TransactionStatus::kIdle);
}

TEST_F(CommandTest, ACommitMakesTheWorkLast) {
  Connection connection = Open();
  ASSERT_TRUE(connection.Execute("BEGIN; CREATE TABLE t(a int)"));
  EXPECT_TRUE(connection.Commit());
  EXPECT_EQ(observer_.Scalar("SELECT count(*) FROM t"), "0");
}

TEST_F(CommandTest, TheCommitOfAFailedTransactionIsAFailure) {
  Connection connection = Open();
  ASSERT_TRUE(connection.Execute("BEGIN; CREATE TABLE t(a int)"));
  ASSERT_FALSE(connection.Execute("SELECT 1/0"));
  const auto committed = connection.Commit();
  ASSERT_FALSE(committed);
  EXPECT_EQ(committed.error().sql_state, "25P02");
  EXPECT_FALSE(committed.error().outcome_unknown);
  EXPECT_TRUE(committed.error().connection_usable);
  EXPECT_EQ(connection.transaction_status(), TransactionStatus::kIdle);
}

TEST_F(CommandTest, ACommitThatADeferredConstraintRefusesIsAFailureWithAKnownOutcome) {
  Connection connection = Open();
  ASSERT_TRUE(connection.Execute(
      "CREATE TABLE t(a int UNIQUE DEFERRABLE INITIALLY DEFERRED); BEGIN; INSERT INTO t VALUES (1);"
      "INSERT INTO t VALUES (1)"));
  const auto committed = connection.Commit();
  ASSERT_FALSE(committed);
  EXPECT_EQ(committed.error().sql_state, kUniqueViolation);
  EXPECT_FALSE(committed.error().outcome_unknown);
}

TEST_F(CommandTest, ACommitWithoutATransactionIsAFailure) {
  Connection connection = Open();
  const auto committed = connection.Commit();
  ASSERT_FALSE(committed);
  EXPECT_EQ(committed.error().sql_state, "25P01");
  EXPECT_TRUE(connection.usable());
}

TEST_F(CommandTest, AClosedSessionFailsEveryCallAndIsSafeToAsk) {
  Connection connection = Open();
  connection.Close();
  EXPECT_FALSE(connection.usable());
  EXPECT_EQ(connection.transaction_status(), TransactionStatus::kUnknown);
  EXPECT_EQ(connection.backend_pid(), 0);
  EXPECT_EQ(connection.server_version(), 0);
  EXPECT_EQ(connection.ParameterStatus("client_encoding"), "");
  connection.Rollback();
  connection.Close();
  const auto rows = connection.Execute("SELECT 1");
  ASSERT_FALSE(rows);
  EXPECT_FALSE(rows.error().connection_usable);
  EXPECT_FALSE(rows.error().outcome_unknown);
  EXPECT_THAT(rows.error().message, HasSubstr("closed"));
  EXPECT_FALSE(connection.Commit());
}

TEST_F(CommandTest, ALargeStatementAndALargeResultPass) {
  Connection connection = Open();
  const std::string large(8'000'000, 'x');
  const auto rows = connection.Execute("SELECT '" + large + "'");
  ASSERT_TRUE(rows) << rows.error().ToString();
  EXPECT_EQ((*rows)[0][0]->size(), large.size());
}

TEST_F(CommandTest, NoticesDoNotDisturb) {
  Connection connection = Open();
  EXPECT_TRUE(connection.Execute(
      "DO $$ BEGIN FOR i IN 1..20000 LOOP RAISE WARNING 'notice %', i; END LOOP; END $$"));
}

}  // namespace
}  // namespace whimbrel::postgres
