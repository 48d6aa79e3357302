#include <algorithm>
#include <functional>
#include <thread>

#include "support/tcp_proxy.h"
#include "unit/postgres/peak_memory.h"
#include "unit/postgres/pg_fixture.h"
#include "whimbrel/postgres/sqlstate.h"

namespace whimbrel::postgres {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

/// A statement of a test's file.
struct Item {
  std::string text;
  SourcePosition position = {.file = "V1.sql", .line = 1, .column = 1};
  bool barrier_before = false;
  /// Called for each piece of COPY data with its number, until it returns an empty one.
  std::function<std::string(int)> copy = nullptr;
};

class Items final : public StatementStream {
 public:
  explicit Items(std::vector<Item> items) : items_(std::move(items)) {}

  Result<std::optional<StreamStatement>> Next() override {
    if (next_ == items_.size()) {
      if (failure_at_end) return tl::make_unexpected(*failure_at_end);
      return std::nullopt;
    }
    const Item& item = items_[next_++];
    pieces_ = 0;
    return StreamStatement{.text = item.text,
                           .position = item.position,
                           .barrier_before = item.barrier_before,
                           .copy_from_stdin = item.copy != nullptr};
  }

  Result<std::string_view> NextCopyData() override {
    if (copy_failure) return tl::make_unexpected(*copy_failure);
    piece_ = items_[next_ - 1].copy(pieces_++);
    return piece_;
  }

  void OnStandardConformingStrings(bool on) override { strings.push_back(on); }

  std::vector<bool> strings;
  std::optional<Error> failure_at_end;
  std::optional<Error> copy_failure;

 private:
  std::vector<Item> items_;
  std::size_t next_ = 0;
  int pieces_ = 0;
  std::string piece_;
};

class StreamTest : public PgTest {
 protected:
  static const PgError& Cause(const Result<std::uint64_t, StreamError>& result) {
    return std::get<PgError>(result.error().cause);
  }

