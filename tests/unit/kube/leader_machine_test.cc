#include "kube/leader_machine.h"

#include <gtest/gtest.h>

#include <cstdint>
#include <limits>
#include <string>
#include <utility>

namespace whimbrel::kube {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;
using Action = LeaderEffect::Action;
using Change = LeaderEffect::Change;
using Reason = ApiErrorReason;

const SteadyTime kBegin{std::chrono::hours(10)};
const SystemTime kWallClock{std::chrono::seconds(1767323045)};  // 2026-01-02T03:04:05Z
const LeaderElectionOptions kOptions{.lease = {.ns = "ns", .name = "lease"}, .identity = "me"};

std::string Describe(const LeaderEffect& effect) {
  const char* const actions[] = {"get", "create", "update", "wait", "end"};
  const char* const changes[] = {"", ", leads", ", lost", ", released"};
  return std::string(actions[static_cast<int>(effect.action)]) +
         changes[static_cast<int>(effect.change)];
}

/// One machine, its clock, and the Lease as the server would have it.
class LeaderMachineTest : public ::testing::Test {
 protected:
  std::string Feed(const LeaderInput& input) {
    effect_ = Advance(state_, input, kOptions,
                      {.steady = kBegin + elapsed_, .system = kWallClock, .chance = chance_});
    return Describe(effect_);
  }
  std::string Wake() { return Feed(Woke{}); }
  std::string WakeAt(Duration since_begin) {
    elapsed_ = since_begin;
    return Wake();
  }
  std::string Read(const LeaseRecord& record) { return Feed(LeaseRead{Stored(record)}); }
  std::string ReadFailure(Reason reason) { return Feed(LeaseRead{Failure(reason)}); }
  std::string WriteFailure(Reason reason) { return Feed(LeaseWritten{Failure(reason)}); }
  /// What the last effect asked to be written was written.
  std::string Written() {
    ++version_;
    return Feed(LeaseWritten{Stored(effect_.record)});
  }
  /// Begins, finds no Lease, makes it.
  void Lead() {
    Wake();
    ReadFailure(Reason::kNotFound);
    ASSERT_EQ(Written(), "wait, leads");
  }
  [[nodiscard]] Duration until() const { return effect_.until - (kBegin + elapsed_); }
  [[nodiscard]] Lease Stored(const LeaseRecord& record) const {
    return {.record = record, .uid = uid_, .resource_version = std::to_string(version_)};
  }
  static tl::unexpected<ApiError> Failure(Reason reason) {
    return tl::make_unexpected(ApiError{.reason = reason});
  }
  static LeaseRecord Held(const std::string& holder, const std::string& renew_time = "1") {
    return {.holder = holder,
            .duration_seconds = 15,
            .acquire_time = "0",
            .renew_time = renew_time,
            .transitions = 7};
  }

