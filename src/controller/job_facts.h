#pragma once

#include <optional>
#include <string>
#include <vector>

#include "whimbrel/base/clock.h"
#include "whimbrel/controller/status.h"
#include "whimbrel/kube/object_client.h"

namespace whimbrel::controller {

/// What is kept in memory of a Job that Whimbrel made. Small: one for each resource.
struct JobFacts {
  std::string name;
  std::string uid;
  std::string owner_uid;   ///< Of the DatabaseMigration, from the label.
  std::string owner_name;  ///< From the annotation: labels are too short for it.
  std::string run_id;
  int number = 0;  ///< n of its name.
  std::string source_digest;
  std::vector<ResolvedObject> resolved;  ///< Where its files come from.
  SystemTime created{};
  bool deleting = false;
  bool complete = false;
  bool failed = false;
  std::string failed_reason;  ///< Of the Failed condition: `DeadlineExceeded`.
  std::string failed_message;
};

/// What the container of a run left.
struct PodEnd {
  int exit_code = 0;
  std::string reason;   ///< `Completed`, `Error`, `OOMKilled`, `ContainerStatusUnknown`.
  std::string message;  ///< The termination message.
};

/// What is kept in memory of a Job's pod.
struct PodFacts {
  std::string name;
  std::string uid;
  std::string owner_uid;  ///< Of the DatabaseMigration.
  std::string run_id;
  std::string phase;
  std::string node;
  /// deletionTimestamp: when the grace period is over. Absent: nobody asked it to end.
  std::optional<SystemTime> ends_by;
  std::string unschedulable;    ///< The scheduler's message while no node takes it.
  std::string waiting_reason;   ///< Of the container: `ImagePullBackOff`, `ContainerCreating`.
  std::string waiting_message;
  std::string disrupted_reason;   ///< Of the condition DisruptionTarget: `PreemptionByScheduler`.
  std::string disrupted_message;
  std::string reason;  ///< Of the status: `Evicted`, `NodeLost`.
  std::string message;
  bool node_silent = false;  ///< The node does not answer (condition Ready, reason NodeNotReady…).
  std::optional<PodEnd> end;
  bool gone = false;  ///< Deleted; kept in memory until what it said last was read.

  /// Nothing of it executes any more.
  [[nodiscard]] bool ended() const { return end || phase == "Succeeded" || phase == "Failed"; }
};

/// Never fail: what is not there is empty.
[[nodiscard]] JobFacts ReadJob(const kube::Json& object);
[[nodiscard]] PodFacts ReadPod(const kube::Json& object);

}  // namespace whimbrel::controller
