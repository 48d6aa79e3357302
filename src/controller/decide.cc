#include "controller/decide.h"

#include <utility>

#include "controller/conditions.h"
#include "controller/obstacle.h"
#include "controller/progress.h"
#include "controller/run_outcome.h"

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

 private:
  [[nodiscard]] const Metadata& metadata() const { return seen_.object.metadata; }
  [[nodiscard]] Status& status() { return action_.status; }
  [[nodiscard]] const std::optional<RunState>& last_run() const { return action_.status.run; }

  Action LetGo();
  void ConsumeCancelRequest();
  [[nodiscard]] bool RunGoesOn() const { return seen_.run && !seen_.run_status.report; }
  Action Follow();
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
  action_.cancel_run = cancelling_;
  const Duration since = now_ - run.last_write;
  if (since < kProgressPeriod) return Wait(kProgressPeriod - since);
  ShowProgress(status(), run.state, seen_.run_status.progress, now_);
  return Wait(kProgressPeriod);
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
  if (spec->execution.mode == ExecutionMode::kJob && !seen_.jobs_in_process) {
    return Obstacle{Reason::kInvalidSpec,
                    "execution.mode Job comes with a later version of Whimbrel; set InProcess"};
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
  if (!seen_.credentials) {
    action_.read_credentials = true;
    return std::move(action_);
  }
  if (!*seen_.credentials) return Report(seen_.credentials->error());
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
  // The next attempt at the same thing changes nothing yet: neither a Stalled nor a Retrying must
  // flap only because somebody tries.
  if (!fresh) return;
  status().retry_requested_at = metadata().retry_request;
  status().failure.reset();
  SetConditions(status(), {Health::kReconciling, Reason::kMigrating, "the run has been started"},
                metadata().generation, now_);
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
