#include "whimbrel/kube/event_recorder.h"

#include <gtest/gtest.h>

#include <deque>
#include <future>
#include <mutex>
#include <string>
#include <vector>

#include "fake_object_client.h"
#include "support/eventually.h"
#include "support/fake_clock.h"

namespace whimbrel::kube {
namespace {

using nlohmann::json;
using testing::Eventually;
using testing::FakeClock;
using Reason = ApiErrorReason;

const ObjectReference kAbout{.resource = ConfigMaps(), .key = {"ns", "a"}, .uid = "u"};

/// Keeps what was written; answers by a script, then with success.
class EventRecorderTest : public ::testing::Test {
 protected:
  EventRecorderTest() {
    client_.create = [this](const json& object, const std::stop_token&) {
      return Answer("create", object);
    };
    client_.apply = [this](const json& object, const ApplyOptions& options,
                           const std::stop_token&) {
      EXPECT_EQ(options.field_manager, "whimbrel.dev/controller");
      return Answer("apply", object);
    };
  }

  ApiResult<Json> Answer(const std::string& verb, json object) {
    const std::lock_guard lock(mutex_);
    calls_.emplace_back(verb, object);
    if (!failures_.empty()) {
      const Reason reason = failures_.front();
      failures_.pop_front();
      return FakeObjectClient::Failure(reason);
    }
    object["metadata"]["uid"] = "event-uid";
    return object;
  }

  [[nodiscard]] std::size_t CallCount() {
    const std::lock_guard lock(mutex_);
    return calls_.size();
  }

  static void RecordApplied(EventRecorder& recorder, const std::string& note) {
    recorder.Record(kAbout, EventType::kNormal, "Applied", "Migrate", note);
  }

