#include "whimbrel/report/reason.h"

#include <array>

namespace whimbrel::report {
namespace {

struct Row {
  Reason reason;
  std::string_view name;
  ReasonClass reason_class;
};

using enum ReasonClass;

// In the order of the enum. `DeadlineExceeded` waits as what files cause does: a run that was too
// long for its deadline would be too long again (design §3, Errors).
constexpr std::array kRows = {
    Row{Reason::kUpToDate, "UpToDate", kReady},
    Row{Reason::kInitializing, "Initializing", kReconciling},
    Row{Reason::kSuspended, "Suspended", kReconciling},
    Row{Reason::kSourceNotFound, "SourceNotFound", kReconciling},
    Row{Reason::kSourceDigestMismatch, "SourceDigestMismatch", kReconciling},
    Row{Reason::kSecretNotFound, "SecretNotFound", kReconciling},
    Row{Reason::kWaitingForDatabase, "WaitingForDatabase", kReconciling},
    Row{Reason::kWaitingForLock, "WaitingForLock", kReconciling},
    Row{Reason::kMigrating, "Migrating", kReconciling},
    Row{Reason::kRetrying, "Retrying", kReconciling},
    // The pod of a run cannot start yet: the cluster goes on trying by itself.
    Row{Reason::kJobPending, "JobPending", kReconciling},
    // The end of a run was not seen: the database is read again.
    Row{Reason::kRunnerLost, "RunnerLost", kReconciling},
    Row{Reason::kCancelled, "Cancelled", kReconciling},
    Row{Reason::kInvalidSpec, "InvalidSpec", kStalledByFiles},
    Row{Reason::kInvalidSource, "InvalidSource", kStalledByFiles},
    // The next attempt reads the source anew.
    Row{Reason::kSourceChanged, "SourceChanged", kStalledOutside},
    Row{Reason::kChecksumMismatch, "ChecksumMismatch", kStalledByFiles},
    Row{Reason::kOutOfOrder, "OutOfOrder", kStalledByFiles},
    Row{Reason::kMigrationFailed, "MigrationFailed", kStalledByFiles},
    Row{Reason::kPartiallyApplied, "PartiallyApplied", kStalledByFiles},
    Row{Reason::kDeadlineExceeded, "DeadlineExceeded", kStalledByFiles},
    Row{Reason::kRetryLimitExceeded, "RetryLimitExceeded", kStalledOutside},
    Row{Reason::kAuthenticationFailed, "AuthenticationFailed", kStalledOutside},
    Row{Reason::kDatabaseMissing, "DatabaseMissing", kStalledOutside},
    Row{Reason::kPermissionDenied, "PermissionDenied", kStalledOutside},
    Row{Reason::kReadOnlyDatabase, "ReadOnlyDatabase", kStalledOutside},
    Row{Reason::kHistoryConflict, "HistoryConflict", kStalledByFiles},
    Row{Reason::kHistoryRegressed, "HistoryRegressed", kStalledByFiles},
    Row{Reason::kRollbackForbidden, "RollbackForbidden", kStalledByFiles},
    Row{Reason::kImagePullFailed, "ImagePullFailed", kStalledOutside},
    // The API server or an admission webhook refused the Job.
    Row{Reason::kJobRejected, "JobRejected", kStalledOutside},
    Row{Reason::kInternalError, "InternalError", kStalledOutside},
};

constexpr bool IsInOrder() {
  for (std::size_t i = 0; i < kRows.size(); ++i) {
    if (kRows[i].reason != static_cast<Reason>(i)) return false;
  }
  return kRows.back().reason == Reason::kInternalError;
}
static_assert(IsInOrder());

const Row& RowOf(Reason reason) { return kRows.at(static_cast<std::size_t>(reason)); }

}  // namespace

std::string_view ToString(Reason reason) { return RowOf(reason).name; }

std::optional<Reason> ParseReason(std::string_view text) {
  for (const Row& row : kRows) {
    if (row.name == text) return row.reason;
  }
  return std::nullopt;
}

ReasonClass ClassOf(Reason reason) { return RowOf(reason).reason_class; }

}  // namespace whimbrel::report