  LeaderState state_;
  LeaderEffect effect_;
  Duration elapsed_{0};
  double chance_ = 0.5;
  int version_ = 1;
  std::string uid_ = "uid-1";
};

TEST_F(LeaderMachineTest, MakesTheLeaseWhenThereIsNone) {
  EXPECT_EQ(Wake(), "get");
  EXPECT_EQ(ReadFailure(Reason::kNotFound), "create");
  EXPECT_EQ(effect_.record, (LeaseRecord{.holder = "me",
                                         .duration_seconds = 15,
                                         .acquire_time = "2026-01-02T03:04:05.000000Z",
                                         .renew_time = "2026-01-02T03:04:05.000000Z",
                                         .transitions = 0}));
  EXPECT_EQ(Written(), "wait, leads");
}

TEST_F(LeaderMachineTest, LeavesTheLeaseToWhoeverWasFasterToMakeIt) {
  Wake();
  ReadFailure(Reason::kNotFound);
  EXPECT_EQ(WriteFailure(Reason::kAlreadyExists), "wait");
  EXPECT_EQ(Wake(), "get");
}

TEST_F(LeaderMachineTest, TakesAReleasedLeaseAtOnceAndCountsTheTransition) {
  Wake();
  EXPECT_EQ(Read(Held("")), "update");
  EXPECT_EQ(effect_.record.holder, "me");
  EXPECT_EQ(effect_.record.transitions, 8);
  EXPECT_EQ(Written(), "wait, leads");
}

TEST_F(LeaderMachineTest, WaitsForTheLeaseOfAnotherFromWhenItFirstSawIt) {
  Wake();
  EXPECT_EQ(Read(Held("other")), "wait");
  WakeAt(milliseconds(14'999));
  EXPECT_EQ(Read(Held("other")), "wait");
  WakeAt(seconds(15));
  EXPECT_EQ(Read(Held("other")), "update");
}

TEST_F(LeaderMachineTest, BeginsToWaitAnewWithEachRenewalThatItSees) {
  Wake();
  Read(Held("other", "1"));
  WakeAt(seconds(14));
  EXPECT_EQ(Read(Held("other", "2")), "wait");
  WakeAt(seconds(28));
  EXPECT_EQ(Read(Held("other", "2")), "wait");
  WakeAt(seconds(29));
  EXPECT_EQ(Read(Held("other", "2")), "update");
}

TEST_F(LeaderMachineTest, ComparesNoClockWithTheTimesInTheLease) {
  for (const char* far_off : {"1970-01-01T00:00:00.000000Z", "2999-01-01T00:00:00.000000Z", ""}) {
    state_ = {};
    elapsed_ = Duration{0};
    Wake();
    EXPECT_EQ(Read(Held("other", far_off)), "wait") << far_off;
    WakeAt(seconds(15));
    EXPECT_EQ(Read(Held("other", far_off)), "update") << far_off;
  }
}

TEST_F(LeaderMachineTest, WaitsAsLongAsTheHolderSays) {
  LeaseRecord record = Held("other");
  record.duration_seconds = 60;
  Wake();
  Read(record);
  WakeAt(seconds(59));
  EXPECT_EQ(Read(record), "wait");
  WakeAt(seconds(60));
  EXPECT_EQ(Read(record), "update");
}

TEST_F(LeaderMachineTest, WaitsItsOwnLeaseDurationWhenTheHolderSaysNoneAndTakesTheLongest) {
  for (const std::int64_t odd : {std::int64_t{0}, std::int64_t{-5}}) {
    state_ = {};
    elapsed_ = Duration{0};
    LeaseRecord record = Held("other");
    record.duration_seconds = odd;
    Wake();
    EXPECT_EQ(Read(record), "wait");
    WakeAt(seconds(15));
    EXPECT_EQ(Read(record), "update");
  }
  state_ = {};
  LeaseRecord record = Held("other");
  record.duration_seconds = std::numeric_limits<std::int64_t>::max();
  EXPECT_EQ(Read(record), "wait");
}

TEST_F(LeaderMachineTest, LosesTheRaceForAnExpiredLeaseCalmly) {
  Wake();
  Read(Held("other"));
  WakeAt(seconds(15));
  Read(Held("other"));
  EXPECT_EQ(WriteFailure(Reason::kConflict), "wait");
  EXPECT_EQ(Wake(), "get");
  EXPECT_EQ(Read(Held("third", "9")), "wait");
}

TEST_F(LeaderMachineTest, TakesTheLeaseOfItsOwnWriteWhoseAnswerWasLost) {
  Wake();
  ReadFailure(Reason::kNotFound);
  const LeaseRecord mine = effect_.record;
  EXPECT_EQ(WriteFailure(Reason::kTransport), "wait");
  WakeAt(seconds(3));
  EXPECT_EQ(Read(mine), "update");
  EXPECT_EQ(effect_.record.transitions, mine.transitions);
  EXPECT_EQ(effect_.record.acquire_time, mine.acquire_time);
  EXPECT_EQ(Written(), "wait, leads");
  EXPECT_EQ(MayWorkUntil(state_, kOptions), kBegin + seconds(3 + 14));
}

TEST_F(LeaderMachineTest, AsksAgainAfterTheRetryPeriodWithJitter) {
  for (const auto& [chance, expected] :
       {std::pair{0.0, milliseconds(2000)}, std::pair{0.5, milliseconds(3200)},
        std::pair{1.0, milliseconds(4400)}}) {
    state_ = {};
    chance_ = chance;
    Wake();
    EXPECT_EQ(ReadFailure(Reason::kServerError), "wait");
    EXPECT_EQ(until(), expected);
  }
}

TEST_F(LeaderMachineTest, GivesARequestUpAfterHalfTheRenewDeadline) {
  Wake();
  EXPECT_EQ(until(), seconds(5));
}

TEST_F(LeaderMachineTest, RenewsEveryRetryPeriodWithoutReading) {
  Lead();
  EXPECT_EQ(until(), seconds(2));
  for (int i = 1; i <= 20; ++i) {
    EXPECT_EQ(WakeAt(seconds(2) * i), "update");
    EXPECT_EQ(effect_.record.holder, "me");
    EXPECT_EQ(effect_.record.transitions, 0);
    EXPECT_EQ(Written(), "wait");
    EXPECT_EQ(MayWorkUntil(state_, kOptions), kBegin + seconds(2) * i + seconds(14));
  }
}

TEST_F(LeaderMachineTest, CountsTheLeaseFromTheBeginningOfTheRequest) {
  Lead();
  WakeAt(seconds(2));
  elapsed_ += seconds(4);  // So long it took.
  Written();
  EXPECT_EQ(MayWorkUntil(state_, kOptions), kBegin + seconds(2 + 14));
}

TEST_F(LeaderMachineTest, LooksWhenARenewalFails) {
  for (const Reason reason : {Reason::kConflict, Reason::kServerError, Reason::kTransport}) {
    state_ = {};
    elapsed_ = Duration{0};
    Lead();
    const LeaseRecord mine = state_.observed->record;
    WakeAt(seconds(2));
    EXPECT_EQ(WriteFailure(reason), "get");
    EXPECT_EQ(Read(mine), "update");
    EXPECT_EQ(effect_.record.transitions, mine.transitions);
    EXPECT_EQ(Written(), "wait");
  }
}

TEST_F(LeaderMachineTest, KeepsLeadingThroughErrorsUntilTheRenewDeadline) {
  Lead();
  WakeAt(seconds(2));
  for (const int second : {4, 6, 8}) {
    EXPECT_EQ(WriteFailure(Reason::kTransport), "get") << second;
    EXPECT_EQ(ReadFailure(Reason::kTransport), "wait") << second;
    EXPECT_EQ(until(), seconds(2)) << second;
    EXPECT_EQ(WakeAt(seconds(second)), "update");
  }
  elapsed_ = seconds(9);
  WriteFailure(Reason::kTransport);
  EXPECT_EQ(until(), seconds(1)) << "no answer counts after the deadline";
  ReadFailure(Reason::kTransport);
  EXPECT_EQ(until(), seconds(1)) << "nor does a wait go beyond it";
  EXPECT_EQ(WakeAt(seconds(10)), "end, lost");
}

TEST_F(LeaderMachineTest, LosesAtTheDeadlineWhateverItDoes) {
  Lead();
  WakeAt(seconds(9));
  elapsed_ = seconds(10);
  EXPECT_EQ(WriteFailure(Reason::kCancelled), "end, lost");
}

TEST_F(LeaderMachineTest, LosesAfterItWasStoppedForLongWithoutAskingAnybody) {
  Lead();
  EXPECT_EQ(WakeAt(seconds(40)), "end, lost");
}

TEST_F(LeaderMachineTest, LosesWhenTheAnswerToARenewalWaitedForLong) {
  Lead();
  WakeAt(seconds(2));
  elapsed_ = seconds(40);
  EXPECT_EQ(Written(), "end, lost");
}

TEST_F(LeaderMachineTest, DoesNotLeadByAnAnswerThatWaitedForLong) {
  Wake();
  ReadFailure(Reason::kNotFound);
  elapsed_ = seconds(40);
  EXPECT_EQ(Written(), "wait");
  EXPECT_EQ(MayWorkUntil(state_, kOptions), SteadyTime::min());
}

TEST_F(LeaderMachineTest, LosesAtOnceToAnotherHolder) {
  for (const char* holder : {"other", ""}) {
    state_ = {};
    elapsed_ = Duration{0};
    Lead();
    WakeAt(seconds(2));
    WriteFailure(Reason::kConflict);
    EXPECT_EQ(Read(Held(holder)), "end, lost") << "held by \"" << holder << '"';
  }
}

TEST_F(LeaderMachineTest, MakesItsDeletedLeaseAgain) {
  Lead();
  WakeAt(seconds(2));
  EXPECT_EQ(WriteFailure(Reason::kConflict), "get");
  EXPECT_EQ(ReadFailure(Reason::kNotFound), "create");
  EXPECT_EQ(WriteFailure(Reason::kServerError), "wait");
  EXPECT_EQ(WakeAt(seconds(4)), "get");
  EXPECT_EQ(ReadFailure(Reason::kNotFound), "create");
  uid_ = "uid-2";
  EXPECT_EQ(Written(), "wait");
  EXPECT_EQ(WakeAt(seconds(6)), "update");
}

TEST_F(LeaderMachineTest, LosesItsDeletedLeaseToWhoeverMadeItAgainFirst) {
  Lead();
  WakeAt(seconds(2));
  WriteFailure(Reason::kConflict);
  ReadFailure(Reason::kNotFound);
  EXPECT_EQ(WriteFailure(Reason::kAlreadyExists), "wait");
  WakeAt(seconds(4));
  EXPECT_EQ(Read(Held("other")), "end, lost");
}

TEST_F(LeaderMachineTest, GivesTheHolderOfADeletedLeaseItsTimeFromTheDeletion) {
  Wake();
  Read(Held("other"));
  WakeAt(seconds(14));
  EXPECT_EQ(ReadFailure(Reason::kNotFound), "wait");
  WakeAt(seconds(28));
  EXPECT_EQ(ReadFailure(Reason::kNotFound), "wait");
  WakeAt(seconds(29));
  EXPECT_EQ(ReadFailure(Reason::kNotFound), "create");
}

TEST_F(LeaderMachineTest, WaitsForNobodyWhenADeletedLeaseWasReleased) {
  Wake();
  Read(Held(""));
  WriteFailure(Reason::kConflict);
  Wake();
  EXPECT_EQ(ReadFailure(Reason::kNotFound), "create");
}

TEST_F(LeaderMachineTest, TakesALeaseThatWasMadeAnewForAChange) {
  Wake();
  Read(Held("other"));
  uid_ = "uid-2";
  WakeAt(seconds(15));
  EXPECT_EQ(Read(Held("other")), "wait");
}

TEST_F(LeaderMachineTest, HandsTheLeaseOver) {
  Lead();
  elapsed_ = seconds(1);
  EXPECT_EQ(Feed(ReleaseAsked{}), "update");
  EXPECT_EQ(effect_.record.holder, "");
  EXPECT_EQ(effect_.record.duration_seconds, 1);
  EXPECT_EQ(effect_.record.transitions, 0);
  EXPECT_EQ(Written(), "end, released");
  EXPECT_EQ(MayWorkUntil(state_, kOptions), SteadyTime::min());
}

TEST_F(LeaderMachineTest, HandsTheLeaseOverAfterAConflictWithSomebodyWhoTouchedIt) {
  Lead();
  const LeaseRecord mine = state_.observed->record;
  Feed(ReleaseAsked{});
  EXPECT_EQ(WriteFailure(Reason::kConflict), "get");
  ++version_;
  EXPECT_EQ(Read(mine), "update");
  EXPECT_EQ(effect_.record.holder, "");
  EXPECT_EQ(Written(), "end, released");
}

TEST_F(LeaderMachineTest, GivesTheHandOverUpWhenTheLeaseRunsOut) {
  Lead();
  Feed(ReleaseAsked{});
  WriteFailure(Reason::kTransport);
  EXPECT_EQ(ReadFailure(Reason::kTransport), "wait");
  EXPECT_EQ(WakeAt(seconds(10)), "end");
}

TEST_F(LeaderMachineTest, HandsNothingOverThatIsNotItsOwn) {
  EXPECT_EQ(Feed(ReleaseAsked{}), "end") << "never asked";
  state_ = {};
  Wake();
  Read(Held("other"));
  EXPECT_EQ(Feed(ReleaseAsked{}), "end") << "a candidate";
  state_ = {};
  Lead();
  Feed(ReleaseAsked{});
  WriteFailure(Reason::kConflict);
  EXPECT_EQ(Read(Held("other")), "end") << "another one has it";
  state_ = {};
  Lead();
  Feed(ReleaseAsked{});
  WriteFailure(Reason::kConflict);
  EXPECT_EQ(ReadFailure(Reason::kNotFound), "end, released") << "deleted";
}

}  // namespace
}  // namespace whimbrel::kube
