#include "whimbrel/report/progress.h"

#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

namespace whimbrel::report {
namespace {

TEST(ProgressTest, TellsInJsonWhatIsKnown) {
  EXPECT_EQ(ToJson({}), nlohmann::json::parse(R"({"type": "progress", "phase": "Starting"})"));
  EXPECT_EQ(ToJson({.phase = Progress::Phase::kWaitingForLock, .detail = "held by pid 7"}),
            nlohmann::json::parse(
                R"({"type": "progress", "phase": "WaitingForLock", "detail": "held by pid 7"})"));
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
            nlohmann::json::parse(R"({"type": "progress", "phase": "Migrating", "version": "3",
              "file": "003_big.sql", "statement": 5, "statements": 40, "line": 88,
              "copiedBytes": 4096, "activity": "copying", "done": 0, "total": 12})"));
}

}  // namespace
}  // namespace whimbrel::report
