#pragma once

#include <optional>
#include <string>
#include <vector>

#include "controller/job_facts.h"
#include "controller/observed.h"
#include "whimbrel/report/runner.h"

namespace whimbrel::controller {

/// A run that is a Job, as far as one can see.
struct JobObservation {
  /// With a report once the run has ended: the pod's termination message, or one that says how it
  /// was lost (kRunnerLost: outcome unknown, the next attempt reads the database).
  report::RunStatus status;
  /// What keeps the run from going on, in the cluster's own words and with what to do: kJobPending
  /// or kImagePullFailed while its pod does not start, kRunnerLost while it is unknown whether it
  /// still works (its node does not answer, or somebody ends it). Gone as soon as the cause is.
  std::optional<Obstacle> obstacle;
  /// The obstacle is the image. The kubelet takes turns between trying and waiting (ErrImagePull,
  /// ImagePullBackOff): who has shown kImagePullFailed goes on showing it until this is false.
  bool image_missing = false;
  std::string pod_name;  ///< Of the pod that counts; empty: there is none.
  bool started = false;  ///< The container has run: SQL may have been executed.
};

/// Pure. `pods` are those of this Job's run, ended ones included (of another run: ignored, where
/// the Job says which its own is);
/// `refusals` what the Job controller said about pods that it could not create (quota, admission),
/// newest first.
[[nodiscard]] JobObservation ObserveJob(const JobFacts& job, const std::vector<PodFacts>& pods,
                                        const std::vector<std::string>& refusals);

/// The Job is gone and so are its pods, without a report: what is known of the end. Not counted as
/// a try.
[[nodiscard]] report::RunReport LostRun(const std::string& what);

/// When the next Job may start although `pods` of earlier ones are there: at once (nullopt) where
/// all have ended, or were to end long ago; else 60 s after the end of the grace period that was
/// given to the last of them (the fence is in PostgreSQL). SystemTime::max(): nobody has asked it
/// to end yet.
[[nodiscard]] std::optional<SystemTime> NextJobNotBefore(const std::vector<PodFacts>& pods,
                                                         SystemTime now);

/// A node that fell silent never says that its pod has ended, and while it does not, neither does
/// the Job controller (podReplacementPolicy Failed). So the run of `pods` counts as lost once the
/// next Job may start; nullopt: not yet, or they have ended.
[[nodiscard]] std::optional<report::RunReport> GivenUp(const std::vector<PodFacts>& pods,
                                                       SystemTime now);

}  // namespace whimbrel::controller
