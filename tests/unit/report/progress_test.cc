#include "whimbrel/report/progress.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

namespace whimbrel::report {
namespace {

using nlohmann::json;

TEST(ProgressTest, TellsInJsonWhatIsKnown) {
  EXPECT_EQ(ToJson({}), json::parse(R"({"type": "progress", "phase": "Starting"})"));
  EXPECT_EQ(
      ToJson({.phase = Progress::Phase::kWaitingForLock, .detail = "held by pid 7"}),
      json::parse(R"({"type": "progress", "phase": "WaitingForLock", "detail": "held by pid 7"})"));
  EXPECT_EQ(ToJson({.phase = Progress::Phase::kMigrating,
                    .version = "3",
                    .path = "003_big.sql",
                    .statement = 5,
                    .statements = 40,
                    .line = 88,
                    .copied_bytes = 4096,
                    .activity = "copying",
                    .done = 0,
                    .total = 12}),
            json::parse(R"({"type": "progress", "phase": "Migrating", "version": "3",
              "file": "003_big.sql", "statement": 5, "statements": 40, "line": 88,
              "copiedBytes": 4096, "activity": "copying", "done": 0, "total": 12})"));
}

TEST(ProgressTest, IsReadBackFromItsLine) {
  const Progress cases[] = {
      {},
      {.phase = Progress::Phase::kWaitingForLock, .detail = "held by pid 7"},
      {.phase = Progress::Phase::kMigrating,
       .version = "3",
       .path = "003_big.sql",
       .statement = 5,
       .statements = 40,
       .line = 88,
       .copied_bytes = 4096,
       .activity = "copying",
       .done = 2,
       .total = 12},
  };
  for (const Progress& progress : cases) {
    json line = ToJson(progress);
    line["time"] = "2026-11-21T10:12:13Z";  // As the printer adds it.
    const Result<Progress> read = ProgressFromJson(json::parse(line.dump()));
    ASSERT_TRUE(read) << read.error().ToString();
    EXPECT_EQ(*read, progress);
  }
}

TEST(ProgressTest, HasANameForEachPhaseBothWays) {
  for (int i = 0; i <= static_cast<int>(Progress::Phase::kDone); ++i) {
    const auto phase = static_cast<Progress::Phase>(i);
    EXPECT_FALSE(ToString(phase).empty()) << i;
    EXPECT_EQ(ParsePhase(ToString(phase)), phase) << i;
  }
  EXPECT_EQ(ParsePhase("starting"), std::nullopt);
}

TEST(ProgressTest, RefusesOtherLines) {
  const char* const cases[] = {
      R"({"level": "info", "ts": "2026-11-21T10:12:13Z", "msg": "run started"})",
      R"({"type": "report", "phase": "Done"})",
      R"({"type": "progress"})",
      R"({"type": "progress", "phase": "Sleeping"})",
      R"({"type": "progress", "phase": "Migrating", "statement": "5"})",
      R"({"type": "progress", "phase": "Migrating", "line": 1.5})",
      R"({"type": "progress", "phase": "Migrating", "detail": null})",
      R"([])",
      R"("progress")",
      R"(null)",
  };
  for (const char* line : cases) {
    const Result<Progress> read = ProgressFromJson(json::parse(line));
    ASSERT_FALSE(read) << line;
    EXPECT_EQ(read.error().kind, ErrorKind::kInvalidArgument) << line;
    EXPECT_THAT(read.error().message, ::testing::HasSubstr("no progress of a run: ")) << line;
  }
}

}  // namespace
}  // namespace whimbrel::report
