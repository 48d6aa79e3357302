#include "kube/event_series.h"

#include <gtest/gtest.h>

#include <string>

namespace whimbrel::kube {
namespace {

using std::chrono::minutes;
using std::chrono::seconds;
using Kind = EventWrite::Kind;

const SteadyTime kStart{std::chrono::hours(1)};

RecordedEvent Event(const std::string& note, const std::string& object = "a") {
  return {.about = {.resource = ConfigMaps(), .key = {"ns", object}, .uid = "uid-" + object},
          .reason = "Applied",
          .note = note};
}

class EventSeriesTest : public ::testing::Test {
 protected:
  /// Records the event and acts as the recorder does.
  Kind Record(const RecordedEvent& event, SteadyTime now) {
    const EventWrite write = series_.Decide(event, now);
    last_ = write;
    if (write.kind == Kind::kCreate) series_.Created(event, "name", "uid", now);
    return write.kind;
  }

  EventSeries series_;
  EventWrite last_;
};

TEST_F(EventSeriesTest, EqualEventsAreCounted) {
  EXPECT_EQ(Record(Event("0012"), kStart), Kind::kCreate);
  EXPECT_EQ(Record(Event("0012"), kStart), Kind::kCount);
  EXPECT_EQ(last_.count, 2);
  EXPECT_EQ(last_.name, "name");
  EXPECT_EQ(last_.uid, "uid");
  EXPECT_EQ(Record(Event("0012"), kStart), Kind::kCount);
  EXPECT_EQ(last_.count, 3);
}

TEST_F(EventSeriesTest, WhateverDiffersIsAnotherEvent) {
  RecordedEvent other_type = Event("0012");
  other_type.type = EventType::kWarning;
  RecordedEvent other_reason = Event("0012");
  other_reason.reason = "Failed";
  RecordedEvent other_uid = Event("0012");
  other_uid.about.uid = "recreated";
  for (const RecordedEvent& event :
       {Event("0012"), Event("0013"), Event("0012", "b"), other_type, other_reason, other_uid}) {
    EXPECT_EQ(Record(event, kStart), Kind::kCreate) << event.note << " " << event.reason;
  }
}

TEST_F(EventSeriesTest, ASeriesEndsAfterAnHour) {
  EXPECT_EQ(Record(Event("0012"), kStart), Kind::kCreate);
  EXPECT_EQ(Record(Event("0012"), kStart + minutes(59)), Kind::kCount);
  EXPECT_EQ(Record(Event("0012"), kStart + minutes(60)), Kind::kCreate);
  EXPECT_EQ(Record(Event("0012"), kStart + minutes(61)), Kind::kCount);
  EXPECT_EQ(last_.count, 2);
}

TEST_F(EventSeriesTest, ALostSeriesBeginsAnew) {
  EXPECT_EQ(Record(Event("0012"), kStart), Kind::kCreate);
  series_.Lost(Event("0012"));
  EXPECT_EQ(Record(Event("0012"), kStart + seconds(1)), Kind::kCreate);
  EXPECT_EQ(Record(Event("0012"), kStart + minutes(60)), Kind::kCount)
      << "the age of the lost one does not count";
}

TEST_F(EventSeriesTest, OneObjectGetsTwentyFiveEventsAndThenOneInFiveMinutes) {
  for (int i = 0; i < 25; ++i) {
    EXPECT_EQ(Record(Event(std::to_string(i)), kStart), Kind::kCreate) << i;
  }
  EXPECT_EQ(Record(Event("25"), kStart), Kind::kNothing);
  EXPECT_EQ(Record(Event("0", "b"), kStart), Kind::kCreate) << "another object is not concerned";
  EXPECT_EQ(Record(Event("25"), kStart + seconds(299)), Kind::kNothing);
  EXPECT_EQ(Record(Event("25"), kStart + seconds(300)), Kind::kCreate);
  EXPECT_EQ(Record(Event("26"), kStart + seconds(301)), Kind::kNothing);
}

TEST_F(EventSeriesTest, WithoutATokenAnEqualEventIsCountedAllTheSame) {
  for (int i = 0; i < 25; ++i) (void)Record(Event(std::to_string(i)), kStart);
  EXPECT_EQ(Record(Event("0"), kStart), Kind::kNothing);
  EXPECT_EQ(Record(Event("0"), kStart), Kind::kNothing);
  EXPECT_EQ(Record(Event("0"), kStart + seconds(300)), Kind::kCount);
  EXPECT_EQ(last_.count, 4);
}

TEST_F(EventSeriesTest, ForgetsTheOldestWhenThereAreTooMany) {
  for (int i = 0; i < 5000; ++i) {
    EXPECT_EQ(Record(Event("x", std::to_string(i)), kStart), Kind::kCreate);
  }
  EXPECT_EQ(Record(Event("x", "4999"), kStart), Kind::kCount);
  EXPECT_EQ(Record(Event("x", "0"), kStart), Kind::kCreate);
}

}  // namespace
}  // namespace whimbrel::kube
