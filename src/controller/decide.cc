#include "controller/decide.h"

#include <utility>

#include "controller/conditions.h"
#include "controller/job_builder.h"
#include "controller/job_history.h"
#include "controller/obstacle.h"
#include "controller/progress.h"
#include "controller/run_outcome.h"
#include "whimbrel/base/redact.h"

namespace whimbrel::controller {
namespace {

using report::Reason;

/// One decision under way. Each step either ends it or leaves the status nearer to the truth.
class Decision {
 public:
  Decision(const Observed& seen, SystemTime now)
      : seen_(seen), now_(std::chrono::floor<std::chrono::seconds>(now)) {
    action_.status = seen.object.status;
  }

  Action Make() {
    Action action = MakeStep();
    action.delete_jobs = SurplusJobs();
    return action;
  }

 private:
  Action MakeStep() {
    if (metadata().deleting) return LetGo();
    ConsumeCancelRequest();
    if (RunGoesOn()) return Follow();
    Absorb();
    if (SomebodyElseRuns()) return Wait(seen_.resync);
    if (const std::optional<Obstacle> obstacle = FindObstacle()) return Report(*obstacle);
    if (cancelling_) CancelRetry();
    if (IsFresh()) return Start(true);
    if (IsRetryDue()) return Start(false);
    return WaitForRetry();
  }

  [[nodiscard]] const Metadata& metadata() const { return seen_.object.metadata; }
  [[nodiscard]] Status& status() { return action_.status; }
  [[nodiscard]] const std::optional<RunState>& last_run() const { return action_.status.run; }

  [[nodiscard]] bool RunsAsJob() const {
    return seen_.object.spec->execution.mode == ExecutionMode::kJob && !seen_.jobs_in_process;
  }
  [[nodiscard]] std::vector<JobFacts> SurplusJobs() const;
  Action LetGo();
  void ConsumeCancelRequest();
  [[nodiscard]] bool RunGoesOn() const { return seen_.run && !seen_.run_status.report; }
  Action Follow();
  void FollowCancel();
  [[nodiscard]] bool IsOutdatedBeforeItStarts() const;
  Action ShowObstacle(const Obstacle& obstacle);
  void ForgetObstacle();
  void Absorb();
  [[nodiscard]] bool SomebodyElseRuns() const;
  [[nodiscard]] std::optional<Obstacle> FindObstacle() const;
  [[nodiscard]] std::optional<Obstacle> SourceObstacle() const;
  Action Report(const Obstacle& obstacle);
  void CancelRetry();
  [[nodiscard]] bool RetryRequested() const;
  [[nodiscard]] bool IsFresh() const;
  [[nodiscard]] bool IsRetryDue() const;
  Action Start(bool fresh);
  [[nodiscard]] bool NeedsCredentials() const { return !RunsAsJob() && !seen_.credentials; }
  Action WaitForOldPod();
  void BeginRun(bool fresh);
  Action WaitForRetry();
  Action Wait(std::optional<Duration> after);
  void Tell(kube::EventType type, std::string reason, std::string note);