  std::mutex mutex_;
  FakeObjectClient client_;
  FakeClock clock_;
  std::vector<std::pair<std::string, json>> calls_;
  std::deque<Reason> failures_;
};

TEST_F(EventRecorderTest, WritesAnEventOfEventsV1) {
  {
    EventRecorder recorder(client_, "whimbrel.dev/controller", "pod-1", clock_);
    recorder.Record(kAbout, EventType::kWarning, "Failed", "Migrate", "no table \"x\"");
  }
  ASSERT_EQ(calls_.size(), 1U);
  EXPECT_EQ(calls_[0].first, "create");
  json event = calls_[0].second;
  const std::string name = event["metadata"]["name"];
  EXPECT_TRUE(name.starts_with("a.")) << name;
  event["metadata"].erase("name");
  EXPECT_EQ(event, json::parse(R"({
    "apiVersion": "events.k8s.io/v1", "kind": "Event",
    "metadata": {"namespace": "ns"},
    "eventTime": "2026-01-02T03:04:05.000000Z",
    "reportingController": "whimbrel.dev/controller", "reportingInstance": "pod-1",
    "type": "Warning", "reason": "Failed", "action": "Migrate", "note": "no table \"x\"",
    "regarding": {"apiVersion": "v1", "kind": "ConfigMap", "namespace": "ns", "name": "a",
                  "uid": "u"}
  })"));
}

TEST_F(EventRecorderTest, CountsEqualEventsInASeries) {
  {
    EventRecorder recorder(client_, "whimbrel.dev/controller", "pod-1", clock_);
    RecordApplied(recorder, "0012");
    RecordApplied(recorder, "0012");
    RecordApplied(recorder, "0013");
  }
  ASSERT_EQ(calls_.size(), 3U);
  EXPECT_EQ(calls_[1].first, "apply");
  EXPECT_EQ(calls_[1].second["metadata"]["name"], calls_[0].second["metadata"]["name"]);
  EXPECT_EQ(calls_[1].second["metadata"]["uid"], "event-uid");
  EXPECT_EQ(calls_[1].second["series"],
            json::parse(R"({"count":2,"lastObservedTime":"2026-01-02T03:04:05.000000Z"})"));
  EXPECT_EQ(calls_[2].first, "create");
  EXPECT_NE(calls_[2].second["metadata"]["name"], calls_[0].second["metadata"]["name"])
      << "although both were recorded at the same time";
}

TEST_F(EventRecorderTest, WritesAnewWhatTheServerHasForgotten) {
  for (const Reason reason : {Reason::kNotFound, Reason::kConflict}) {
    calls_.clear();
    {
      EventRecorder recorder(client_, "whimbrel.dev/controller", "pod-1", clock_);
      RecordApplied(recorder, "0012");
      ASSERT_TRUE(Eventually([&] { return CallCount() == 1; }));
      {
        const std::lock_guard lock(mutex_);
        failures_ = {reason};
      }
      RecordApplied(recorder, "0012");
    }
    ASSERT_EQ(calls_.size(), 3U) << ToString(reason);
    EXPECT_EQ(calls_[1].first, "apply");
    EXPECT_EQ(calls_[2].first, "create");
  }
}

TEST_F(EventRecorderTest, TriesAgainWhileTheServerIsAway) {
  FakeClock jumping{FakeClock::Sleep::kJumps};
  failures_ = {Reason::kTransport, Reason::kServerError, Reason::kTooManyRequests};
  EventRecorder recorder(client_, "whimbrel.dev/controller", "pod-1", jumping);
  RecordApplied(recorder, "0012");
  EXPECT_TRUE(Eventually([&] { return CallCount() == 4; }));
}

TEST_F(EventRecorderTest, TriesAgainAfterAConflictThatIsNotAboutTheEvent) {
  FakeClock jumping{FakeClock::Sleep::kJumps};
  failures_ = {Reason::kConflict, Reason::kConflict};
  EventRecorder recorder(client_, "whimbrel.dev/controller", "pod-1", jumping);
  RecordApplied(recorder, "0012");
  EXPECT_TRUE(Eventually([&] { return CallCount() == 3; }));
  const std::lock_guard lock(mutex_);
  EXPECT_EQ(calls_[2], calls_[0]) << "the same name, so that none is written twice";
}

TEST_F(EventRecorderTest, GivesAnEventUpAfterTwelveTriesAndWritesTheNext) {
  FakeClock jumping{FakeClock::Sleep::kJumps};
  failures_.assign(12, Reason::kServerError);
  EventRecorder recorder(client_, "whimbrel.dev/controller", "pod-1", jumping);
  RecordApplied(recorder, "0012");
  RecordApplied(recorder, "0013");
  EXPECT_TRUE(Eventually([&] { return CallCount() == 13; }));
  const std::lock_guard lock(mutex_);
  EXPECT_EQ(calls_[11].second["note"], "0012");
  EXPECT_EQ(calls_[12].second["note"], "0013");
}

TEST_F(EventRecorderTest, DropsWhatTheServerRefuses) {
  {
    failures_ = {Reason::kForbidden};
    EventRecorder recorder(client_, "whimbrel.dev/controller", "pod-1", clock_);
    RecordApplied(recorder, "0012");
    RecordApplied(recorder, "0013");
  }
  ASSERT_EQ(calls_.size(), 2U);
  EXPECT_EQ(calls_[1].second["note"], "0013");
}

TEST_F(EventRecorderTest, NotesAreRedactedAndCut) {
  {
    EventRecorder recorder(client_, "whimbrel.dev/controller", "pod-1", clock_);
    RecordApplied(recorder, "postgres://u:hunter2@h/db " + std::string(2000, 'x'));
  }
  ASSERT_EQ(calls_.size(), 1U);
  const std::string note = calls_[0].second["note"];
  EXPECT_EQ(note.find("hunter2"), std::string::npos);
  EXPECT_EQ(note.size(), 1024U);
}

TEST_F(EventRecorderTest, LongNamesAndMissingPartsStillMakeAValidEvent) {
  ObjectReference about = kAbout;
  about.key = {"", std::string(250, 'n')};
  {
    EventRecorder recorder(client_, "whimbrel.dev/controller", "pod-1", clock_);
    recorder.Record(about, EventType::kNormal, "Applied", "", "x");
  }
  ASSERT_EQ(calls_.size(), 1U);
  const json& event = calls_[0].second;
  EXPECT_LE(event["metadata"]["name"].get<std::string>().size(), 253U);
  EXPECT_EQ(event["metadata"]["namespace"], "default");
  EXPECT_EQ(event["action"], "Applied");
}

TEST_F(EventRecorderTest, RecordNeverWaitsAndTheQueueIsBounded) {
  std::promise<void> release;
  const std::shared_future<void> released = release.get_future().share();
  client_.create = [&](const json& object, const std::stop_token&) {
    released.wait();
    return Answer("create", object);
  };
  {
    EventRecorder recorder(client_, "whimbrel.dev/controller", "pod-1", clock_);
    ObjectReference about = kAbout;
    for (int i = 0; i < 1500; ++i) {
      about.uid = std::to_string(i);
      recorder.Record(about, EventType::kNormal, "Applied", "Migrate", "x");
    }
    release.set_value();
  }
  EXPECT_GE(calls_.size(), 1000U);
  EXPECT_LE(calls_.size(), 1001U) << "1,000 that waited, and the one being written";
}

TEST_F(EventRecorderTest, ClosingDoesNotWaitForAServerThatIsAway) {
  for (int i = 0; i < 4; ++i) failures_.push_back(Reason::kTransport);
  {
    EventRecorder recorder(client_, "whimbrel.dev/controller", "pod-1", clock_);
    RecordApplied(recorder, "0012");
    RecordApplied(recorder, "0013");
    ASSERT_TRUE(clock_.WaitForSleepers(1)) << "before the first repetition";
  }
  EXPECT_EQ(calls_.size(), 2U) << "each once more at most, without a wait";
}

TEST_F(EventRecorderTest, ClosingCutsOffACallThatHangsForFiveSeconds) {
  client_.create = [](const json&, const std::stop_token& stop) -> ApiResult<Json> {
    return tl::make_unexpected(FakeObjectClient::BlockUntil(stop).error());
  };
  auto recorder =
      std::make_unique<EventRecorder>(client_, "whimbrel.dev/controller", "pod-1", clock_);
  RecordApplied(*recorder, "0012");
  auto closing = std::async(std::launch::async, [&] { recorder.reset(); });
  ASSERT_TRUE(clock_.WaitForSleepers(1));
  clock_.Advance(std::chrono::seconds(5));
  closing.get();
}

}  // namespace
}  // namespace whimbrel::kube
