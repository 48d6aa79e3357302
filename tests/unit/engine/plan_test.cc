#include "whimbrel/engine/plan.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <functional>

#include "unit/engine/plan_builder.h"

namespace whimbrel::engine {
namespace {

using history::LedgerState;
using report::Reason;

/// A plan in one line: `2#1 3#2(withdraws)` are the steps with their runs; `! Reason version` is a
/// failure; notices follow behind `|`.
std::string Dump(const Result<Plan, report::Failure>& plan) {
  if (!plan) {
    return "! " + std::string(report::ToString(plan.error().reason)) +
           (plan.error().version.empty() ? "" : " " + plan.error().version);
  }
  std::string out;
  for (const Step& step : plan->steps) {
    if (!out.empty()) out += ' ';
    out += step.migration->Label() + "#" + std::to_string(step.run);
    if (step.withdraws_previous) out += "(withdraws)";
    if (step.resume) out += "(resumes " + std::to_string(step.resume->attempt) + ")";
  }
  for (const report::Notice& notice : plan->notices)
    out += " |" + std::string(report::ToString(notice.kind));
  return out;
}

struct Case {
  const char* name;
  std::function<void(InputBuilder&)> build;
  const char* want;
};

class PlanTest : public testing::TestWithParam<Case> {};

TEST_P(PlanTest, SaysWhatToDo) {
  InputBuilder builder;
  GetParam().build(builder);
  EXPECT_EQ(Dump(MakePlan(builder.Input())), GetParam().want);
}

const Case kCases[] = {
    {"NothingAppliedRunsAllInOrder", [](auto& b) { b.File("1").File("2").File("10"); },
     "1#1 2#1 10#1"},
    {"AllAppliedHasNothingToDo", [](auto& b) { b.File("1").File("2").Applied("1").Applied("2"); },
     ""},
    {"OnlyTheNewOnesArePending",
     [](auto& b) { b.File("1").File("2").File("3").Applied("1").Applied("2"); }, "3#1"},
    {"LeadingZerosAreTheSameVersion", [](auto& b) { b.File("001", "d1", "s1").Applied("1"); }, ""},
    {"AnEditedFileIsNamed", [](auto& b) { b.File("1", "d1", "edited").File("2").Applied("1"); },
     "! ChecksumMismatch 1"},
    {"ARenamedFileIsAConflict", [](auto& b) { b.File("1", "other").Applied("1"); },
     "! HistoryConflict 1"},
    {"ADescriptionThatTheToolDidNotKeepIsNotCompared",
     [](auto& b) {
       b.File("1", "other").Applied("1", "x", "s1");
       const_cast<PlanInput&>(b.Input()).ledger[0].description.clear();
     },
     ""},
    {"AMissingFileBelowTheNewestIsAConflict",
     [](auto& b) { b.File("1").File("3").Applied("1").Applied("2"); }, "! HistoryConflict 2"},
    {"VersionsAboveTheNewestFileAreFuture", [](auto& b) { b.File("1").Applied("1").Applied("2"); },
     " |Future"},
    {"AMissingFileBelowTheBaselineIsFine", [](auto& b) { b.File("3").Baseline("2").Applied("1"); },
     "3#1"},
    {"FilesUpToTheBaselineAreNotRun",
     [](auto& b) { b.File("1").File("2").File("3").Baseline("2"); }, "3#1"},
    {"ALateFileIsRejected",
     [](auto& b) { b.File("1").File("2").File("3").Applied("1").Applied("3"); }, "! OutOfOrder 2"},
    {"ALateFileIsAppliedWhenAllowed",
     [](auto& b) {
       b.File("1").File("2").File("3").Applied("1").Applied("3").OutOfOrder(
           report::OutOfOrder::kApply);
     },
     "2#1"},
    {"ALateFileIsSkippedWhenAskedFor",
     [](auto& b) {
       b.File("2").File("3").File("4").Applied("3").OutOfOrder(report::OutOfOrder::kSkip);
     },
     "4#1"},
    {"TheTargetCutsWhatIsAboveIt", [](auto& b) { b.File("1").File("2").File("3").Target("2"); },
     "1#1 2#1"},
    {"AnUnknownTargetIsNamed", [](auto& b) { b.File("1").Target("7"); }, "! InvalidSource 7"},
    {"ATargetBelowTheDatabaseIsRefused",
     [](auto& b) { b.File("1").File("2").Applied("1").Applied("2").Target("1"); },
     "! RollbackForbidden 1"},
    // Files that are not one transaction, begun by an earlier attempt.
    {"AHalfDoneFileIsResumedWithItsRun",
     [](auto& b) { b.File("1").File("2").Applied("1", "", "", 3, LedgerState::kRunning); },
     "1#3(withdraws)(resumes 1) 2#1"},
    {"AHalfDoneFileBelowOthersIsNotOutOfOrder",
     [](auto& b) {
       b.File("1").File("2").Applied("1", "", "", 1, LedgerState::kRunning).Applied("2");
     },
     "1#1(withdraws)(resumes 1)"},
    {"AHalfDoneFileThatWasMendedIsResumed",
     [](auto& b) { b.File("1", "", "new").Applied("1", "", "old", 1, LedgerState::kRunning); },
     "1#1(withdraws)(resumes 1)"},
    {"AHalfDoneFileThatIsGoneStopsThePlan",
     [](auto& b) { b.File("2").Applied("1", "", "", 1, LedgerState::kRunning); },
     "! PartiallyApplied 1"},
    {"AHalfDoneFileAboveTheTargetStopsThePlan",
     [](auto& b) {
       b.File("1").File("2").Applied("2", "", "", 1, LedgerState::kRunning).Target("1");
     },
     "! PartiallyApplied 2"},
    {"AHalfDoneFileThatTheToolCallsAppliedIsAConflict",
     [](auto& b) { b.File("1").Applied("1", "", "", 1, LedgerState::kRunning).ToolRow("1"); },
     "! HistoryConflict 1"},
    {"AHalfDoneFileWithoutARowOfTheToolIsResumed",
     [](auto& b) { b.File("1").Applied("1", "", "", 1, LedgerState::kRunning).Tool(); },
     "1#1(withdraws)(resumes 1)"},
    // The tool's table says what is applied.
    {"ARowDeletedFromTheToolsTableIsPendingAgain",
     [](auto& b) { b.File("1").File("2").Applied("1").Applied("2").ToolRow("1"); },
     "2#2(withdraws) |Withdrawn"},
    {"AWithdrawnVersionBelowOthersIsNotOutOfOrder",
     [](auto& b) {
       b.File("1").File("2").File("3").Applied("1").Applied("2").Applied("3").ToolRow("1").ToolRow(
           "3");
     },
     "2#2(withdraws) |Withdrawn"},
    {"ARowPutBackIsSimplyApplied",
     [](auto& b) { b.File("1").File("2").Applied("1").Applied("2").ToolRow("1").ToolRow("2"); },
     ""},
    {"AWithdrawnRowThatWasAppliedAgainIsApplied",
     [](auto& b) {
       b.File("1")
           .Applied("1", "", "", 1, LedgerState::kWithdrawn)
           .Applied("1", "", "", 2)
           .ToolRow("1");
     },
     ""},
    {"AnEditedFileWhoseRowWasDeletedRunsAnew",
     [](auto& b) { b.File("1", "d1", "edited").Applied("1").Tool(); }, "1#2(withdraws) |Withdrawn"},
    {"AnEmptyToolTableUnderAFullLedgerIsAConflict",
     [](auto& b) { b.File("1").File("2").Applied("1").Applied("2").Tool(); }, "! HistoryConflict"},
    {"AToolTableThatIsGoneIsAConflict", [](auto& b) { b.File("1").Applied("1").ToolGone(); },
     "! HistoryConflict"},
    {"AToolTableThatIsNotThereYetIsFine", [](auto& b) { b.File("1").ToolGone(); }, "1#1"},
    {"AFailedRowOfTheToolStopsThePlan", [](auto& b) { b.File("1").ToolRow("1", "s1", true); },
     "! HistoryConflict 1"},
    {"AChecksumThatTheToolRepairedWins",
     [](auto& b) { b.File("1", "d1", "new").Applied("1", "d1", "old").ToolRow("1", "new"); }, ""},
    {"TheToolsBaselineCounts", [](auto& b) { b.File("1").File("2").File("3").ToolBaseline("2"); },
     "3#1"},
    {"VersionsOnlyInTheToolsTableCount",
     [](auto& b) { b.File("1").File("2").Applied("1").ToolRow("1"); }, "2#1"},
    // Repeatables.
    {"ANewRepeatableRunsAfterTheVersions", [](auto& b) { b.Repeatable("view", "a").File("1"); },
     "1#1 R view#1"},
    {"AnUnchangedRepeatableDoesNotRun",
     [](auto& b) { b.Repeatable("view", "a").AppliedRepeatable("view", "a"); }, ""},
    {"AChangedRepeatableRunsAgain",
     [](auto& b) { b.Repeatable("view", "b").AppliedRepeatable("view", "a", 3); }, "R view#4"},
};

INSTANTIATE_TEST_SUITE_P(Cases, PlanTest, testing::ValuesIn(kCases),
                         [](const auto& param) { return param.param.name; });

TEST(PlanVersions, AreShownAsTheFilesSpellThem) {
  InputBuilder builder;
  builder.File("001").File("002").File("003").Applied("001", "d001", "s001");
  Result<Plan, report::Failure> plan = MakePlan(builder.Input());
  ASSERT_TRUE(plan.has_value());
  EXPECT_EQ(plan->current_version, "001");
  EXPECT_EQ(plan->target_version, "003");
}

TEST(PlanFailures, SayWhatToDo) {
  InputBuilder builder;
  builder.File("1", "d1", "edited").Applied("1");
  Result<Plan, report::Failure> plan = MakePlan(builder.Input());
  ASSERT_FALSE(plan.has_value());
  EXPECT_THAT(plan.error().message,
              testing::AllOf(testing::HasSubstr("1_d1.sql"), testing::HasSubstr("edited"),
                             testing::HasSubstr("s1")));
  EXPECT_FALSE(plan.error().hint.empty());
  EXPECT_EQ(plan.error().position.file, "1_d1.sql");
}

TEST(Plan, TakesTheToolsDescriptionAfterItsRepair) {
  InputBuilder builder;
  builder.File("1").Applied("1", "old words").ToolRow("1", "s1");
  EXPECT_TRUE(MakePlan(builder.Input()).has_value());
}

TEST(Plan, MissesATableOfWhichOnlyABaselineIsKnown) {
  InputBuilder builder;
  builder.File("1").File("2").Baseline("1").ToolGone();
  const auto plan = MakePlan(builder.Input());
  ASSERT_FALSE(plan.has_value());
  EXPECT_EQ(plan.error().reason, report::Reason::kHistoryConflict);
}

TEST(Plan, ListsTheAppliedByVersionAndThenTheRepeatables) {
  InputBuilder builder;
  builder.File("9").File("10").Repeatable("view", "a");
  builder.AppliedRepeatable("view", "a").Applied("10").Applied("9");
  const auto plan = MakePlan(builder.Input());
  ASSERT_TRUE(plan.has_value());
  std::string order;
  for (const AppliedState& state : plan->applied) order += state.file->Label() + ", ";
  EXPECT_EQ(order, "9, 10, R view, ");
}

}  // namespace
}  // namespace whimbrel::engine