  std::string Count(const std::string& relation) {
    return observer_.Scalar("SELECT count(*) FROM pg_class WHERE relname = '" + relation + "'");
  }
};

TEST_F(StreamTest, EveryStatementRunsInTheOpenTransaction) {
  Connection connection = Open();
  ASSERT_TRUE(connection.Execute("BEGIN"));
  Items items({{"CREATE TABLE t(a int)"}, {"INSERT INTO t VALUES (1)"}, {"-- nothing"}});
  const auto done = connection.Run(items);
  ASSERT_TRUE(done) << Cause(done).ToString();
  EXPECT_EQ(*done, 3U);
  EXPECT_EQ(connection.transaction_status(), TransactionStatus::kInTransaction);
  EXPECT_EQ(Count("t"), "0");
  ASSERT_TRUE(connection.Commit());
  EXPECT_EQ(Count("t"), "1");
}

TEST_F(StreamTest, AnErrorStandsAtItsPlaceInTheFile) {
  Connection connection = Open();
  ASSERT_TRUE(connection.Execute("BEGIN"));
  Items items({{"SELECT 1", {.file = "V1.sql", .line = 1, .column = 1, .offset = 0}},
               {"SELECT 'ä',\r\n\tnope", {.file = "V1.sql", .line = 7, .column = 3, .offset = 50}},
               {"SELECT 2"}});
  const auto done = connection.Run(items);
  ASSERT_FALSE(done);
  EXPECT_EQ(Cause(done).sql_state, "42703");
  EXPECT_EQ(done.error().statement.ToString(), "V1.sql:7:3");
  EXPECT_EQ(done.error().position.ToString(), "V1.sql:8:2");
  EXPECT_EQ(done.error().position.offset, 65U);
  EXPECT_EQ(done.error().statements_done, 1U);
  EXPECT_EQ(connection.transaction_status(), TransactionStatus::kInFailedTransaction);
}

TEST_F(StreamTest, AnErrorWithoutAPlaceStandsAtItsStatement) {
  Connection connection = Open();
  ASSERT_TRUE(connection.Execute("BEGIN"));
  Items items({{"SELECT 1/0", {.file = "V1.sql", .line = 7, .column = 3}}});
  const auto done = connection.Run(items);
  ASSERT_FALSE(done);
  EXPECT_EQ(done.error().position.ToString(), "V1.sql:7:3");
}

TEST_F(StreamTest, TheStreamsOwnFailureIsPassedOn) {
  Connection connection = Open();
  Items items({{"SELECT 1"}});
  items.failure_at_end = Error{.kind = ErrorKind::kSourceChanged, .message = "the file changed"};
  const auto done = connection.Run(items);
  ASSERT_FALSE(done);
  EXPECT_EQ(std::get<Error>(done.error().cause).kind, ErrorKind::kSourceChanged);
  EXPECT_EQ(done.error().statement.line, 0U);
  EXPECT_EQ(done.error().statements_done, 1U);
  EXPECT_TRUE(connection.usable());
}

TEST_F(StreamTest, AStatementThatEndsTheTransactionStopsTheFile) {
  for (const char* text : {"COMMIT", "ROLLBACK", "COMMIT AND CHAIN", "ROLLBACK AND CHAIN", "END",
                           "PREPARE TRANSACTION 'stream_test'"}) {
    SCOPED_TRACE(text);
    Connection connection = Open();
    ASSERT_TRUE(connection.Execute("BEGIN"));
    Items items({{"CREATE TEMP TABLE IF NOT EXISTS x(a int)"}, {text}, {"CREATE TABLE after()"}});
    const auto done = connection.Run(items);
    ASSERT_FALSE(done);
    // Prepared transactions are off by default, and may not hold temporary tables.
    if (std::string_view(text).starts_with("PREPARE")) continue;
    EXPECT_EQ(Cause(done).sql_state, kTransactionEscaped);
    EXPECT_TRUE(Cause(done).connection_usable);
    EXPECT_EQ(Judge(Cause(done)), Verdict::kPermanent);
    EXPECT_EQ(Count("after"), "0");
  }
}

TEST_F(StreamTest, SavepointsMayBeUsed) {
  Connection connection = Open();
  ASSERT_TRUE(connection.Execute("BEGIN"));
  Items items({{"SAVEPOINT chain"}, {"ROLLBACK TO chain"}, {"RELEASE chain"}});
  EXPECT_TRUE(connection.Run(items));
}

TEST_F(StreamTest, OutsideATransactionEachStatementCommitsItself) {
  Connection connection = Open();
  Items items({{"CREATE TABLE t(a int)"}, {"VACUUM t"}});
  EXPECT_TRUE(connection.Run(items));
  EXPECT_EQ(Count("t"), "1");
}

TEST_F(StreamTest, LargeResultsAreThrownAwayRowByRow) {
  Connection connection = Open();
  ASSERT_TRUE(connection.Execute("BEGIN"));
  Items items({{"SELECT repeat('x', 100000) FROM generate_series(1, 2000)"},
               {"COPY (SELECT repeat('x', 1000) FROM generate_series(1, 20000)) TO STDOUT"}});
  const std::size_t peak = PeakOf([&] { EXPECT_TRUE(connection.Run(items)); });
  EXPECT_LT(peak, 4 * kMiB) << "of results of 190 and 19 MiB";
}

TEST_F(StreamTest, CopyDataOfTheFileIsSent) {
  Connection connection = Open();
  ASSERT_TRUE(connection.Execute("CREATE TABLE t(a int); CREATE TABLE u(a int)"));
  ASSERT_TRUE(connection.Execute("BEGIN"));
  const auto three = [](int n) { return n < 3 ? std::to_string(n) + "\n" : std::string(); };
  const auto none = [](int) { return std::string(); };
  Items items({{.text = "COPY t FROM STDIN", .barrier_before = true, .copy = three},
               {.text = "COPY u FROM STDIN", .barrier_before = true, .copy = none},
               {.text = "INSERT INTO u VALUES (9)"}});
  const auto done = connection.Run(items);
  ASSERT_TRUE(done) << Cause(done).ToString();
  ASSERT_TRUE(connection.Commit());
  EXPECT_EQ(observer_.Text("SELECT a FROM t ORDER BY a"), "0\n1\n2");
  EXPECT_EQ(observer_.Text("SELECT a FROM u"), "9");
}

TEST_F(StreamTest, MuchCopyDataPassesInBoundedMemory) {
  Connection connection = Open();
  ASSERT_TRUE(connection.Execute("CREATE TABLE t(a text)"));
  ASSERT_TRUE(connection.Execute("BEGIN"));
  for (const std::size_t size : {std::size_t{100}, kMiB}) {
    const int pieces = static_cast<int>(20 * kMiB / size);
    const std::string piece = std::string(size, 'x') + "\n";
    Items items({{.text = "COPY t FROM STDIN", .barrier_before = true, .copy = [&](int n) {
                    return n < pieces ? piece : std::string();
                  }}});
    const std::size_t peak = PeakOf([&] { EXPECT_TRUE(connection.Run(items)); });
    EXPECT_LT(peak, 4 * kMiB) << "of 20 MiB in pieces of " << size;
  }
}

TEST_F(StreamTest, CopyDataThatTheServerRefusesFailsTheStatement) {
  Connection connection = Open();
  ASSERT_TRUE(connection.Execute("CREATE TABLE t(a int)"));
  ASSERT_TRUE(connection.Execute("BEGIN"));
  Items items({{.text = "COPY t FROM STDIN",
                .position = {.file = "V1.sql", .line = 4, .column = 1},
                .barrier_before = true,
                .copy = [](int n) { return n < 5 ? "no number\n" : std::string(); }}});
  const auto done = connection.Run(items);
  ASSERT_FALSE(done);
  EXPECT_EQ(Cause(done).sql_state, "22P02");
  EXPECT_EQ(done.error().position.ToString(), "V1.sql:4:1");
}

TEST_F(StreamTest, ACopyThatDoesNotStartSendsNoData) {
  Connection connection = Open();
  ASSERT_TRUE(connection.Execute("BEGIN"));
  int asked = 0;
  Items items({{.text = "COPY nowhere FROM STDIN",
                .barrier_before = true,
                .copy =
                    [&](int) {
                      ++asked;
                      return std::string();
                    }},
               {.text = "SELECT 1"}});
  const auto done = connection.Run(items);
  ASSERT_FALSE(done);
  EXPECT_EQ(Cause(done).sql_state, kUndefinedTable);
  EXPECT_EQ(asked, 0);
}

TEST_F(StreamTest, ACopyWithoutDataInTheFileFails) {
  Connection connection = Open();
  ASSERT_TRUE(connection.Execute("CREATE TABLE t(a int)"));
  ASSERT_TRUE(connection.Execute("BEGIN"));
  Items items({{"COPY t FROM STDIN"}});
  const auto done = connection.Run(items);
  ASSERT_FALSE(done);
  EXPECT_EQ(Cause(done).sql_state, kQueryCanceled);
  EXPECT_THAT(Cause(done).message, HasSubstr("the file holds no data"));
}

TEST_F(StreamTest, CopyDataThatCannotBeReadFailsAsTheStreamSays) {
  Connection connection = Open();
  ASSERT_TRUE(connection.Execute("CREATE TABLE t(a int)"));
  ASSERT_TRUE(connection.Execute("BEGIN"));
  Items items({{.text = "COPY t FROM STDIN", .copy = [](int) { return "1\n"; }}});
  items.copy_failure = Error{.kind = ErrorKind::kSourceChanged, .message = "the file changed"};
  const auto done = connection.Run(items);
  ASSERT_FALSE(done);
  EXPECT_EQ(std::get<Error>(done.error().cause).kind, ErrorKind::kSourceChanged);
  EXPECT_EQ(connection.transaction_status(), TransactionStatus::kInFailedTransaction);
}

TEST_F(StreamTest, AStopInTheMiddleOfACopyEndsIt) {
  std::stop_source stop;
  Connection connection = Open({.deadline = SteadyTime::max(), .stop = stop.get_token()});
  ASSERT_TRUE(connection.Execute("CREATE TABLE t(a int)"));
  ASSERT_TRUE(connection.Execute("BEGIN"));
  Items items({{.text = "COPY t FROM STDIN", .barrier_before = true, .copy = [&](int n) {
                  if (n == 100) stop.request_stop();
                  return "1\n";
                }}});
  const auto done = connection.Run(items);
  ASSERT_FALSE(done);
  EXPECT_EQ(Cause(done).interruption, Interruption::kStopRequested);
  EXPECT_EQ(Cause(done).sql_state, kQueryCanceled);
  EXPECT_TRUE(Cause(done).connection_usable);
  connection.Rollback();
  EXPECT_EQ(observer_.Scalar("SELECT count(*) FROM t"), "0");
}

TEST_F(StreamTest, ACopyThatIsStuckInTheServerIsCancelled) {
  Connection connection = Open();
  ASSERT_TRUE(connection.Execute(
      "CREATE TABLE t(a text); CREATE TABLE held(a int);"
      "CREATE FUNCTION wait() RETURNS trigger LANGUAGE plpgsql AS "
      "$$BEGIN LOCK TABLE held; RETURN NEW; END$$;"
      "CREATE TRIGGER wait BEFORE INSERT ON t FOR EACH ROW EXECUTE FUNCTION wait()"));
  observer_.Exec("BEGIN; LOCK TABLE held");
  ASSERT_TRUE(connection.Execute("BEGIN"));
  // More than all buffers between here and the waiting server take.
  const std::string piece = std::string(100000, 'x') + "\n";
  connection.SetLimits({.deadline = FromNow(std::chrono::milliseconds(300)), .stop = {}});
  Items items(
      {{.text = "COPY t FROM STDIN", .barrier_before = true, .copy = [&](int) { return piece; }}});
  const auto done = connection.Run(items);
  ASSERT_FALSE(done);
  EXPECT_EQ(Cause(done).interruption, Interruption::kDeadlineReached);
  EXPECT_TRUE(Cause(done).connection_usable);
}

TEST_F(StreamTest, ACopyOverADeadNetworkIsGivenUp) {
  testing::TcpProxy proxy(target_.port);
  Connection connection = OpenAt(target_.WithPort(proxy.port()));
  ASSERT_TRUE(connection.Execute("CREATE TABLE t(a text)"));
  ASSERT_TRUE(connection.Execute("BEGIN"));
  connection.SetLimits({.deadline = FromNow(std::chrono::milliseconds(300)), .stop = {}});
  const std::string piece = std::string(100000, 'x') + "\n";
  Items items({{.text = "COPY t FROM STDIN", .barrier_before = true, .copy = [&](int n) {
                  if (n == 2) proxy.BlackHole();
                  return piece;
                }}});
  const auto done = connection.Run(items);
  ASSERT_FALSE(done);
  EXPECT_EQ(Cause(done).interruption, Interruption::kDeadlineReached);
  EXPECT_FALSE(Cause(done).connection_usable);
  EXPECT_FALSE(Cause(done).outcome_unknown);
}

TEST_F(StreamTest, AConnectionThatBreaksInTheMiddleOfACopyStopsTheStream) {
  testing::TcpProxy proxy(target_.port);
  Connection connection = OpenAt(target_.WithPort(proxy.port()));
  ASSERT_TRUE(connection.Execute("CREATE TABLE t(a text)"));
  ASSERT_TRUE(connection.Execute("BEGIN"));
  const std::string piece = std::string(100000, 'x') + "\n";
  Items items({{.text = "COPY t FROM STDIN", .barrier_before = true, .copy = [&](int n) {
                  if (n == 2) proxy.Cut();
                  return piece;
                }}});
  const auto done = connection.Run(items);
  ASSERT_FALSE(done);
  EXPECT_EQ(Cause(done).interruption, Interruption::kNone);
  EXPECT_FALSE(Cause(done).connection_usable);
  EXPECT_FALSE(Cause(done).outcome_unknown);
  EXPECT_EQ(Judge(Cause(done)), Verdict::kTransient);
}

TEST_F(StreamTest, TheSettingOfStringsIsToldAfterEachStatementBehindABarrier) {
  Connection connection = Open();
  ASSERT_TRUE(connection.Execute("BEGIN"));
  Items items({{.text = "SELECT 1"},
               {.text = "SET standard_conforming_strings = off", .barrier_before = true},
               {.text = "SELECT 2", .barrier_before = true},
               {.text = "SET standard_conforming_strings = on", .barrier_before = true}});
  ASSERT_TRUE(connection.Run(items));
  EXPECT_THAT(items.strings, ElementsAre(false, false, true));
}

TEST_F(StreamTest, TheTimeOfTheStatementThatFailedTellsATimeoutFromACancel) {
  Connection connection = Open();
  ASSERT_TRUE(connection.Execute("SET statement_timeout = 200"));
  Items items({{.text = "SELECT pg_sleep(0.15)"},
               {.text = "SELECT pg_sleep(0.15)"},
               {.text = "SELECT pg_cancel_backend(pg_backend_pid()), pg_sleep(60)"}});
  const auto cancelled = connection.Run(items);
  ASSERT_FALSE(cancelled);
  EXPECT_EQ(Cause(cancelled).sql_state, kQueryCanceled);
  EXPECT_LT(cancelled.error().statement_ran, std::chrono::milliseconds(200));
  Items slow({{.text = "SELECT pg_sleep(60)"}});
  const auto timed_out = connection.Run(slow);
  ASSERT_FALSE(timed_out);
  EXPECT_EQ(Cause(timed_out).sql_state, kQueryCanceled);
  EXPECT_GE(timed_out.error().statement_ran, std::chrono::milliseconds(200));
}

TEST_F(StreamTest, ALostSessionStopsTheStream) {
  Connection connection = Open();
  ASSERT_TRUE(connection.Execute("BEGIN"));
  Items items({{"SELECT pg_terminate_backend(pg_backend_pid())"}, {"CREATE TABLE after()"}});
  const auto done = connection.Run(items);
  ASSERT_FALSE(done);
  EXPECT_EQ(Cause(done).sql_state, "57P01");
  EXPECT_FALSE(Cause(done).connection_usable);
  EXPECT_EQ(done.error().statements_done, 0U);
}

}  // namespace
}  // namespace whimbrel::postgres
