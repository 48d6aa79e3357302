#include "controller/progress.h"

#include <optional>

#include "controller/conditions.h"
#include "controller/status_limits.h"
#include "whimbrel/base/redact.h"

namespace whimbrel::controller {
namespace {

using report::Progress;
using report::Reason;

std::optional<Reason> ReasonOf(Progress::Phase phase) {
  switch (phase) {
    case Progress::Phase::kWaitingForDatabase:
      return Reason::kWaitingForDatabase;
    case Progress::Phase::kWaitingForLock:
      return Reason::kWaitingForLock;
    case Progress::Phase::kMigrating:
      return Reason::kMigrating;
    default:
      return std::nullopt;
  }
}

std::string Describe(const Progress& progress) {
  if (progress.phase != Progress::Phase::kMigrating) return progress.detail;
  std::string text = "applying " + progress.version + " (" + std::to_string(progress.done + 1) +
                     " of " + std::to_string(progress.total) + ")";
  return progress.detail.empty() ? text : text + ": " + progress.detail;
}

}  // namespace

void ShowProgress(Status& status, const RunState& run, const Progress& progress, SystemTime now) {
  status.run = run;
  status.run->phase = std::string(ToString(progress.phase));
  status.run->detail = TruncateUtf8(Redact(progress.detail), kMaxDetailBytes);
  status.run->current_version = TruncateUtf8(progress.version, kMaxVersionBytes);
  status.run->file = TruncateUtf8(progress.path, kMaxFileBytes);
  status.run->statement = static_cast<std::int64_t>(progress.statement);
  status.run->statements = static_cast<std::int64_t>(progress.statements);
  status.run->line = progress.line;
  status.run->copied_bytes = static_cast<std::int64_t>(progress.copied_bytes);
  status.run->activity = TruncateUtf8(Redact(progress.activity), kMaxDetailBytes);
  status.run->done = progress.done;
  status.run->total = progress.total;
  const std::optional<Reason> reason = ReasonOf(progress.phase);
  if (!reason) return;
  // Stalled ends when something was applied or the run has ended well, not because somebody waits.
  if (status.IsTrue("Stalled") && *reason != Reason::kMigrating) return;
  SetConditions(status, {Health::kReconciling, *reason, Redact(Describe(progress))}, run.generation,
                now);
}

}  // namespace whimbrel::controller
