#pragma once

#include <functional>
#include <optional>
#include <stop_token>

#include "whimbrel/base/clock.h"
#include "whimbrel/postgres/connection.h"

namespace whimbrel::postgres {

/// Why a wait for a socket ended.
enum class Wake {
  kReady,    ///< The socket is ready, or it failed: libpq will say.
  kStop,     ///< A stop was requested.
  kLimit,    ///< The deadline of the limits has passed.
  kTimeout,  ///< The deadline of this wait has passed.
};

/// Waits for a socket under CallLimits. A requested stop ends the wait at once: its callback makes
/// an event descriptor readable that every wait polls too. Not thread-safe but for the stop.
class Interrupt {
 public:
  Interrupt();
  ~Interrupt();
  Interrupt(const Interrupt&) = delete;
  Interrupt& operator=(const Interrupt&) = delete;

  /// False when the system had no descriptor left; nothing else may be called then.
  [[nodiscard]] bool valid() const { return event_ >= 0; }
  void SetLimits(CallLimits limits);
  [[nodiscard]] const CallLimits& limits() const { return limits_; }
  /// The limit that has been reached by now.
  [[nodiscard]] Interruption Reached() const;
  /// Waits for `events` (poll(2)) on `socket`.
  [[nodiscard]] Wake Wait(int socket, short events, SteadyTime deadline = SteadyTime::max()) const;

 private:
  CallLimits limits_;
  int event_ = -1;
  std::optional<std::stop_callback<std::function<void()>>> on_stop_;
};

/// Waits without regard to any limits; kReady or kTimeout.
[[nodiscard]] Wake WaitForSocket(int socket, short events, SteadyTime deadline);

}  // namespace whimbrel::postgres
