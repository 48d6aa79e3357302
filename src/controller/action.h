#pragma once

#include <optional>
#include <string>
#include <vector>

#include "controller/job_facts.h"
#include "whimbrel/base/clock.h"
#include "whimbrel/controller/status.h"
#include "whimbrel/kube/event_recorder.h"

namespace whimbrel::controller {

/// A fact for people, told once.
struct EventNote {
  kube::EventType type = kube::EventType::kNormal;
  std::string reason;
  std::string note;

  friend bool operator==(const EventNote&, const EventNote&) = default;
};

/// What one pass does: first the status, and only where that was stored all the rest, so that a
/// pass that lost against a newer object leaves no trace and is simply made again.
struct Action {
  bool read_credentials = false;  ///< Nothing is decided yet: decide again with the credentials.
  bool cancel_run = false;
  bool forget_run = false;
  bool start_run = false;             ///< The run that `status.run` describes.
  std::vector<JobFacts> delete_jobs;  ///< More than the history limits keep.
  Status status;                      ///< Complete; equal to what is stored: nothing is written.
  std::vector<EventNote> events;
  std::optional<Duration> requeue_after;
};

}  // namespace whimbrel::controller
