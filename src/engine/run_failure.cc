#include "engine/run_failure.h"

#include <utility>

#include "whimbrel/base/redact.h"
#include "whimbrel/postgres/sqlstate.h"

namespace whimbrel::engine {

using postgres::Interruption;
using postgres::PgError;
using postgres::Verdict;
using report::Reason;

namespace {

constexpr std::size_t kMaxMessageBytes = 1024;

/// An outside cause that has a reason of its own, wherever the error arose; else `fallback`.
Reason ReasonOf(const PgError& error, Reason fallback) {
  const std::string& state = error.sql_state;
  if (state == postgres::kInvalidPassword || state == postgres::kInvalidAuthorization)
    return Reason::kAuthenticationFailed;
  if (state == postgres::kInvalidCatalogName && error.connecting) return Reason::kDatabaseMissing;
  if (state == postgres::kInsufficientPrivilege) return Reason::kPermissionDenied;
  return fallback;
}

RunFailure Describe(const PgError& error, Reason fallback) {
  RunFailure out;
  out.failure.reason = ReasonOf(error, fallback);
  out.failure.sql_state = error.sql_state;
  out.failure.hint = error.hint;
  if (out.failure.hint.empty()) out.failure.hint = std::string(postgres::FindRule(error).advice);
  if (out.failure.hint.empty() && out.failure.reason == Reason::kPermissionDenied) {
    out.failure.hint =
        "let an administrator GRANT the right that the message names, or set database.role to a "
        "role that has it";
  }
  out.cause = error;
  out.transient = postgres::Judge(error) != Verdict::kPermanent;
  if (out.failure.reason == Reason::kAuthenticationFailed ||
      out.failure.reason == Reason::kDatabaseMissing) {
    // Passwords rotate and databases come later: the controller tries again by rules of its own
    // (design §5).
    out.transient = true;
    out.uncounted = true;
  }
  return out;
}

}  // namespace

RunFailure FromInterruption(Interruption interruption, const std::string& doing,
                            const std::string& aftermath) {
  RunFailure out;
  const bool deadline = interruption == Interruption::kDeadlineReached;
  out.failure.reason = deadline ? Reason::kDeadlineExceeded : Reason::kCancelled;
  out.failure.message = (deadline ? "execution.deadlineSeconds ended the run while "
                                  : "the run was cancelled while ") +
                        doing + "; " + aftermath;
  if (deadline) out.failure.hint = "raise execution.deadlineSeconds, or ask for a retry";
  return out;
}

RunFailure FromPgError(const PgError& error, const std::string& doing) {
  if (error.interruption != Interruption::kNone) {
    RunFailure out = FromInterruption(error.interruption, doing);
    if (error.outcome_unknown) {
      out.failure.message += ", unless the server had committed it already: the next run will see";
    }
    out.cause = error;
    return out;
  }
  RunFailure out = Describe(error, Reason::kInternalError);
  out.failure.message = TruncateUtf8(doing + ": " + error.message, kMaxMessageBytes);
  return out;
}

RunFailure FromStreamError(const postgres::StreamError& error, const std::string& version) {
  if (const auto* own = std::get_if<Error>(&error.cause)) return FromSourceError(*own, version);
  const PgError& cause = std::get<PgError>(error.cause);
  RunFailure out;
  if (cause.interruption != Interruption::kNone) {
    out = FromInterruption(cause.interruption, "applying " + version);
    out.cause = cause;
  } else {
    out = Describe(cause, Reason::kMigrationFailed);
    out.failure.message = TruncateUtf8(cause.message, kMaxMessageBytes);
  }
  out.failure.version = version;
  out.failure.position = error.position;
  return out;
}

RunFailure FromSourceError(const Error& error, const std::string& version) {
  RunFailure out;
  const bool changed = error.kind == ErrorKind::kSourceChanged;
  out.failure.reason = changed ? Reason::kSourceChanged : Reason::kInvalidSource;
  // A folder that is being written to settles; a wrong text does not.
  out.transient = changed || error.kind == ErrorKind::kUnavailable;
  out.failure.version = version;
  out.failure.message = TruncateUtf8(error.message, kMaxMessageBytes);
  if (error.position) out.failure.position = *error.position;
  return out;
}

RunFailure GaveUp(RunFailure failure) {
  if (!failure.transient || !failure.cause ||
      failure.cause->sql_state != postgres::kLockNotAvailable) {
    return failure;
  }
  failure.failure.reason = Reason::kWaitingForLock;
  failure.failure.hint =
      "the lock was not free within execution.lockBudgetSeconds: look in pg_locks who holds it, or "
      "raise the budget";
  failure.uncounted = true;
  return failure;
}

RunFailure FromFailure(report::Failure failure) {
  RunFailure out;
  out.failure = std::move(failure);
  return out;
}

}  // namespace whimbrel::engine
