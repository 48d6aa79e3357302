#pragma once

#include <cstdint>
#include <string>
#include <string_view>

namespace whimbrel::report {

/// What a run is doing now. A snapshot.
struct Progress {
  enum class Phase {
    kStarting,
    kConnecting,
    kWaitingForDatabase,
    kWaitingForLock,
    kWaitingForSlot,
    kPlanning,
    kMigrating,
    kRetrying,
    kDone,
  };
  Phase phase = Phase::kStarting;
  std::string detail;           ///< For people: who holds the lock, why the database is not ready.
  std::string version;          ///< Being applied now.
  std::uint64_t statement = 0;  ///< 1-based, within the file.
  int done = 0;                 ///< Migrations applied by this run.
  int total = 0;                ///< Migrations that this run wants to apply.

  friend bool operator==(const Progress&, const Progress&) = default;
};

/// `WaitingForLock`.
[[nodiscard]] std::string_view ToString(Progress::Phase phase);

}  // namespace whimbrel::report
