#include <gtest/gtest.h>

#include <chrono>

#include "whimbrel/kube/leader_elector.h"

namespace whimbrel::kube {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;

const LeaderElectionOptions kValid{.lease = {.ns = "ns", .name = "lease"}, .identity = "me"};

TEST(LeaderElectionOptionsTest, AcceptsWhatLeavesTimeToRetry) {
  struct Case {
    const char* name;
    seconds lease;
    milliseconds renew;
    milliseconds retry;
    bool valid;
  };
  const Case cases[] = {
      {"the defaults", seconds(15), seconds(10), seconds(2), true},
      {"a lease no longer than the deadline", seconds(10), seconds(10), seconds(2), false},
      {"a deadline of 1.2 periods", seconds(15), milliseconds(2400), seconds(2), false},
      {"a deadline just over 1.2 periods", seconds(15), milliseconds(2401), seconds(2), true},
      {"no period", seconds(15), seconds(10), seconds(0), false},
  };
  for (const Case& one : cases) {
    LeaderElectionOptions options = kValid;
    options.lease_duration = one.lease;
    options.renew_deadline = one.renew;
    options.retry_period = one.retry;
    EXPECT_EQ(CheckLeaderElectionOptions(options).has_value(), one.valid) << one.name;
  }
  LeaderElectionOptions nameless = kValid;
  nameless.lease.name.clear();
  EXPECT_FALSE(CheckLeaderElectionOptions(nameless));
  nameless = kValid;
  nameless.lease.ns.clear();
  EXPECT_FALSE(CheckLeaderElectionOptions(nameless));
  nameless = kValid;
  nameless.identity.clear();
  EXPECT_FALSE(CheckLeaderElectionOptions(nameless));
}

}  // namespace
}  // namespace whimbrel::kube