  const Observed& seen_;
  const SystemTime now_;
  bool cancelling_ = false;  ///< A request to cancel was seen in this very pass.
  Action action_;
};

Action Decision::LetGo() {
  action_.cancel_run = seen_.run && !seen_.run_status.report;
  action_.forget_run = seen_.run && seen_.run_status.report;
  return std::move(action_);
}

void Decision::ConsumeCancelRequest() {
  const std::string& request = metadata().cancel_request;
  if (request.empty() || request == status().cancel_requested_at) return;
  status().cancel_requested_at = request;
  cancelling_ = true;
}

Action Decision::Follow() {
  const OwnRun& run = *seen_.run;
  FollowCancel();
  if (seen_.jobs.obstacle && !action_.cancel_run) return ShowObstacle(*seen_.jobs.obstacle);
  if (run.is_job()) ForgetObstacle();
  if (run.is_job() && !seen_.jobs.shows_progress) return Wait(seen_.jobs.look_again);
  if (action_.cancel_run) return Wait(kProgressPeriod);
  const Duration since = now_ - run.last_write;
  if (since < kProgressPeriod) return Wait(kProgressPeriod - since);
  ShowProgress(status(), run.state, seen_.run_status.progress, now_);
  status().run->pod_name = seen_.jobs.pod_name;
  return Wait(kProgressPeriod);
}

void Decision::FollowCancel() {
  const OwnRun& run = *seen_.run;
  action_.cancel_run = cancelling_;
  if (!run.is_job()) return;
  status().run->pod_name = seen_.jobs.pod_name;
  // Whoever follows this Job later must know that its end was wished for.
  if (cancelling_) status().run->phase = kCancellingPhase;
  action_.cancel_run = cancelling_ || run.cancel_requested || IsOutdatedBeforeItStarts();
}

/// What keeps the pod from starting may be what was edited: then it would wait for ever, and
/// nothing is lost with it.
bool Decision::IsOutdatedBeforeItStarts() const {
  if (!seen_.jobs.obstacle || seen_.jobs.started) return false;
  return seen_.run->state.generation != metadata().generation || RetryRequested();
}

/// The pod does not start. The cluster tries on by itself, and what changes there wakes us.
Action Decision::ShowObstacle(const Obstacle& obstacle) {
  // The kubelet tries in between; a status that flaps with it would wake people again and again.
  if (seen_.jobs.image_missing && HasReason(status(), Reason::kImagePullFailed)) {
    return Wait(seen_.jobs.look_again);
  }
  const bool stalled = report::ClassOf(obstacle.reason) != report::ReasonClass::kReconciling;
  const Verdict verdict{stalled ? Health::kStalled : Health::kReconciling, obstacle.reason,
                        Redact(obstacle.message)};
  if (stalled && !HasReason(status(), obstacle.reason)) {
    Tell(kube::EventType::kWarning, std::string(report::ToString(obstacle.reason)),
         verdict.message);
  }
  if (!Says(status(), verdict)) {
    SetConditions(status(), verdict, seen_.run->state.generation, now_);
  }
  return Wait(seen_.jobs.look_again);
}

void Decision::ForgetObstacle() {
  const bool shown =
      HasReason(status(), Reason::kJobPending) || HasReason(status(), Reason::kImagePullFailed) ||
      HasReason(status(), Reason::kJobRejected) || HasReason(status(), Reason::kRunnerLost);
  if (!shown) return;
  SetConditions(status(), {Health::kReconciling, Reason::kMigrating, "the run goes on"},
                seen_.run->state.generation, now_);
}

void Decision::Absorb() {
  if (!seen_.run) return;
  AbsorbReport(status(), seen_, cancelling_ || seen_.run->cancel_requested, now_, action_.events);
  action_.forget_run = true;
}

bool Decision::SomebodyElseRuns() const {
  return last_run() && !last_run()->ended() && !seen_.foreign_run_lost;
}

std::optional<Obstacle> Decision::FindObstacle() const {
  const Result<Spec>& spec = seen_.object.spec;
  if (!spec) return Obstacle{Reason::kInvalidSpec, spec.error().message};
  if (RunsAsJob() && !seen_.jobs.available) {
    return Obstacle{Reason::kInvalidSpec,
                    "spec.execution.mode is Job, but this controller was started without "
                    "--runner-image; give it one, or set InProcess"};
  }
  if (spec->suspend) {
    return Obstacle{Reason::kSuspended, "spec.suspend is true; no run starts before it is false"};
  }
  return SourceObstacle();
}

std::optional<Obstacle> Decision::SourceObstacle() const {
  if (!seen_.source) return Obstacle{Reason::kInternalError, "the source was not read"};
  if (!*seen_.source) return seen_.source->error();
  const std::string& found = (*seen_.source)->source->digest;
  const std::string& wanted = seen_.object.spec->source.digest;
  if (wanted.empty() || wanted == found) return std::nullopt;
  return Obstacle{Reason::kSourceDigestMismatch, "spec.source.digest asks for " + wanted +
                                                     ", but the files have " + found +
                                                     "; nothing runs until they are the same"};
}

Action Decision::Report(const Obstacle& obstacle) {
  const Obstruction found = JudgeObstacle(obstacle, status(), seen_.source_timeout, now_);
  if (!Says(status(), found.verdict)) {
    const bool calm = obstacle.reason == Reason::kSuspended;
    Tell(calm ? kube::EventType::kNormal : kube::EventType::kWarning,
         std::string(report::ToString(obstacle.reason)), found.verdict.message);
  }
  status().retry_requested_at = metadata().retry_request;
  if (status().run) {
    status().run->next_retry_time.reset();
    // Whatever the files are when the obstacle is gone: look at the database again.
    status().run->source_digest.clear();
    if (!status().run->ended()) status().run->completion_time = now_;
  }
  if (found.failure) status().failure = found.failure;
  SetConditions(status(), found.verdict, metadata().generation, now_);
  return Wait(found.look_again);
}

void Decision::CancelRetry() {
  if (!last_run() || !last_run()->next_retry_time || IsFresh()) return;
  status().run->next_retry_time.reset();
  const Verdict verdict = CancelledVerdict(metadata().cancel_request);
  Tell(kube::EventType::kNormal, "MigrationCancelled", verdict.message);
  SetConditions(status(), verdict, metadata().generation, now_);
}

bool Decision::RetryRequested() const {
  const std::string& request = metadata().retry_request;
  return !request.empty() && request != action_.status.retry_requested_at;
}

bool Decision::IsFresh() const {
  if (!last_run() || !last_run()->ended() || RetryRequested()) return true;
  return last_run()->generation != metadata().generation ||
         last_run()->source_digest != (*seen_.source)->source->digest;
}

bool Decision::IsRetryDue() const {
  return last_run()->next_retry_time && *last_run()->next_retry_time <= now_;
}

Action Decision::Start(bool fresh) {
  if (RunsAsJob() && seen_.jobs.not_before && *seen_.jobs.not_before > now_) {
    return WaitForOldPod();
  }
  if (NeedsCredentials()) {
    action_.read_credentials = true;
    return std::move(action_);
  }
  if (seen_.credentials && !*seen_.credentials) return Report(seen_.credentials->error());
  const bool lost = last_run() && !last_run()->ended();
  BeginRun(fresh);
  if (fresh) {
    const std::string& digest = status().run->source_digest;
    Tell(kube::EventType::kNormal, "MigrationStarted",
         lost ? "looking at the database again: the end of the last run was not seen"
              : "run " + status().run->id.substr(0, 8) + " on the files " + digest);
  }
  action_.start_run = true;
  return Wait(kProgressPeriod);
}

void Decision::BeginRun(bool fresh) {
  const RunState before = last_run().value_or(RunState());
  status().run = RunState{.id = seen_.new_run_id,
                          .attempt = fresh ? 1 : before.attempt + 1,
                          .retries = fresh ? 0 : before.retries,
                          .generation = metadata().generation,
                          .source_digest = (*seen_.source)->source->digest,
                          .start_time = now_,
                          .phase = std::string(ToString(report::Progress::Phase::kStarting))};
  if (RunsAsJob()) status().run->job_name = JobName(metadata(), seen_.jobs.next_number);
  // The next attempt at the same thing changes nothing yet: neither a Stalled nor a Retrying must
  // flap only because somebody tries.
  if (!fresh) return;
  status().retry_requested_at = metadata().retry_request;
  status().failure.reset();
  SetConditions(status(), {Health::kReconciling, Reason::kMigrating, "the run has been started"},
                metadata().generation, now_);
}

/// Two runners would only wait for one another in the database, but nobody could tell them apart.
Action Decision::WaitForOldPod() {
  const Verdict verdict{Health::kReconciling, Reason::kJobPending,
                        "the pod of an earlier run has not ended yet; the next run waits for it"};
  if (!Says(status(), verdict)) SetConditions(status(), verdict, metadata().generation, now_);
  if (*seen_.jobs.not_before == SystemTime::max()) return Wait(seen_.resync);
  return Wait(*seen_.jobs.not_before - now_);
}

std::vector<JobFacts> Decision::SurplusJobs() const {
  if (!seen_.object.spec) return {};
  const JobSpec& job = seen_.object.spec->job;
  return JobsToDelete(
      seen_.jobs.jobs,
      {.successful = job.successful_history_limit, .failed = job.failed_history_limit},
      last_run() && !last_run()->ended() ? last_run()->job_name : std::string());
}

Action Decision::WaitForRetry() {
  if (!last_run()->next_retry_time) return Wait(std::nullopt);
  return Wait(*last_run()->next_retry_time - now_);
}

Action Decision::Wait(std::optional<Duration> after) {
  action_.requeue_after = after;
  return std::move(action_);
}

void Decision::Tell(kube::EventType type, std::string reason, std::string note) {
  action_.events.push_back({type, std::move(reason), std::move(note)});
}

}  // namespace

Action Decide(const Observed& observed, SystemTime now) { return Decision(observed, now).Make(); }

}  // namespace whimbrel::controller
