#pragma once

#include <algorithm>
#include <chrono>
#include <string>
#include <utility>
#include <vector>

#include "engine/progress_reporter.h"
#include "engine/run_failure.h"
#include "engine/slot_pool.h"
#include "whimbrel/base/backoff.h"
#include "whimbrel/base/clock.h"
#include "whimbrel/report/run_request.h"

namespace whimbrel::engine {

/// How long things may take before somebody looks, asks or acts. Only tests have others.
struct Pace {
  /// How long a call may last before a second session looks what it waits for; a shorter
  /// execution.lockTimeout shortens it.
  Duration first_look = std::chrono::milliseconds(500);
  Duration look_period = std::chrono::seconds(1);
  /// Sessions that are quiet for so long are pinged: the server ends them after 60 s.
  Duration ping = std::chrono::seconds(20);
  /// A call that has not ended so long after the run was stopped, or its deadline reached, is ended
  /// by the server: its thread may be stuck in a source that blocks. Longer than the grace that
  /// postgres::Connection gives a statement to end.
  Duration end_stuck_call = std::chrono::seconds(6);
  /// A run that holds our lock and did nothing for `frozen_quiet` is ended by one that has waited
  /// for `frozen_waited` (FrozenHolder).
  Duration frozen_waited = std::chrono::seconds(90);
  Duration frozen_quiet = std::chrono::seconds(60);
};

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
  Pace pace = {};
  Duration lock_wait{0};  ///< For the migration lock, so far.

  /// A fact for the report; the same one only once.
  void Note(report::Notice notice) {
    if (std::ranges::find(notices, notice) == notices.end()) notices.push_back(std::move(notice));
  }

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
