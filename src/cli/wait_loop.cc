#include "cli/wait_loop.h"

#include <algorithm>
#include <ostream>

namespace whimbrel::cli {
namespace {

using State = Sighting::State;

/// What the last look, at the end of all patience, has for itself.
constexpr std::chrono::seconds kLastLook{2};

ExitCode Finish(const Sighting& sighting, std::ostream& out, std::ostream& err) {
  switch (sighting.state) {
    case State::kReady:
      out << "ready: " << sighting.text << std::endl;
      return ExitCode::kReady;
    case State::kStalled:
      err << "whimbrel wait: stalled: " << sighting.text << "\n";
      return ExitCode::kStalled;
    default:
      err << "whimbrel wait: " << sighting.text << "\n";
      return ExitCode::kUsage;
  }
}

}  // namespace

ExitCode WaitUntilReady(const LookFunction& look, const WaitPace& pace, const std::stop_token& stop,
                        std::ostream& out, std::ostream& err) {
  const SteadyTime deadline = pace.clock.SteadyNow() + pace.timeout;
  std::string seen;
  for (int looks = 0;; ++looks) {
    const Sighting sighting = look(std::max(deadline, pace.clock.SteadyNow() + kLastLook), stop);
    if (sighting.state != State::kNotYet) return Finish(sighting, out, err);
    if (stop.stop_requested()) break;
    if (sighting.text != seen) out << "waiting: " << sighting.text << std::endl;
    seen = sighting.text;
    const SteadyTime now = pace.clock.SteadyNow();
    if (now >= deadline) {
      err << "whimbrel wait: not ready within "
          << std::chrono::duration_cast<std::chrono::seconds>(pace.timeout).count()
          << " s: " << seen << "\n";
      return ExitCode::kRetryable;
    }
    const Duration pause =
        pace.backoff.Ceiling(looks) / 2 + pace.backoff.FullJitter(looks, pace.random) / 2;
    // The last look is at the deadline.
    if (!pace.clock.SleepUntil(std::min(now + pause, deadline), stop)) break;
  }
  err << "whimbrel wait: stopped before it was ready" << (seen.empty() ? "" : ": ") << seen << "\n";
  return ExitCode::kRetryable;
}

}  // namespace whimbrel::cli
