#include "engine/frozen_holder.h"

#include <gtest/gtest.h>

#include <vector>

#include "support/fake_clock.h"

namespace whimbrel::engine {
namespace {

using postgres::LockHolder;
using std::chrono::seconds;
using whimbrel::testing::FakeClock;

LockHolder Holder(std::string state, std::string wait_event, double state_age,
                  std::optional<std::int64_t> bytes = std::nullopt) {
  return {.pid = 4711,
          .backend_start = "1700000000000000",
          .application_name = "whimbrel/0a1b2c3d/shop/orders",
          .state = std::move(state),
          .wait_event = std::move(wait_event),
          .idle_seconds = state_age,
          .copied_bytes = bytes};
}

/// What is seen every two seconds, at `at` seconds since the waiting began.
using Script = LockHolder (*)(int at);

struct FrozenCase {
  const char* description;
  Script script;
  int ended_at;  ///< In seconds; 0: never within ten minutes.
};

constexpr int kLong = 600;
constexpr int kStep = 2;

int EndedAt(Script script) {
  FakeClock clock;
  FrozenHolder frozen(Pace{}, clock.SteadyNow());
  for (int at = 0; at <= kLong; at += kStep) {
    if (frozen.Observe(script(at), clock.SteadyNow())) return at;
    clock.Advance(seconds(kStep));
  }
  return 0;
}

const FrozenCase kCases[] = {
    {"idle in a transaction from the beginning: after our own patience",
     [](int at) { return Holder("idle in transaction", "ClientRead", at); }, 90},
    {"idle for long before we came: still after our own patience",
     [](int at) { return Holder("idle", "ClientRead", 1000 + at); }, 90},
    {"idle in a failed transaction",
     [](int at) { return Holder("idle in transaction (aborted)", "ClientRead", at); }, 90},
    {"worked at first, quiet later: a minute after its last sign",
     [](int at) {
       return at < 80 ? Holder("active", "PgSleep", at) : Holder("idle", "ClientRead", at - 80);
     },
     140},
    {"a live run, pinged every 20 s", [](int at) { return Holder("idle", "ClientRead", at % 20); },
     0},
    {"a statement that takes long", [](int at) { return Holder("active", "", at); }, 0},
    {"a COPY that nobody feeds any more",
     [](int at) { return Holder("active", "ClientRead", at, 65536); }, 90},
    {"a COPY that nobody feeds, on a server that does not count",
     [](int at) { return Holder("active", "ClientRead", at); }, 90},
    {"a COPY that waits for its client whenever we look, but gets on",
     [](int at) { return Holder("active", "ClientRead", at, std::int64_t{at} * 1000); }, 0},
    {"a COPY that does not always wait, on a server that does not count",
     [](int at) { return Holder("active", at % 30 == 0 ? "" : "ClientRead", at); }, 0},
    {"COPY after COPY", [](int at) { return Holder("active", "ClientRead", at % 20, 0); }, 0},
    {"a COPY that stops in the middle",
     [](int at) { return Holder("active", "ClientRead", at, std::min(at, 100)); }, 160},
    {"another session each time",
     [](int at) {
       LockHolder holder = Holder("active", "ClientRead", at, 0);
       holder.pid += at / 30;
       return holder;
     },
     0},
    {"the same process id, another session",
     [](int at) {
       LockHolder holder = Holder("active", "ClientRead", at, 0);
       holder.backend_start += std::to_string(at / 30);
       return holder;
     },
     0},
    {"somebody else's session",
     [](int at) {
       LockHolder holder = Holder("idle", "ClientRead", at);
       holder.application_name = "psql";
       return holder;
     },
     0},
    {"a name that only looks like ours",
     [](int at) {
       LockHolder holder = Holder("idle", "ClientRead", at);
       holder.application_name = "whimbrel/test";
       return holder;
     },
     0},
    {"a session that our role may not see",
     [](int) {
       LockHolder holder = Holder("", "", 0);
       holder.backend_start.clear();
       return holder;
     },
     0},
};

TEST(FrozenHolderTest, EndsWhatIsFrozenAndNothingElse) {
  for (const FrozenCase& c : kCases) EXPECT_EQ(EndedAt(c.script), c.ended_at) << c.description;
}

TEST(FrozenHolderTest, TriesAgainLaterWhenThatHadNoEffect) {
  FakeClock clock;
  FrozenHolder frozen(Pace{}, clock.SteadyNow());
  std::vector<int> ended;
  for (int at = 0; at <= 220; at += kStep) {
    if (frozen.Observe(Holder("idle", "ClientRead", at), clock.SteadyNow())) ended.push_back(at);
    clock.Advance(seconds(kStep));
  }
  EXPECT_EQ(ended, (std::vector{90, 150, 210}));
}

TEST(FrozenHolderTest, TwoLooksFarApartProveNothingOfTheTimeBetween) {
  FakeClock clock;
  FrozenHolder frozen(Pace{}, clock.SteadyNow());
  for (int i = 0; i < 10; ++i) {
    EXPECT_FALSE(frozen.Observe(Holder("active", "ClientRead", i * 100), clock.SteadyNow()));
    clock.Advance(seconds(100));
  }
}

TEST(FrozenHolderTest, KnowsTheRunByTheName) {
  EXPECT_EQ(RunOf("whimbrel/0a1b2c3d/shop/orders"), "0a1b2c3d");
  EXPECT_EQ(RunOf("whimbrel/0a1b2c3d//"), "0a1b2c3d");
  for (const char* other : {"", "psql", "whimbrel", "whimbrel/", "whimbrel/short/x/y",
                            "whimbrel/0a1b2c3d", "whimbrel/0a1b2c3dee/x"}) {
    EXPECT_EQ(RunOf(other), "") << other;
  }
}

}  // namespace
}  // namespace whimbrel::engine
