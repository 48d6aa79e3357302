#include "kube/reflector_machine.h"

#include <gtest/gtest.h>

#include <string>
#include <vector>

namespace whimbrel::kube {
namespace {

using std::chrono::milliseconds;
using std::chrono::minutes;
using std::chrono::seconds;
using Action = ReflectorEffect::Action;
using Wait = ReflectorEffect::Wait;
using Reason = ApiErrorReason;

const SteadyTime kNow{std::chrono::hours(10)};

ApiError Because(Reason reason) { return {.reason = reason}; }

WatchEnded EndedBy(Reason reason, bool saw_event = false) {
  return {.error = Because(reason), .lasted = seconds(10), .saw_event = saw_event};
}

std::string Describe(const ReflectorEffect& effect) {
  const char* const names[] = {"go on", "list", "watch", "stop"};
  std::string text = names[static_cast<int>(effect.action)];
  if (effect.wait) {
    text += " after backoff " + std::to_string(effect.wait->attempt);
    if (effect.wait->at_least > Duration::zero()) text += " or longer";
  }
  return text;
}

struct Case {
  const char* name;
  ReflectorInput input;
  const char* expected;
};

const Case kCases[] = {
    {"a list is followed by a watch", ListDone{"5"}, "watch"},
    {"a list that fails is tried again", ListFailed{Because(Reason::kTransport)},
     "list after backoff 0"},
    {"a list that is forbidden is tried again", ListFailed{Because(Reason::kForbidden)},
     "list after backoff 0"},
    {"a list whose pages expired begins anew", ListFailed{Because(Reason::kExpired)},
     "list after backoff 0"},
    {"a list that must wait", ListFailed{{Reason::kTooManyRequests, 429, "", seconds(9)}},
     "list after backoff 0 or longer"},
    {"a list that was cancelled", ListFailed{Because(Reason::kCancelled)}, "stop"},
    {"an event", EventSeen{"6"}, "go on"},
    {"a watch that ended as agreed", WatchEnded{.lasted = minutes(5), .saw_event = true}, "watch"},
    {"a watch that ended as agreed, soon, after events",
     WatchEnded{.lasted = milliseconds(10), .saw_event = true}, "watch"},
    {"a watch that ended at once without an event", WatchEnded{.lasted = milliseconds(999)},
     "watch after backoff 0"},
    {"a watch whose connection broke", EndedBy(Reason::kTransport), "watch after backoff 0"},
    {"a watch of a server that shuts down", EndedBy(Reason::kServerError), "watch after backoff 0"},
    {"a watch of a busy server",
     WatchEnded{.error = ApiError{Reason::kTooManyRequests, 429, "", seconds(5)}},
     "watch after backoff 0 or longer"},
    {"a watch with an old token", EndedBy(Reason::kUnauthorized), "watch after backoff 0"},
    {"a watch that is too old", EndedBy(Reason::kExpired), "list after backoff 0"},
    {"a watch that became too old", EndedBy(Reason::kExpired, true), "list after backoff 0"},
    {"a watch that was silent for longer than bookmarks are apart",
     WatchEnded{.lasted = minutes(3)}, "list"},
    {"a watch that ended as agreed, without an event, before a bookmark was due",
     WatchEnded{.lasted = minutes(2)}, "watch"},
    {"a watch from the server's future: it was restored from a backup",
     EndedBy(Reason::kTooLargeResourceVersion), "list after backoff 0"},
    {"a watch that is not allowed any more", EndedBy(Reason::kForbidden), "list after backoff 0"},
    {"a watch of a kind that was removed", EndedBy(Reason::kNotFound), "list after backoff 0"},
    {"a watch that makes no sense", EndedBy(Reason::kMalformed), "list after backoff 0"},
    {"a watch that was cancelled", EndedBy(Reason::kCancelled), "stop"},
};

TEST(ReflectorMachineTest, DecidesByWhatHappened) {
  for (const Case& test : kCases) {
    ReflectorState state;
    EXPECT_EQ(Describe(Advance(state, test.input, kNow)), test.expected) << test.name;
  }
}

TEST(ReflectorMachineTest, GoesOnFromTheLastListEventOrBookmark) {
  ReflectorState state;
  (void)Advance(state, ListDone{"5"}, kNow);
  EXPECT_EQ(state.resource_version, "5");
  (void)Advance(state, EventSeen{"6"}, kNow);
  EXPECT_EQ(state.resource_version, "6");
  (void)Advance(state, EventSeen{""}, kNow);
  EXPECT_EQ(state.resource_version, "6") << "an event without a version changes nothing";
  (void)Advance(state, EndedBy(Reason::kTransport), kNow);
  EXPECT_EQ(state.resource_version, "6");
}

TEST(ReflectorMachineTest, FailuresAddUpUntilTwoQuietMinutesHavePassed) {
  ReflectorState state;
  SteadyTime now = kNow;
  for (int attempt = 0; attempt < 4; ++attempt) {
    EXPECT_EQ(Advance(state, EndedBy(Reason::kTransport), now).wait, (Wait{.attempt = attempt}));
    now += seconds(119);
  }
  now += seconds(1);
  EXPECT_EQ(Advance(state, EndedBy(Reason::kTransport), now).wait, Wait{});
}

TEST(ReflectorMachineTest, AnEventEndsAStreakOfFailuresButAListDoesNot) {
  ReflectorState state;
  (void)Advance(state, EndedBy(Reason::kTransport), kNow);
  (void)Advance(state, ListDone{"5"}, kNow);
  EXPECT_EQ(Advance(state, EndedBy(Reason::kTransport), kNow).wait, (Wait{.attempt = 1}));
  (void)Advance(state, EventSeen{"6"}, kNow);
  EXPECT_EQ(Advance(state, EndedBy(Reason::kTransport), kNow).wait, Wait{});
}

TEST(ReflectorMachineTest, WaitsAsLongAsTheServerAsksButNotForEver) {
  for (const auto& [asked, expected] :
       {std::pair{seconds(7), seconds(7)}, {seconds(86'400), seconds(60)}}) {
    const ApiError busy{Reason::kTooManyRequests, 429, "", asked};
    ReflectorState state;
    EXPECT_EQ(Advance(state, WatchEnded{.error = busy}, kNow).wait,
              (Wait{.attempt = 0, .at_least = expected}));
    EXPECT_EQ(Advance(state, ListFailed{busy}, kNow).wait,
              (Wait{.attempt = 1, .at_least = expected}));
  }
}

}  // namespace
}  // namespace whimbrel::kube
