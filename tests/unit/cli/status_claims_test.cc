#include "unit/cli/status_claims.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace whimbrel::cli {
namespace {

using nlohmann::json;
using ::testing::ElementsAre;
using ::testing::IsEmpty;

json Ready(const std::string& target) {
  return {{"currentVersion", target},
          {"targetVersion", target},
          {"appliedCount", 2},
          {"pendingCount", 0},
          {"applied", {{{"version", target}}}},
          {"conditions", {{{"type", "Ready"}, {"status", "True"}}}}};
}

TEST(StatusClaimsTest, AStatusThatLagsBehindIsNoLie) {
  EXPECT_THAT(FalseClaims(json::object(), {"001"}), IsEmpty());
  EXPECT_THAT(FalseClaims({{"currentVersion", "001"}, {"appliedCount", 1}, {"pendingCount", 1}},
                          {"001", "002"}),
              IsEmpty());
  EXPECT_THAT(FalseClaims(Ready("002"), {"001", "002"}), IsEmpty());
}

TEST(StatusClaimsTest, AStatusThatRunsAheadIsALie) {
  EXPECT_THAT(FalseClaims({{"currentVersion", "002"}}, {"001"}),
              ElementsAre("currentVersion claims version 002, which is not applied"));
  EXPECT_THAT(FalseClaims({{"appliedCount", 2}}, {"001"}),
              ElementsAre("appliedCount claims 2 where 1 are applied"));
  EXPECT_THAT(FalseClaims({{"applied", {{{"version", "001"}}, {{"version", "003"}}}}}, {"001"}),
              ElementsAre("applied claims version 003, which is not applied"));
}

TEST(StatusClaimsTest, ReadyMeansThatTheTargetIsReachedAndNothingIsLeft) {
  json status = Ready("002");
  status["targetVersion"] = "003";
  EXPECT_THAT(FalseClaims(status, {"001", "002"}),
              ElementsAre("Ready with its targetVersion claims version 003, which is not applied"));
  status = Ready("002");
  status["pendingCount"] = 1;
  EXPECT_THAT(FalseClaims(status, {"001", "002"}),
              ElementsAre("Ready claims to be done, pendingCount that it is not"));
  status["conditions"][0]["status"] = "False";
  EXPECT_THAT(FalseClaims(status, {"001", "002"}), IsEmpty());
}

}  // namespace
}  // namespace whimbrel::cli
