#include "whimbrel/sql/directives.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>
#include <string_view>

#include "whimbrel/sql/statement_splitter.h"

namespace whimbrel::sql {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;

const SourcePosition kStatement{.file = "V2__x.sql", .line = 7, .column = 1, .offset = 99};

struct Case {
  std::string_view name;
  std::string_view comment;
  CommentDirectives expected;
};

TEST(ParseDirectives, ReadsWhatTheCommentsAskFor) {
  const Directives none{.transaction = TransactionMode::kNone};
  const Case cases[] = {
      {"nothing", "", {}},
      {"comments of others", "-- a whimbrel: a bird\n-- Add the index\n/* whimbrels */\n--\n", {}},
      {"a word that only begins so", "-- whimbrels: transaction=none\n-- whimbrel\n", {}},
      {"the next statement", "-- whimbrel: transaction=none\n", {.statement = none}},
      {"the whole file", "-- whimbrel: file transaction=none\n", {.file = none}},
      {"one transaction for the file",
       "-- whimbrel: file transaction=one\n",
       {.file = {.transaction = TransactionMode::kOne}}},
      {"no blanks and a carriage return",
       "--whimbrel:idempotent\r\n",
       {.statement = {.idempotent = true}}},
      {"many blanks and any case of the word",
       "--\t Whimbrel  :\t idempotent  \n",
       {.statement = {.idempotent = true}}},
      {"several options on a line",
       "-- whimbrel: transaction=none idempotent statement-timeout=0s\n",
       {.statement = {.transaction = TransactionMode::kNone,
                      .idempotent = true,
                      .statement_timeout = milliseconds{0}}}},
      {"several lines, between other comments",
       "-- Why.\n-- whimbrel: file lock-timeout=250ms\n/* x */\n-- whimbrel: idempotent\n"
       "-- whimbrel: lock-budget=2h\n",
       {.file = {.lock_timeout = milliseconds{250}},
        .statement = {.idempotent = true, .lock_budget = seconds{7200}}}},
      {"every unit",
       "-- whimbrel: file lock-timeout=1ms statement-timeout=3min lock-budget=90s\n",
       {.file = {.lock_timeout = milliseconds{1},
                 .statement_timeout = milliseconds{180'000},
                 .lock_budget = seconds{90}}}},
      {"the longest time that the server takes",
       "-- whimbrel: statement-timeout=2147483647ms\n",
       {.statement = {.statement_timeout = milliseconds{2'147'483'647}}}},
      {"what is commented out",
       "/* not now:\n-- whimbrel: idempotent\n/* -- whimbrel: x */ */\n",
       {}},
      {"the end of a comment whose beginning was too far away",
       "it's long\n*/\n-- whimbrel: idempotent\n",
       {.statement = {.idempotent = true}}},
      {"lint's own", "-- whimbrel:allow L101 reason=small\n-- whimbrel: allow x\n", {}},
  };
  for (const Case& row : cases) {
    const Result<CommentDirectives> read = ParseDirectives(row.comment, kStatement, true);
    ASSERT_TRUE(read.has_value()) << row.name << ": " << read.error().message;
    EXPECT_EQ(read->file, row.expected.file) << row.name;
    EXPECT_EQ(read->statement, row.expected.statement) << row.name;
  }
}

struct WrongCase {
  std::string_view name;
  std::string_view comment;
  std::string_view line;     ///< That the error quotes.
  std::string_view problem;  ///< What it says of it.
};

TEST(ParseDirectives, QuotesWhatItDoesNotUnderstand) {
  static constexpr WrongCase kCases[] = {
      {"a misspelt option", "-- whimbrel: transactoin=none\n", "-- whimbrel: transactoin=none",
       "`transactoin=none` is no option"},
      {"a misspelt value", "-- whimbrel: transaction=non\n", "-- whimbrel: transaction=non",
       "`transaction=non` is neither"},
      {"a value where none belongs", "-- whimbrel: idempotent=yes\n", "-- whimbrel: idempotent=yes",
       "`idempotent=yes` is no option"},
      {"capitals in an option", "-- whimbrel: Idempotent\n", "-- whimbrel: Idempotent",
       "`Idempotent` is no option"},
      {"a comma between options", "-- whimbrel: idempotent, transaction=none\n",
       "-- whimbrel: idempotent, transaction=none", "`idempotent,` is no option"},
      {"an explanation behind", "-- whimbrel: idempotent -- it is\n",
       "-- whimbrel: idempotent -- it is", "`--` is no option"},
      {"no option", "-- whimbrel:\n", "-- whimbrel:", "asks for nothing"},
      {"no option behind file", "-- whimbrel: file\n", "-- whimbrel: file", "asks for nothing"},
      {"file behind an option", "-- whimbrel: idempotent file\n", "-- whimbrel: idempotent file",
       "`file` has to be the first word"},
      {"one transaction for one statement", "-- whimbrel: transaction=one\n",
       "-- whimbrel: transaction=one", "whole file, behind `file`"},
      {"an option given twice", "-- whimbrel: idempotent\n-- whimbrel: idempotent\n",
       "-- whimbrel: idempotent", "`idempotent` is given twice"},
      {"two modes for one statement",
       "-- whimbrel: transaction=none\n-- whimbrel: transaction=one\n",
       "-- whimbrel: transaction=one", "`transaction=one` is given twice"},
      {"a time given twice", "-- whimbrel: lock-timeout=1s lock-timeout=1s\n",
       "-- whimbrel: lock-timeout=1s lock-timeout=1s", "`lock-timeout=1s` is given twice"},
      {"a time without a unit", "-- whimbrel: lock-timeout=5\n", "-- whimbrel: lock-timeout=5",
       "`lock-timeout=5` has no duration"},
      {"a time without a number", "-- whimbrel: lock-timeout=s\n", "-- whimbrel: lock-timeout=s",
       "`lock-timeout=s` has no duration"},
      {"a time without a value", "-- whimbrel: lock-timeout\n", "-- whimbrel: lock-timeout",
       "`lock-timeout` has no duration"},
      {"a time below zero", "-- whimbrel: lock-timeout=-1s\n", "-- whimbrel: lock-timeout=-1s",
       "`lock-timeout=-1s` has no duration"},
      {"a fraction", "-- whimbrel: lock-timeout=1.5s\n", "-- whimbrel: lock-timeout=1.5s",
       "`lock-timeout=1.5s` has no duration"},
      {"a time that no server takes", "-- whimbrel: lock-timeout=2147483648ms\n",
       "-- whimbrel: lock-timeout=2147483648ms", "has no duration of 0 to 24 days"},
      {"a time that is no number of ours", "-- whimbrel: lock-timeout=99999999999999999999h\n",
       "-- whimbrel: lock-timeout=99999999999999999999h", "has no duration of 0 to 24 days"},
      {"a budget in parts of a second", "-- whimbrel: lock-budget=1500ms\n",
       "-- whimbrel: lock-budget=1500ms", "`lock-budget=1500ms` has to be whole seconds"},
      {"a block comment", "/* whimbrel: idempotent */\n", "/* whimbrel: idempotent */",
       "has to be a line that begins with --"},
  };
  for (const WrongCase& row : kCases) {
    const Result<CommentDirectives> read = ParseDirectives(row.comment, kStatement, true);
    ASSERT_FALSE(read.has_value()) << row.name;
    EXPECT_EQ(read.error().kind, ErrorKind::kInvalidArgument) << row.name;
    EXPECT_EQ(read.error().position, kStatement) << row.name;
    const std::string& message = read.error().message;
    EXPECT_THAT(message, testing::HasSubstr("`" + std::string(row.line) + "`")) << row.name;
    EXPECT_THAT(message, testing::HasSubstr(std::string(row.problem))) << row.name;
    EXPECT_THAT(message, testing::HasSubstr("transaction=none, idempotent,")) << row.name;
  }
}

TEST(ParseDirectives, TakesDirectivesOfTheFileOnlyBeforeItsFirstStatement) {
  EXPECT_TRUE(ParseDirectives("-- whimbrel: file idempotent\n", kStatement, true).has_value());
  EXPECT_TRUE(ParseDirectives("-- whimbrel: idempotent\n", kStatement, false).has_value());
  const auto late = ParseDirectives("-- whimbrel: file idempotent\n", kStatement, false);
  ASSERT_FALSE(late.has_value());
  EXPECT_THAT(late.error().message, testing::HasSubstr("behind the file's first statement"));
}

TEST(ParseDirectives, QuotesOnlyTheBeginningOfALongLine) {
  const std::string line = "-- whimbrel: " + std::string(5000, 'x') + "\n";
  const auto read = ParseDirectives(line, kStatement, true);
  ASSERT_FALSE(read.has_value());
  EXPECT_LT(read.error().message.size(), 1200U);
}

// Found by fuzzing. Quadratic work would take minutes here, and the time limit would end it.
TEST(ParseDirectives, ReadsManyBlockCommentsInLinearTime) {
  std::string comments;
  while (comments.size() < (std::size_t{4} << 20)) comments += "/**/";
  EXPECT_TRUE(ParseDirectives(comments, kStatement, true).has_value());
}

TEST(ParseDirectives, ReadsTheCommentThatTheSplitterGives) {
  const auto statements = SplitAll(
      "-- whimbrel: file lock-timeout=5s\n"
      "create table t (a int); -- whimbrel: idempotent\n"
      "  -- whimbrel: transaction=none\n"
      "call p();\n");
  ASSERT_TRUE(statements.has_value());
  const auto first = ParseDirectives((*statements)[0].leading_comment, {}, true);
  ASSERT_TRUE(first.has_value());
  EXPECT_EQ(first->file.lock_timeout, seconds{5});
  // What stands behind a statement, on its line, is none of the next one's.
  const auto second = ParseDirectives((*statements)[1].leading_comment, {}, false);
  ASSERT_TRUE(second.has_value());
  EXPECT_EQ(second->statement, (Directives{.transaction = TransactionMode::kNone}));
}

}  // namespace
}  // namespace whimbrel::sql
