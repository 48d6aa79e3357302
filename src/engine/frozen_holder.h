#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "engine/run_context.h"
#include "whimbrel/base/clock.h"
#include "whimbrel/postgres/advisory_lock.h"

namespace whimbrel::engine {

/// Tells a predecessor that is frozen (its process stopped, its machine gone without a word) from
/// one that works, by what the server says of its session again and again (design §3, Session): of
/// ours by its name, and quiet for Pace::frozen_quiet. A live run pings its sessions every 20 s,
/// so idleness proves itself. A COPY waits for its client for moments all the time: only a series
/// of looks that all found it waiting, without a byte in between where the server counts them
/// (PostgreSQL 14 on), is one that nobody feeds any more. Pure.
class FrozenHolder {
 public:
  FrozenHolder(const Pace& pace, SteadyTime waiting_since)
      : pace_(pace), waiting_since_(waiting_since) {}

  /// One look at who holds the lock. True: end its run now; again only after another
  /// Pace::frozen_quiet, in case that had no effect.
  [[nodiscard]] bool Observe(const postgres::LockHolder& holder, SteadyTime now);

 private:
  struct Series {
    int pid = 0;
    std::string backend_start;
    std::string state;
    std::optional<std::int64_t> copied_bytes;
    SteadyTime state_began;
    SteadyTime quiet_since;
    SteadyTime last_look;
  };

  void Continue(const postgres::LockHolder& holder, SteadyTime now);

  Pace pace_;
  SteadyTime waiting_since_;
  std::optional<Series> series_;
  std::optional<SteadyTime> ended_;
};

/// The run of a session that is named `whimbrel/<run8>/…`; empty for all others.
[[nodiscard]] std::string_view RunOf(std::string_view application_name);

}  // namespace whimbrel::engine
