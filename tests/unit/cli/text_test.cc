#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

#include "cli/failure_text.h"
#include "cli/migration_text.h"
#include "cli/table.h"

namespace whimbrel::cli {
namespace {

report::Failure SomeFailure() {
  report::Failure failure;
  failure.reason = report::Reason::kMigrationFailed;
  failure.version = "2";
  failure.position = {.file = "2_b.sql", .line = 2, .column = 12};
  failure.sql_state = "42P01";
  failure.message = "relation \"nope\" does not exist";
  return failure;
}

TEST(Table, AlignsByCharacters) {
  EXPECT_EQ(Table({{"NAME", "AGE"}, {"größe", "1s"}}), "NAME    AGE\ngröße   1s\n");
}

TEST(FailureText, ShowsTheLineWithACaret) {
  EXPECT_EQ(FailureText(SomeFailure(), "BEGIN;\nDROP TABLE nope;\n", false),
            "MigrationFailed in version 2\n"
            "2_b.sql:2:12\n"
            " 2 | DROP TABLE nope;\n"
            "   |            ^\n"
            "relation \"nope\" does not exist (SQLSTATE 42P01)\n");
}

TEST(FailureText, PutsTheCaretUnderItsCharacterBehindTabsAndUmlauts) {
  report::Failure failure = SomeFailure();
  failure.position = {.file = "f", .line = 1, .column = 4};
  EXPECT_THAT(FailureText(failure, "\tü x", false), testing::HasSubstr(" 1 | \tü x\n   | \t  ^\n"));
}

TEST(FailureText, DoesWithoutTheText) {
  EXPECT_EQ(FailureText(SomeFailure(), "", false),
            "MigrationFailed in version 2\n2_b.sql:2:12\nrelation \"nope\" does not exist "
            "(SQLSTATE 42P01)\n");
  EXPECT_THAT(FailureText(SomeFailure(), "only one line", false),
              testing::Not(testing::HasSubstr("|")));
}

TEST(FailureText, EndsWithWhatToDo) {
  report::Failure failure = SomeFailure();
  failure.hint = "create it first";
  EXPECT_THAT(FailureText(failure, "", false), testing::EndsWith("hint: create it first\n"));
}

TEST(FailureText, HasColoursOnlyWhenAskedFor) {
  EXPECT_THAT(FailureText(SomeFailure(), "", false), testing::Not(testing::HasSubstr("\x1b")));
  EXPECT_THAT(FailureText(SomeFailure(), "", true),
              testing::HasSubstr("\x1b[31mMigrationFailed\x1b[0m"));
}

TEST(Table, PadsColumnsToTheWidestCell) {
  EXPECT_EQ(Table({{"A", "LONGER", "C"}, {"wide", "x", "y"}}),
            "A      LONGER   C\nwide   x        y\n");
}

nlohmann::json WithCondition(const char* type) {
  return {{"status", {{"conditions", {{{"type", type}, {"status", "True"}}}}}}};
}

TEST(ExitCode, SaysTheWorstOfAll) {
  const nlohmann::json ready = WithCondition("Ready");
  const nlohmann::json stalled = WithCondition("Stalled");
  const nlohmann::json working = WithCondition("Reconciling");
  EXPECT_EQ(ExitCodeOf(std::vector{ready, ready}), ExitCode::kReady);
  EXPECT_EQ(ExitCodeOf(std::vector{ready, working}), ExitCode::kRetryable);
  EXPECT_EQ(ExitCodeOf(std::vector{ready, working, stalled}), ExitCode::kStalled);
}

}  // namespace
}  // namespace whimbrel::cli
