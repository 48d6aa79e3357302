#pragma once

#include <deque>
#include <map>
#include <string>
#include <utility>

#include "kube/token_bucket.h"
#include "whimbrel/base/clock.h"
#include "whimbrel/kube/event_recorder.h"

namespace whimbrel::kube {

/// An event as somebody recorded it.
struct RecordedEvent {
  ObjectReference about;
  EventType type = EventType::kNormal;
  std::string reason;
  std::string action;
  std::string note;
  SystemTime at;
};

/// What to write for a recorded event.
struct EventWrite {
  enum class Kind { kNothing, kCreate, kCount };
  Kind kind = Kind::kNothing;
  std::string name;  ///< Of the event object, for kCount.
  std::string uid;   ///< Of the event object, for kCount.
  int count = 1;     ///< How often it has happened by now.
};

/// Which recorded events are written, and how: at most 25 at once for each object, then one in 300
/// s (client-go tools/record, EventSourceObjectSpamFilter); an equal one within an hour, which is
/// how long events live, is only counted. The note is part of what makes events equal, unlike in
/// client-go: "applied 0012" and "applied 0013" are two facts. Bounded. Not thread-safe.
class EventSeries {
 public:
  [[nodiscard]] EventWrite Decide(const RecordedEvent& event, SteadyTime now);
  /// The event was created as this object.
  void Created(const RecordedEvent& event, std::string name, std::string uid, SteadyTime now);
  /// Its object is gone: an equal event is written anew.
  void Lost(const RecordedEvent& event);

 private:
  struct Series {
    std::string name;
    std::string uid;
    int count = 1;
    SteadyTime begin;
  };

  bool TakeToken(const ObjectReference& about, SteadyTime now);
  void Prune(SteadyTime now);

  std::map<std::string, Series> series_;  // By the digest of what makes them equal.
  std::deque<std::pair<SteadyTime, std::string>> by_age_;  // Keys of series_; some are gone.
  std::map<std::string, TokenBucket> buckets_;             // By object.
};

}  // namespace whimbrel::kube
