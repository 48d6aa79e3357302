#include "whimbrel/postgres/sqlstate.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <set>
#include <string>

namespace whimbrel::postgres {
namespace {

constexpr auto kTransient = Verdict::kTransient;
constexpr auto kPermanent = Verdict::kPermanent;
constexpr auto kAmbiguous = Verdict::kAmbiguous;

struct Row {
  std::string_view pattern;
  Verdict verdict;
  int max_retries;
  bool reconnect;
};

// reference/reliability.md §5, table (c), line by line.
constexpr Row kTable[] = {
    {"08", kTransient, 5, true},     {"08007", kAmbiguous, 5, true},
    {"08P01", kPermanent, 0, false}, {"0A", kPermanent, 0, false},
    {"21", kPermanent, 0, false},    {"22", kPermanent, 0, false},
    {"23", kPermanent, 0, false},    {"25", kPermanent, 0, false},
    {"25001", kPermanent, 0, false}, {"25006", kTransient, 0, true},
    {"25P02", kPermanent, 0, false}, {"25P03", kTransient, 3, true},
    {"25P04", kPermanent, 0, false}, {"28", kPermanent, 0, false},
    {"28000", kPermanent, 0, false}, {"28P01", kPermanent, 0, false},
    {"2B", kPermanent, 0, false},    {"2D000", kPermanent, 0, false},
    {"2F", kPermanent, 0, false},    {"38", kPermanent, 0, false},
    {"39", kPermanent, 0, false},    {"3D000", kPermanent, 0, false},
    {"3F", kPermanent, 0, false},    {"40001", kTransient, 5, false},
    {"40003", kAmbiguous, 5, true},  {"40P01", kTransient, 5, false},
    {"42", kPermanent, 0, false},    {"44", kPermanent, 0, false},
    {"53", kTransient, 1, false},    {"53100", kTransient, 5, false},
    {"53200", kTransient, 1, false}, {"53300", kTransient, 5, true},
    {"53400", kTransient, 1, false}, {"54", kPermanent, 0, false},
    {"55000", kPermanent, 0, false}, {"55006", kTransient, 10, false},
    {"55P02", kPermanent, 0, false}, {"55P03", kTransient, kUntilLockBudgetEnds, false},
    {"55P04", kPermanent, 0, false}, {"57", kPermanent, 0, false},
    {"57014", kTransient, 1, false}, {"57P01", kTransient, 5, true},
    {"57P02", kTransient, 5, true},  {"57P03", kTransient, 5, true},
    {"57P04", kPermanent, 0, false}, {"57P05", kTransient, 3, true},
    {"58000", kTransient, 3, false}, {"58030", kTransient, 3, false},
    {"58P01", kPermanent, 0, false}, {"58P02", kPermanent, 0, false},
    {"F0", kPermanent, 0, false},    {"P0", kPermanent, 0, false},
    {"XX", kPermanent, 0, false},    {"XX001", kPermanent, 0, false},
    {"XX002", kPermanent, 0, false},
};

/// A failure of the server on a session that lives.
PgError Told(std::string_view code) {
  return PgError{.sql_state = std::string(code), .connection_usable = true};
}

/// An error whose rule is the row of `pattern`: for a class, a code of it that has no row.
PgError ErrorFor(std::string_view pattern) {
  PgError error = Told(pattern.size() == 2 ? std::string(pattern) + "ZZZ" : std::string(pattern));
  if (pattern == "08") error.connection_usable = false;  // Alive, another rule holds.
  return error;
}

TEST(SqlStateTest, EveryRowOfTheTableIsFoundAndJudges) {
  for (const Row& row : kTable) {
    SCOPED_TRACE(std::string(row.pattern));
    const SqlStateRule& rule = FindRule(ErrorFor(row.pattern));
    EXPECT_EQ(rule.pattern, row.pattern);
    EXPECT_EQ(rule.verdict, row.verdict);
    EXPECT_EQ(rule.max_retries, row.max_retries);
    EXPECT_EQ(rule.reconnect, row.reconnect);
    EXPECT_EQ(Judge(ErrorFor(row.pattern)), row.verdict);
  }
}

TEST(SqlStateTest, NoRowOfTheTableIsWithoutATest) {
  std::set<std::string_view> tested;
  for (const Row& row : kTable) tested.insert(row.pattern);
  for (const SqlStateRule& rule : SqlStateRules()) {
    EXPECT_TRUE(tested.contains(rule.pattern)) << rule.pattern;
  }
  EXPECT_EQ(tested.size(), SqlStateRules().size());
}

TEST(SqlStateTest, OnlyWhatIsRetriedWaits) {
  for (const SqlStateRule& rule : SqlStateRules()) {
    EXPECT_EQ(rule.max_retries == 0, rule.initial_ms == 0) << rule.pattern;
    EXPECT_LE(rule.initial_ms, rule.max_ms) << rule.pattern;
    EXPECT_FALSE(rule.verdict == kPermanent && rule.reconnect) << rule.pattern;
  }
}

TEST(SqlStateTest, AnErrorOfClass08OnALiveSessionIsAnotherNodesFailure) {
  const PgError citus = Told("08006");
  EXPECT_EQ(Judge(citus), kTransient);
  EXPECT_FALSE(FindRule(citus).reconnect);
  EXPECT_FALSE(FindRule(citus).advice.empty());

  PgError lost = citus;
  lost.connection_usable = false;
  EXPECT_EQ(Judge(lost), kTransient);
  EXPECT_TRUE(FindRule(lost).reconnect);
}

TEST(SqlStateTest, WholeCodesOfClass08HoldOnALiveSessionToo) {
  EXPECT_EQ(Judge(Told("08007")), kAmbiguous);
  EXPECT_EQ(Judge(Told("08P01")), kPermanent);
}

TEST(SqlStateTest, ALostConnectionWithoutACodeIsTriedAgainInANewSession) {
  const PgError lost{.message = "server closed the connection unexpectedly"};
  EXPECT_EQ(Judge(lost), kTransient);
  EXPECT_TRUE(FindRule(lost).reconnect);
  EXPECT_GT(FindRule(lost).max_retries, 0);
}

TEST(SqlStateTest, AnUnknownOutcomeIsAmbiguousWhateverTheCode) {
  for (const char* code : {"", "57P01", "08006", "42601"}) {
    PgError error{.sql_state = code};
    error.outcome_unknown = true;
    EXPECT_EQ(Judge(error), kAmbiguous) << code;
  }
}

TEST(SqlStateTest, ACodeThatNoRowNamesIsPermanent) {
  for (const char* code : {"01000", "HV00N", "72000", "ZZZZZ", "4"}) {
    EXPECT_EQ(Judge(Told(code)), kPermanent) << code;
    EXPECT_EQ(FindRule(Told(code)).pattern, "") << code;
  }
}

}  // namespace
}  // namespace whimbrel::postgres
