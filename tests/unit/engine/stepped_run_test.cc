#include "engine/stepped_run.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace whimbrel::engine {
namespace {

using testing::HasSubstr;

/// A file of the steps a, b, c.
ScriptOutline ThreeSteps() {
  ScriptOutline outline;
  for (const char* hash : {"a", "b", "c"}) {
    ScriptStep step;
    step.sha256 = hash;
    step.position = {.file = "1_x.sql",
                     .line = static_cast<std::uint32_t>(outline.steps.size()) * 10 + 1};
    outline.steps.push_back(std::move(step));
  }
  return outline;
}

struct Row {
  int step;
  const char* hash;
  bool done;
};

/// How many steps are done, or the message.
std::string Count(const std::vector<Row>& rows) {
  migration::ResolvedMigration migration;
  migration.path = "1_x.sql";
  migration::MemorySourceBuilder builder;
  EXPECT_TRUE(builder.Add(migration.path, "SELECT 1;", "a test").has_value());
  migration.up.file = std::move(builder).Build()->files.front();
  Step step;
  step.migration = &migration;
  step.resume.emplace();
  for (const Row& row : rows) {
    history::JournalRow& journal = step.resume->journal.emplace_back();
    journal.step = row.step;
    journal.sql_hash = row.hash;
    journal.done = row.done;
  }
  const ScriptOutline outline = ThreeSteps();
  const Result<std::size_t, report::Failure> done = CountDoneSteps(step, outline);
  if (done) return std::to_string(*done);
  EXPECT_EQ(done.error().reason, report::Reason::kPartiallyApplied);
  return done.error().message + " at line " + std::to_string(done.error().position.line);
}

TEST(CountDoneSteps, CountsAnUnchangedPrefix) {
  EXPECT_EQ(Count({}), "0");
  EXPECT_EQ(Count({{1, "a", true}}), "1");
  EXPECT_EQ(Count({{1, "a", true}, {2, "b", true}, {3, "c", true}}), "3");
}

TEST(CountDoneSteps, DoesNotCountAnIntent) {
  EXPECT_EQ(Count({{1, "a", true}, {2, "b", false}}), "1");
}

TEST(CountDoneSteps, LetsWhatIsNotDoneBeMended) {
  EXPECT_EQ(Count({{1, "a", true}, {2, "another", false}}), "1");
}

TEST(CountDoneSteps, NamesTheFirstDoneStepThatDiffers) {
  EXPECT_THAT(Count({{1, "a", true}, {2, "another", true}}), HasSubstr("step 2"));
  EXPECT_THAT(Count({{1, "a", true}, {2, "another", true}}), HasSubstr("at line 11"));
  EXPECT_THAT(Count({{1, "another", true}, {2, "b", true}}), HasSubstr("step 1"));
}

TEST(CountDoneSteps, NamesAStepThatWasCutOff) {
  EXPECT_THAT(Count({{1, "a", true}, {2, "b", true}, {3, "c", true}, {4, "d", true}}),
              HasSubstr("step 4"));
}

TEST(CountDoneSteps, NoticesAGap) {
  EXPECT_THAT(Count({{1, "a", true}, {3, "c", true}}), HasSubstr("step 2"));
}

}  // namespace
}  // namespace whimbrel::engine
