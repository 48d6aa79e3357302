#pragma once

#include <string>

#include "engine/progress_reporter.h"
#include "engine/run_failure.h"
#include "engine/slot_pool.h"
#include "whimbrel/base/backoff.h"
#include "whimbrel/base/clock.h"
#include "whimbrel/report/run_request.h"

namespace whimbrel::engine {

/// What the parts of one run share. Lives as long as the run; used by its thread alone, except for
/// the stop token.
struct RunContext {
  const report::RunRequest& request;
  postgres::CallLimits limits;  ///< Deadline of the run and the request to stop.
  const Clock& clock;
  Random& random;
  SlotPool& slots;
  ProgressReporter progress;
  std::vector<report::Notice> notices = {};

  /// Waits; the failure is the limit that ended the waiting.
  RunResult<void> Sleep(Duration duration, const std::string& doing) const {
    const SteadyTime until =
        clock.SteadyNow() + std::chrono::duration_cast<SteadyTime::duration>(duration);
    if (!clock.SleepUntil(std::min(until, limits.deadline), limits.stop)) {
      return tl::make_unexpected(FromInterruption(postgres::Interruption::kStopRequested, doing));
    }
    if (clock.SteadyNow() >= limits.deadline) {
      return tl::make_unexpected(FromInterruption(postgres::Interruption::kDeadlineReached, doing));
    }
    return {};
  }
};

}  // namespace whimbrel::engine
