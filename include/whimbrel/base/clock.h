#pragma once

#include <chrono>
#include <stop_token>
#include <string>
#include <string_view>

#include "whimbrel/base/error.h"

namespace whimbrel {

using SteadyTime = std::chrono::steady_clock::time_point;
using SystemTime = std::chrono::system_clock::time_point;
using Duration = std::chrono::nanoseconds;

/// The seam through which time enters. Decisions use SteadyNow; SystemNow is only for what people
/// and other systems read (status times, log lines). Thread-safe.
class Clock {
 public:
  virtual ~Clock() = default;
  [[nodiscard]] virtual SteadyTime SteadyNow() const = 0;
  [[nodiscard]] virtual SystemTime SystemNow() const = 0;
  /// Waits until `deadline` or until a stop is requested, whichever comes first; false as soon as a
  /// stop was requested (even when the deadline has passed too, so that a loop over it ends).
  virtual bool SleepUntil(SteadyTime deadline, std::stop_token stop) const = 0;

  /// SleepUntil with a deadline `duration` from now; a duration too long for the clock waits for
  /// the stop alone.
  bool SleepFor(Duration duration, std::stop_token stop) const;

  /// The clock of the machine.
  static const Clock& System();
};

/// RFC 3339 in UTC with whole seconds (`2026-11-21T10:12:13Z`), as metav1.Time is written.
[[nodiscard]] std::string FormatRfc3339(SystemTime time);
/// RFC 3339 in UTC with microseconds, as metav1.MicroTime is written.
[[nodiscard]] std::string FormatRfc3339Micro(SystemTime time);
/// Reads RFC 3339 with any offset and any fraction of a second.
[[nodiscard]] Result<SystemTime> ParseRfc3339(std::string_view text);

}  // namespace whimbrel
