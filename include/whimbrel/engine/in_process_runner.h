#pragma once

#include <memory>

#include "whimbrel/base/backoff.h"
#include "whimbrel/base/clock.h"
#include "whimbrel/report/runner.h"

namespace whimbrel::engine {

struct InProcessRunnerOptions {
  /// Runs that may hold their lock and execute SQL at once; waiting takes no slot.
  int max_concurrent_migrations = 4;
};

/// Carries out each run on a thread of its own. The destructor cancels every run and waits until it
/// has rolled back. Thread-safe.
[[nodiscard]] std::unique_ptr<report::Runner> NewInProcessRunner(
    InProcessRunnerOptions options, const Clock& clock = Clock::System(),
    Random& random = Random::System());

/// Carries out one run on the calling thread, for commands that do nothing else.
[[nodiscard]] report::RunReport RunNow(const report::RunRequest& request, std::stop_token stop,
                                       const std::function<void(const report::Progress&)>& publish,
                                       const Clock& clock = Clock::System(),
                                       Random& random = Random::System());

}  // namespace whimbrel::engine
