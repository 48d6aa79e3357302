#include <gtest/gtest.h>

#include "postgres/run_stream.h"
#include "postgres/server_error.h"
#include "postgres/text_list.h"
#include "whimbrel/postgres/advisory_lock.h"
#include "whimbrel/postgres/connection.h"
#include "whimbrel/postgres/session.h"

namespace whimbrel::postgres {
namespace {

TEST(QuoteTest, IdentifiersAreAlwaysQuoted) {
  EXPECT_EQ(QuoteIdentifier("a"), R"("a")");
  EXPECT_EQ(QuoteIdentifier(""), R"("")");
  EXPECT_EQ(QuoteIdentifier(R"(a"b)"), R"("a""b")");
  EXPECT_EQ(QuoteIdentifier("select; drop"), R"("select; drop")");
  EXPECT_EQ(QuoteIdentifier(R"(a\b)"), R"("a\b")");
}

TEST(QuoteTest, LiteralsReadTheSameUnderEitherSettingOfStrings) {
  EXPECT_EQ(QuoteLiteral("a"), "'a'");
  EXPECT_EQ(QuoteLiteral(""), "''");
  EXPECT_EQ(QuoteLiteral("it's"), "'it''s'");
  EXPECT_EQ(QuoteLiteral(R"(a\b)"), R"( E'a\\b')");
  EXPECT_EQ(QuoteLiteral(R"(\'; drop)"), R"( E'\\''; drop')");
}

struct PositionCase {
  const char* description;
  std::string_view text;
  std::uint32_t character;
  std::uint32_t line;
  std::uint32_t column;
  std::uint64_t offset;
};

TEST(MapPositionTest, CountsCharactersAsTheServerDoes) {
  // The statement begins at line 10, column 5, offset 100 of its file.
  const SourcePosition start{.file = "V1.sql", .line = 10, .column = 5, .offset = 100};
  const PositionCase cases[] = {
      {"no position: the statement", "SELECT 1", 0, 10, 5, 100},
      {"the first character", "SELECT 1", 1, 10, 5, 100},
      {"later on the first line", "SELECT x", 8, 10, 12, 107},
      {"the first character of the next line", "SELECT\nx", 8, 11, 1, 107},
      {"a line end itself", "SELECT\nx", 7, 10, 11, 106},
      {"behind letters of two bytes", "SELECT 'äö', x", 14, 10, 18, 115},
      {"behind a letter of four bytes", "SELECT '😀', x", 13, 10, 17, 115},
      {"CR LF ends one line", "a\r\nb\r\nc", 7, 12, 1, 106},
      {"a tab is one character", "\t\tx", 3, 10, 7, 102},
      {"just behind the end", "ab", 3, 10, 7, 102},
      {"far behind the end: the end", "ab", 99, 10, 7, 102},
  };
  for (const PositionCase& c : cases) {
    const SourcePosition at = MapPosition(start, c.text, c.character);
    EXPECT_EQ(at.file, "V1.sql") << c.description;
    EXPECT_EQ(at.line, c.line) << c.description;
    EXPECT_EQ(at.column, c.column) << c.description;
    EXPECT_EQ(at.offset, c.offset) << c.description;
  }
}

TEST(ApplicationNameTest, FitsIntoWhatTheServerKeeps) {
  EXPECT_EQ(ApplicationName("0a1b2c3d-4e5f", "shop", "orders"), "whimbrel/0a1b2c3d/shop/orders");
  const std::string cut =
      ApplicationName("0a1b2c3d-4e5f", std::string(40, 'n'), std::string(60, 'x'));
  EXPECT_EQ(cut, "whimbrel/0a1b2c3d/" + std::string(24, 'n') + "/" + std::string(20, 'x'));
  EXPECT_EQ(cut.size(), 63U);
}

TEST(ApplicationNameTest, HoldsPrintableAsciiOnly) {
  EXPECT_EQ(ApplicationName("r", "a\nb", "ä"), "whimbrel/r/a?b/??");
}

TEST(ConnectTextTest, TheSqlStateOfARefusedLoginIsTakenOut) {
  const PgError error = ErrorFromConnectText(
      "connection to server at \"db\" (10.0.0.1), port 5432 failed: FATAL:  28P01: password "
      "authentication failed for user \"app\"\nLOCATION:  auth_failed, auth.c:334\n");
  EXPECT_EQ(error.sql_state, "28P01");
  EXPECT_EQ(error.message,
            "connection to server at \"db\" (10.0.0.1), port 5432 failed: FATAL: password "
            "authentication failed for user \"app\"");
  EXPECT_TRUE(error.connecting);
  EXPECT_FALSE(error.connection_usable);
}

TEST(ConnectTextTest, ASeverityInAnotherLanguageDoesNotMatter) {
  const PgError error =
      ErrorFromConnectText("… failed: VERHÄNGNISVOLL:  57P03: das Datenbanksystem startet\n");
  EXPECT_EQ(error.sql_state, "57P03");
}

TEST(ConnectTextTest, SaysOnceWhatLibpqWasToldTwice) {
  const std::string line =
      "connection to server at \"db\", port 5432 failed: FATAL:  28P01: password authentication "
      "failed for user \"app\"\n";
  const PgError error = ErrorFromConnectText(line + line);
  EXPECT_EQ(error.sql_state, "28P01");
  EXPECT_EQ(error.message,
            "connection to server at \"db\", port 5432 failed: FATAL: password authentication "
            "failed for user \"app\"");
}

TEST(ConnectTextTest, AHintIsKeptApartAndADetailDropped) {
  const PgError error =
      ErrorFromConnectText("FATAL:  53300: too many\nDETAIL:  row (secret)\nHINT:  wait\n");
  EXPECT_EQ(error.message, "FATAL: too many");
  EXPECT_EQ(error.hint, "wait");
}

TEST(ConnectTextTest, WithoutASqlStateTheTextRemains) {
  for (const char* text :
       {"could not connect: Connection refused", "FATAL:  ab: x", "a:  12345", "a:  12345:", ""}) {
    EXPECT_EQ(ErrorFromConnectText(text).sql_state, "") << text;
  }
  EXPECT_EQ(ErrorFromConnectText("refused\n\tIs the server running?\n").message,
            "refused Is the server running?");
}

TEST(PgErrorTest, TextNamesTheSqlStateWhereThereIsOne) {
  EXPECT_EQ((PgError{.sql_state = "42P07", .message = "exists"}).ToString(),
            "exists (SQLSTATE 42P07)");
  EXPECT_EQ(PgError{.message = "lost"}.ToString(), "lost");
}

TEST(CleanMessageTest, OneLineWithoutCredentialsOfAtMostOneKibibyte) {
  EXPECT_EQ(CleanMessage(" a\n\tb \r\n"), "a b");
  EXPECT_EQ(CleanMessage("bad: postgres://u:canary@h/d").find("canary"), std::string::npos);
  EXPECT_LE(CleanMessage(std::string(5000, 'x')).size(), 1024U);
}

struct ChainCase {
  const char* description;
  std::string_view tag;
  std::string_view statement;
  bool chains;
};

TEST(ChainsTransactionsTest, TellsARollbackToASavepointFromOneThatChains) {
  const ChainCase cases[] = {
      {"a commit that leaves a transaction", "COMMIT", "COMMIT AND CHAIN", true},
      {"a rollback that chains", "ROLLBACK", "ROLLBACK AND CHAIN", true},
      {"in any letters and spacing", "ROLLBACK", "abort work\nand\tChain ;\n", true},
      {"to a savepoint", "ROLLBACK", "ROLLBACK TO SAVEPOINT a", false},
      {"to a savepoint of that name", "ROLLBACK", "ROLLBACK TO chain", false},
      {"anything else", "INSERT 0 1", "INSERT INTO t VALUES ('and chain')", false},
  };
  for (const ChainCase& c : cases) {
    EXPECT_EQ(ChainsTransactions(c.tag, c.statement), c.chains) << c.description;
  }
}

TEST(TextListTest, SplitAndJoinAreInverse) {
  EXPECT_TRUE(Split("", ',').empty());
  for (const char* text : {"a", "a,b", "a,,b", "a,", ",a"}) {
    EXPECT_EQ(Join(Split(text, ','), ",").size() + (text[0] == ',' ? 1 : 0),
              std::string_view(text).size())
        << text;
  }
  EXPECT_EQ(Split("a,", ','), (std::vector<std::string>{"a", ""}));
  EXPECT_EQ(Split(",a", ','), (std::vector<std::string>{"", "a"}));
}

TEST(LockHolderTest, TextTellsWhatOneMaySee) {
  EXPECT_EQ((LockHolder{.pid = 4711,
                        .backend_start = "1",
                        .application_name = "whimbrel/0a1b2c3d/shop/orders",
                        .state = "idle",
                        .wait_event = "ClientRead",
                        .idle_seconds = 12.4}
                 .ToString()),
            "pid 4711 (whimbrel/0a1b2c3d/shop/orders, idle for 12 s)");
  EXPECT_EQ((LockHolder{.pid = 1}.ToString()), "pid 1 (unnamed)");
}

}  // namespace
}  // namespace whimbrel::postgres
