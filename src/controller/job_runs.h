#pragma once

#include <atomic>
#include <optional>
#include <stop_token>
#include <string>
#include <vector>

#include "controller/job_facts.h"
#include "controller/observed.h"
#include "whimbrel/base/clock.h"
#include "whimbrel/controller/controller.h"
#include "whimbrel/kube/object_client.h"
#include "whimbrel/kube/store.h"

namespace whimbrel::controller {

using JobStore = kube::Store<JobFacts>;
using PodStore = kube::Store<PodFacts>;

/// The index of both stores: the uid of the DatabaseMigration.
[[nodiscard]] std::vector<std::string> OwnerIndex(const kube::ObjectKey& key, const JobFacts& job);
[[nodiscard]] std::vector<std::string> OwnerIndex(const kube::ObjectKey& key, const PodFacts& pod);

/// Runs that are Jobs. They go on without the controller that made them, so nothing is kept here
/// that a new process could not find again. Thread-safe for different resources.
class JobRuns {
 public:
  JobRuns(kube::ObjectClient& client, RunnerImage image, const Clock& clock);

  /// Fed by the watchers.
  [[nodiscard]] JobStore& jobs() { return jobs_; }
  [[nodiscard]] PodStore& pods() { return pods_; }

  /// What the stores have of this resource; asks nobody.
  [[nodiscard]] ObservedJobs Survey(const Metadata& owner, const std::optional<RunState>& last);

  /// How the run stands, and into `seen` what keeps it. A Job that the store does not have is asked
  /// for by name: the store may be behind. One that is not there, is somebody else's, or is of
  /// another run is lost once its pods have ended.
  [[nodiscard]] kube::ApiResult<report::RunStatus> Observe(const Metadata& owner, OwnRun& run,
                                                           ObservedJobs& seen,
                                                           std::stop_token stop);

  /// Makes the Job that `run` describes. One of that name that is the same counts as made: the
  /// answer to an earlier request may have been lost. A report: it came to nothing.
  [[nodiscard]] std::optional<report::RunReport> Start(const DatabaseMigration& object,
                                                       const RunState& run, int number,
                                                       const std::vector<ResolvedObject>& resolved,
                                                       std::stop_token stop);

  /// Deletes it in the background: its pod is asked to end, and cancels its statement.
  void Delete(const std::string& ns, const std::string& name, const std::string& uid,
              std::stop_token stop);

 private:
  [[nodiscard]] std::vector<PodFacts> PodsOf(const std::string& owner_uid) const;
  [[nodiscard]] kube::ApiResult<std::optional<JobFacts>> Find(const kube::ObjectKey& key,
                                                              std::stop_token stop);
  [[nodiscard]] kube::ApiResult<void> ListPods(const std::string& ns, const std::string& run_id,
                                               std::vector<PodFacts>& pods, std::stop_token stop);
  [[nodiscard]] std::vector<std::string> ReadRefusals(const std::string& ns,
                                                      const std::string& job_uid,
                                                      std::stop_token stop);
  void ReadProgress(const std::string& ns, const std::vector<PodFacts>& pods,
                    report::RunStatus& status, ObservedJobs& seen, std::stop_token stop);
  [[nodiscard]] std::optional<report::RunReport> Refused(const kube::ApiError& error,
                                                         const kube::ObjectKey& key,
                                                         const Metadata& owner, const RunState& run,
                                                         std::stop_token stop);

  kube::ObjectClient& client_;
  const RunnerImage image_;
  const Clock& clock_;
  JobStore jobs_;
  PodStore pods_;
  /// Reading pods' logs is a right of its own; without it nobody is asked again for a while.
  std::atomic<SteadyTime> no_logs_until_{SteadyTime()};
};

}  // namespace whimbrel::controller
