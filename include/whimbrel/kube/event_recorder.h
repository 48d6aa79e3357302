#pragma once

#include <memory>
#include <string>
#include <string_view>

#include "whimbrel/base/clock.h"
#include "whimbrel/kube/object_client.h"

namespace whimbrel::kube {

enum class EventType { kNormal, kWarning };

/// The object that an event is about.
struct ObjectReference {
  Resource resource;
  ObjectKey key;
  std::string uid;
};

/// Writes events (events.k8s.io/v1) from a thread of its own; a reconcile never waits for it. Equal
/// events (object, type, reason and note) of an hour become one series; more than 25 at once, then
/// one per 300 s, are dropped per object, and so is what does not fit into a queue of 1,000
/// (reference/controller.md §7). A write that fails for now (ApiError::IsTransient, a conflict) is
/// tried twelve times, about two minutes, and the others wait for it; a series whose object is gone
/// begins anew. What could not be written is logged. Thread-safe. The destructor writes what is
/// queued, for at most five seconds.
class EventRecorder {
 public:
  EventRecorder(ObjectClient& client, std::string_view reporting_controller,
                std::string_view reporting_instance, const Clock& clock = Clock::System());
  ~EventRecorder();

  /// `reason` and `action` are words in CamelCase, of at most 128 bytes; without an action it is
  /// the reason. `note` is redacted and cut at 1,024 bytes.
  void Record(const ObjectReference& about, EventType type, std::string reason, std::string action,
              std::string note);

 private:
  class Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace whimbrel::kube
