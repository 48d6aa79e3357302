#pragma once

#include <functional>
#include <iosfwd>
#include <stop_token>
#include <string>

#include "whimbrel/base/backoff.h"
#include "whimbrel/base/clock.h"
#include "whimbrel/cli/exit_code.h"

namespace whimbrel::cli {

/// What one look at the database or the resource found.
struct Sighting {
  enum class State {
    kReady,
    kNotYet,   ///< Looking again may help.
    kStalled,  ///< A migration needs a person.
    kUsage,    ///< What was asked for cannot be seen like this: a person must change the input.
  };
  State state = State::kNotYet;
  std::string text;  ///< A line for people, without secrets.
};

/// Looks once; it comes back soon after `deadline`, and at once when a stop is requested.
using LookFunction = std::function<Sighting(SteadyTime deadline, const std::stop_token& stop)>;

struct WaitPace {
  Duration timeout;
  Backoff backoff;  ///< Between two looks; half of it is left to chance.
  const Clock& clock = Clock::System();
  Random& random = Random::System();
};

/// Looks until there is nothing more to wait for. What is seen is printed to `out` whenever it is
/// not what was seen before, and why it is not ready in the end to `err`.
[[nodiscard]] ExitCode WaitUntilReady(const LookFunction& look, const WaitPace& pace,
                                      const std::stop_token& stop, std::ostream& out,
                                      std::ostream& err);

}  // namespace whimbrel::cli
