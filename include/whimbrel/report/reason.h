#pragma once

#include <optional>
#include <string_view>

namespace whimbrel::report {

/// Why a resource is in the state it is in: the `reason` of its conditions, a stable API
/// (reference/ecosystem.md §3.4). To add one: a line here, and a row in reason.cc.
enum class Reason {
  // Ready.
  kUpToDate,
  // Reconciling: work or waiting goes on, nobody need act.
  kInitializing,
  kSuspended,
  kSourceNotFound,
  kSourceDigestMismatch,
  kSecretNotFound,
  kWaitingForDatabase,
  kWaitingForLock,
  kMigrating,
  kRetrying,
  kJobPending,
  kRunnerLost,
  kCancelled,
  // Stalled: a human must act.
  kInvalidSpec,
  kInvalidSource,
  kSourceChanged,
  kChecksumMismatch,
  kOutOfOrder,
  kMigrationFailed,
  kPartiallyApplied,
  kDeadlineExceeded,
  kRetryLimitExceeded,
  kAuthenticationFailed,
  kDatabaseMissing,
  kPermissionDenied,
  kReadOnlyDatabase,
  kHistoryConflict,
  kHistoryRegressed,
  kRollbackForbidden,
  kImagePullFailed,
  kJobRejected,
  kInternalError,
};

/// What a reason says about the three conditions and about trying again (design §5).
enum class ReasonClass {
  kReady,
  kReconciling,
  kStalledByFiles,  ///< Caused by what the user wrote: waits for an edit.
  kStalledOutside,  ///< An outside cause: tried again every resync, heals itself.
};

[[nodiscard]] std::string_view ToString(Reason reason);
[[nodiscard]] std::optional<Reason> ParseReason(std::string_view text);
[[nodiscard]] ReasonClass ClassOf(Reason reason);

}  // namespace whimbrel::report
