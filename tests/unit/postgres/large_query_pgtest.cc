#include <utility>

#include "support/tcp_proxy.h"
#include "unit/postgres/peak_memory.h"
#include "unit/postgres/pg_fixture.h"
#include "whimbrel/base/hash.h"
#include "whimbrel/postgres/sqlstate.h"

namespace whimbrel::postgres {
namespace {

using ::testing::HasSubstr;

class OneStatement final : public StatementStream {
 public:
  explicit OneStatement(std::string_view text) : text_(text) {}
  Result<std::optional<StreamStatement>> Next() override {
    const std::string_view text = std::exchange(text_, std::string_view());
    if (text.empty()) return std::nullopt;
    return StreamStatement{.text = text, .position = {.file = "V1.sql", .line = 1, .column = 1}};
  }
  Result<std::string_view> NextCopyData() override { return std::string_view(); }
  void OnStandardConformingStrings(bool) override {}

 private:
  std::string_view text_;
};

/// A statement of over 16 MiB, with `end` behind its one large literal.
std::string Large(const std::string& begin, const std::string& end) {
  std::string text = begin + "'";
  while (text.size() < 16 * kMiB) text += "0123456789 \xC3\xA4 ;\n";
  return text + "'" + end;
}

class LargeQueryTest : public PgTest {
 protected:
  static Result<std::uint64_t, StreamError> Run(Connection& connection, std::string_view text) {
    OneStatement stream(text);
    return connection.Run(stream);
  }
  static const PgError& Cause(const Result<std::uint64_t, StreamError>& result) {
    return std::get<PgError>(result.error().cause);
  }
};

TEST_F(LargeQueryTest, ArrivesAsItIsAndIsNotCopied) {
  Connection connection = Open();
  ASSERT_TRUE(connection.Execute("CREATE TABLE t (a text); BEGIN"));
  const std::string text = Large("INSERT INTO t VALUES (", ")");
  const std::size_t peak = PeakOf([&] {
    const auto done = Run(connection, text);
    EXPECT_TRUE(done) << Cause(done).ToString();
  });
  EXPECT_LT(peak, kMiB);
  ASSERT_TRUE(connection.Commit());
  const std::size_t quote = text.find('\'') + 1;
  EXPECT_EQ(observer_.Scalar("SELECT encode(sha256(convert_to(a, 'UTF8')), 'hex') FROM t"),
            Sha256Hex(std::string_view(text).substr(quote, text.rfind('\'') - quote)));
}

TEST_F(LargeQueryTest, ItsErrorsStandAtTheirPlace) {
  Connection connection = Open();
  const std::string text = Large("SELECT ", ",\n  nope");
  const auto done = Run(connection, text);
  ASSERT_FALSE(done);
  EXPECT_EQ(Cause(done).sql_state, "42703");
  EXPECT_EQ(done.error().position.column, 3U);
  EXPECT_EQ(done.error().position.offset, text.size() - 4);
  EXPECT_TRUE(connection.usable());
  EXPECT_TRUE(connection.Execute("SELECT 1"));
}

TEST_F(LargeQueryTest, ItsRowsAreThrownAwayAndItsEscapesSeen) {
  Connection connection = Open();
  ASSERT_TRUE(connection.Execute("BEGIN"));
  EXPECT_TRUE(Run(connection, Large("SELECT length(", ") FROM generate_series(1, 3)")));
  const auto done = Run(connection, "COMMIT /*" + std::string(5 * kMiB, 'x') + "*/");
  ASSERT_FALSE(done);
  EXPECT_THAT(Cause(done).message, HasSubstr("ended the transaction"));
}

TEST_F(LargeQueryTest, ItIsCancelledLikeAnyOther) {
  Connection connection = Open();
  const std::string text = Large("SELECT pg_sleep(100), length(", ")");
  connection.SetLimits({.deadline = FromNow(std::chrono::seconds(2)), .stop = {}});
  const auto done = Run(connection, text);
  ASSERT_FALSE(done);
  EXPECT_EQ(Cause(done).interruption, Interruption::kDeadlineReached);
  EXPECT_EQ(Cause(done).sql_state, "57014");
  EXPECT_TRUE(Cause(done).connection_usable);
}

TEST_F(LargeQueryTest, ASessionThatEndedIsLost) {
  Connection connection = Open();
  ASSERT_TRUE(connection.Execute("BEGIN"));
  observer_.Exec("SELECT pg_terminate_backend(" + std::to_string(connection.backend_pid()) + ")");
  const auto done = Run(connection, Large("SELECT ", ""));
  ASSERT_FALSE(done);
  EXPECT_FALSE(Cause(done).connection_usable);
  EXPECT_FALSE(Cause(done).outcome_unknown);
  EXPECT_EQ(Judge(Cause(done)), Verdict::kTransient) << Cause(done).ToString();
}

TEST_F(LargeQueryTest, OverADeadNetworkItIsGivenUp) {
  testing::TcpProxy proxy(target_.port);
  Connection connection = OpenAt(target_.WithPort(proxy.port()));
  ASSERT_TRUE(connection.Execute("BEGIN"));
  const std::string text = Large("SELECT ", "");
  proxy.BlackHole();
  connection.SetLimits({.deadline = FromNow(std::chrono::milliseconds(300)), .stop = {}});
  const auto done = Run(connection, text);
  ASSERT_FALSE(done);
  EXPECT_EQ(Cause(done).interruption, Interruption::kDeadlineReached);
  EXPECT_FALSE(Cause(done).connection_usable);
}

}  // namespace
}  // namespace whimbrel::postgres
