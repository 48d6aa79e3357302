#include "controller/run_outcome.h"

#include <algorithm>
#include <optional>
#include <utility>

#include "controller/decide.h"
#include "controller/run_facts.h"
#include "controller/status_limits.h"
#include "whimbrel/base/redact.h"

namespace whimbrel::controller {
namespace {

using kube::EventType;
using report::Failure;
using report::Reason;
using report::ReasonClass;
using report::RunReport;
using std::chrono::seconds;

constexpr std::string_view kHowToGoOn =
    "; edit the resource or its files, or set the annotation whimbrel.dev/retry-requested-at";

SystemTime After(SystemTime now, Duration delay) { return now + std::chrono::ceil<seconds>(delay); }

FailureStatus ToStatus(const Failure& failure) {
  return {.version = TruncateUtf8(failure.version, kMaxVersionBytes),
          .file = TruncateUtf8(failure.position.file, kMaxFileBytes),
          .line = failure.position.line,
          .column = failure.position.column,
          .sql_state = failure.sql_state,
          .message = TruncateUtf8(Redact(failure.message), kMaxFailureBytes),
          .hint = TruncateUtf8(Redact(failure.hint), kMaxFailureBytes)};
}

/// What follows a run that has failed (design §5, §3 "Errors").
class FailedRun {
 public:
  FailedRun(Status& status, const Observed& observed, bool cancelled, SystemTime now)
      : status_(status),
        run_(*status.run),
        seen_(observed),
        report_(*observed.run_status.report),
        cancelled_(cancelled),
        now_(now) {}

  Verdict Judge() {
    const Failure failure = report_.failure.value_or(
        Failure{.message = "the run ended without success and without saying why"});
    NoteFailure(failure);
    switch (failure.reason) {
      case Reason::kCancelled:
        return cancelled_ ? CancelledVerdict(seen_.object.metadata.cancel_request)
                          : WaitUncounted(failure.reason);
      case Reason::kAuthenticationFailed:
      case Reason::kDatabaseMissing:
        return WaitForRotation(failure.reason);
      case Reason::kSecretNotFound:
        return WaitUntil(failure.reason, now_ + kSecretPeriod);
      case Reason::kSourceChanged:
        // A node may still have had the files of before; what is there now is planned anew.
        if (!run_.job_name.empty()) return WaitUncounted(failure.reason);
        break;
      case Reason::kJobRejected:
        return WaitForPermission(failure.reason);
      case Reason::kRunnerLost:
        if (cancelled_) return CancelledVerdict(seen_.object.metadata.cancel_request);
        break;
      default:
        break;
    }
    if (report_.uncounted) return WaitUncounted(failure.reason);
    if (report_.transient) return Retry();
    return Stall(failure.reason);
  }

 private:
  void NoteFailure(const Failure& failure) {
    repeated_ = HasReason(status_, failure.reason) && status_.failure.has_value();
    const SystemTime first_seen = repeated_ ? status_.failure->first_seen : now_;
    status_.failure = ToStatus(failure);
    status_.failure->first_seen = first_seen;
  }

  /// Passwords rotate and databases come later: at once, then every minute, and after ten minutes
  /// somebody should know.
  Verdict WaitForRotation(Reason reason) {
    if (now_ - status_.failure->first_seen >= kRotationWindow) return Stall(reason);
    return WaitUntil(reason, repeated_ ? now_ + kSecretPeriod : now_);
  }

  /// Quotas and policies change without telling us; asking once a minute costs nothing.
  Verdict WaitForPermission(Reason reason) {
    run_.next_retry_time = now_ + std::min(seen_.resync, kSecretPeriod);
    return {Health::kStalled, reason, DescribeFailure(*status_.failure)};
  }

  Verdict WaitUncounted(Reason reason) {
    const bool waits = report::ClassOf(reason) == ReasonClass::kReconciling;
    return WaitUntil(waits ? reason : Reason::kRetrying,
                     After(now_, Jittered(PatienceWith(reason))));
  }

  /// What waited within its run may go on at once; what comes to nothing at once may do so again,
  /// and each try costs the cluster a Job.
  [[nodiscard]] int PatienceWith(Reason reason) const {
    const bool at_once = reason == Reason::kRunnerLost || reason == Reason::kJobPending ||
                         reason == Reason::kSourceChanged;
    return at_once ? std::max(run_.attempt - 1, 0) : 0;
  }

  Verdict WaitUntil(Reason reason, SystemTime next) {
    run_.next_retry_time = next;
    return {Health::kReconciling, reason, DescribeFailure(*status_.failure)};
  }

