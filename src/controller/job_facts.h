#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "whimbrel/base/clock.h"
#include "whimbrel/controller/status.h"
#include "whimbrel/kube/object_client.h"

namespace whimbrel::controller {

/// The one container of a run's pod that is ours; meshes may add theirs beside it.
inline constexpr std::string_view kRunnerContainer = "runner";

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
  bool suspended = false;  ///< By somebody else: spec.suspend of the Job.
  bool complete = false;
  bool failed = false;
  /// Of the Failed condition: `DeadlineExceeded`. Already of FailureTarget, which comes first,
  /// while its pod is still being ended (`failed` is false then).
  std::string failed_reason;
  std::string failed_message;
};

/// What the container of a run left.
struct PodEnd {
  int exit_code = 0;
  std::string reason;   ///< `Completed`, `Error`, `OOMKilled`, `ContainerStatusUnknown`.
  std::string message;  ///< The termination message; the container runtime's, when it never ran.
};

/// What is kept in memory of a Job's pod. Words of the cluster are cut to 1 KiB each.
struct PodFacts {
  std::string name;
  std::string uid;
  std::string owner_uid;  ///< Of the DatabaseMigration.
  std::string run_id;
  SystemTime created{};
  std::string phase;
  std::string node;
  /// deletionTimestamp: when the grace period is over. Absent: nobody asked it to end.
  std::optional<SystemTime> ends_by;
  std::string unschedulable;   ///< The scheduler's message while no node takes it.
  std::string waiting_reason;  ///< Of the container: `ImagePullBackOff`, `ContainerCreating`.
  std::string waiting_message;
  bool running = false;          ///< The container, as the node said last.
  std::string disrupted_reason;  ///< Of the condition DisruptionTarget: `PreemptionByScheduler`.
  std::string disrupted_message;
  std::string reason;  ///< Of the status: `Evicted`, `NodeLost`, `DeadlineExceeded`.
  std::string message;
  /// The node does not answer: the node controller has set Ready to False, for which the kubelet
  /// itself would have named a reason (k8s.io/kubernetes pkg/controller/util/node,
  /// MarkPodsNotReady).
  bool node_silent = false;
  std::optional<PodEnd> end;
  bool gone = false;  ///< Deleted; kept in memory until what it said last was read.

  /// Nothing of it executes any more.
  [[nodiscard]] bool ended() const {
    return end || gone || phase == "Succeeded" || phase == "Failed";
  }
};

/// Never fail: what is not there is empty.
[[nodiscard]] JobFacts ReadJob(const kube::Json& object);
[[nodiscard]] PodFacts ReadPod(const kube::Json& object);

/// JSON for kResolvedAnnotation, which ReadJob reads back.
[[nodiscard]] std::string FormatResolved(const std::vector<ResolvedObject>& resolved);

}  // namespace whimbrel::controller
