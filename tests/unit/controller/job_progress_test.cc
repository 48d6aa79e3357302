#include "controller/job_progress.h"

#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

namespace whimbrel::controller {
namespace {

using report::Progress;

std::string Line(std::string version) {
  return report::ToJson(Progress{.phase = Progress::Phase::kMigrating,
                                 .version = std::move(version),
                                 .total = 2})
             .dump() +
         "\n";
}

TEST(LastProgress, IsTheNewestLineThatTellsOfIt) {
  const std::string log = Line("1") + Line("2") + R"({"level":"info","msg":"phase"})" + "\n\n";
  ASSERT_TRUE(LastProgress(log));
  EXPECT_EQ(LastProgress(log)->version, "2");
}

TEST(LastProgress, PassesOverCutLinesAndOtherText) {
  const std::string cut = Line("3").substr(0, 20);
  EXPECT_EQ(LastProgress(Line("2") + cut)->version, "2") << "cut by a limit of bytes";
  EXPECT_EQ(LastProgress("gress\"}\n" + Line("4"))->version, "4") << "cut at the beginning";
  EXPECT_FALSE(LastProgress(""));
  EXPECT_FALSE(LastProgress("\n\n"));
  EXPECT_FALSE(LastProgress("{\"phase\": 7}\n[1]\nno json\n"));
}

}  // namespace
}  // namespace whimbrel::controller