  Verdict Retry() {
    // An attempt that came further starts the count anew: the database is there, only unsteady.
    run_.retries = report_.applied_this_run > 0 ? 1 : run_.retries + 1;
    const int limit = Policy().limit;
    const std::string what = DescribeFailure(*status_.failure);
    if (run_.retries > limit) {
      run_.next_retry_time = now_ + seen_.resync;
      return {Health::kStalled, Reason::kRetryLimitExceeded,
              what + "; " + std::to_string(limit) + (limit == 1 ? " retry" : " retries") +
                  " did not help, tried again every " + std::to_string(seen_.resync.count()) +
                  " s"};
    }
    run_.next_retry_time = After(now_, Jittered(run_.retries - 1));
    return {Health::kReconciling, Reason::kRetrying,
            what + "; retry " + std::to_string(run_.retries) + " of " + std::to_string(limit) +
                " at " + FormatRfc3339(*run_.next_retry_time)};
  }

  Verdict Stall(Reason reason) {
    // A run that says neither "again" nor a reason to stop is a bug of ours, and not the user's.
    if (report::ClassOf(reason) == ReasonClass::kReconciling ||
        report::ClassOf(reason) == ReasonClass::kReady) {
      reason = Reason::kInternalError;
    }
    if (report::ClassOf(reason) == ReasonClass::kStalledOutside) {
      run_.next_retry_time = now_ + seen_.resync;
    }
    return {Health::kStalled, reason, DescribeFailure(*status_.failure)};
  }

  [[nodiscard]] RetrySpec Policy() const {
    return seen_.object.spec ? seen_.object.spec->execution.retry : RetrySpec();
  }
  [[nodiscard]] Duration Jittered(int step) const {
    const Duration ceiling = Policy().backoff.Ceiling(step);
    return Duration(
        static_cast<Duration::rep>(static_cast<double>(ceiling.count()) * seen_.jitter));
  }

  Status& status_;
  RunState& run_;
  const Observed& seen_;
  const RunReport& report_;
  const bool cancelled_;
  const SystemTime now_;
  bool repeated_ = false;  ///< The last attempt failed for the same reason.
};

std::string Where(const Status& status) {
  const std::string count = std::to_string(status.applied_count.value_or(0)) + " applied";
  return status.current_version.empty() ? count
                                        : "at version " + status.current_version + ", " + count;
}

Verdict Succeed(Status& status, const HistoryNews& news, SystemTime now) {
  status.failure.reset();
  if (news.regressed) {
    const std::string message = "the history lacks version " + news.before +
                                ", which had been applied (now " + Where(status) +
                                "); was a backup restored?" + std::string(kHowToGoOn);
    status.failure = FailureStatus{.message = message, .first_seen = now};
    return {Health::kStalled, Reason::kHistoryRegressed, message};
  }
  status.last_success_time = now;
  return {Health::kReady, Reason::kUpToDate, Where(status)};
}

void TellVerdict(const Status& before, const Verdict& verdict, bool applied,
                 std::vector<EventNote>& events) {
  const bool news = !Says(before, verdict);
  if (verdict.health == Health::kReady) {
    if (news || applied)
      events.push_back({EventType::kNormal, "MigrationCompleted", verdict.message});
  } else if (verdict.reason == Reason::kRetrying) {
    events.push_back({EventType::kWarning, "MigrationRetrying", verdict.message});
  } else if (verdict.reason == Reason::kCancelled) {
    events.push_back({EventType::kNormal, "MigrationCancelled", verdict.message});
  } else if (news) {
    events.push_back({EventType::kWarning, std::string(ToString(verdict.reason)), verdict.message});
  }
}

}  // namespace

Verdict CancelledVerdict(const std::string& requested_at) {
  return {Health::kStalled, Reason::kCancelled,
          "cancelled as the annotation whimbrel.dev/cancel-requested-at (" + requested_at +
              ") asked" + std::string(kHowToGoOn)};
}

std::string DescribeFailure(const FailureStatus& failure) {
  std::string text;
  if (!failure.version.empty()) text += failure.version + ": ";
  const SourcePosition where{.file = failure.file,
                             .line = static_cast<std::uint32_t>(failure.line),
                             .column = static_cast<std::uint32_t>(failure.column)};
  if (const std::string position = where.ToString(); !position.empty()) text += position + ": ";
  text += failure.message;
  if (!failure.sql_state.empty()) text += " (SQLSTATE " + failure.sql_state + ")";
  if (!failure.hint.empty()) text += "; " + failure.hint;
  return text;
}

void AbsorbReport(Status& status, const Observed& observed, bool cancelled, SystemTime now,
                  std::vector<EventNote>& events) {
  const RunReport& report = *observed.run_status.report;
  const Status before = status;
  status.run = observed.run->state;
  status.run->completion_time = now;
  status.run->next_retry_time.reset();
  status.run->done = report.applied_this_run;
  status.run->phase = report.succeeded ? "Succeeded" : "Failed";
  const HistoryNews news = AbsorbFacts(status, report, observed.run->resolved, events);
  const Verdict verdict = report.succeeded ? Succeed(status, news, now)
                                           : FailedRun(status, observed, cancelled, now).Judge();
  TellVerdict(before, verdict, report.applied_this_run > 0, events);
  SetConditions(status, verdict, observed.run->state.generation, now);
}

}  // namespace whimbrel::controller
