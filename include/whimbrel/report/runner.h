#pragma once

#include <functional>
#include <optional>
#include <string>
#include <string_view>

#include "whimbrel/base/error.h"
#include "whimbrel/report/progress.h"
#include "whimbrel/report/run_report.h"
#include "whimbrel/report/run_request.h"

namespace whimbrel::report {

struct RunStatus {
  Progress progress;
  std::optional<RunReport> report;  ///< Set once the run has ended.
};

/// Carries out runs somewhere else: on a thread of this process (engine::InProcessRunner), later in
/// a Job. Nothing here blocks on a database. Thread-safe.
class Runner {
 public:
  /// Called, from a thread of the runner, when a run's phase changed or it ended. It must return at
  /// once; it may call Observe.
  using Listener = std::function<void(const std::string& run_id)>;

  virtual ~Runner() = default;
  /// Begins a run; ErrorKind::kAlreadyExists when that run_id is known.
  virtual Result<void> Start(RunRequest request) = 0;
  /// nullopt: unknown here (never started, forgotten, or lost with an earlier process): look at the
  /// database by a new run.
  [[nodiscard]] virtual std::optional<RunStatus> Observe(std::string_view run_id) const = 0;
  /// Asks it to stop: the statement is cancelled in the server, the transaction rolled back; ends
  /// with Reason::kCancelled. Idempotent.
  virtual void Cancel(std::string_view run_id) = 0;
  /// Drops the report of an ended run. A run that has not ended is cancelled and dropped when it
  /// has.
  virtual void Forget(std::string_view run_id) = 0;
  virtual void SetListener(Listener listener) = 0;
};

}  // namespace whimbrel::report
