#pragma once

#include <cstdint>
#include <nlohmann/json_fwd.hpp>
#include <optional>
#include <string>
#include <string_view>

#include "whimbrel/base/error.h"

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
  std::string detail;            ///< For people: who holds the lock, why the database is not ready.
  std::string version;           ///< Being applied now.
  std::string path = {};         ///< Its file, within the source.
  std::uint64_t statement = 0;   ///< 1-based, within the file.
  std::uint64_t statements = 0;  ///< Of the file.
  int line = 0;                  ///< In the file, where the statement begins.
  std::uint64_t copied_bytes = 0;  ///< COPY data sent for this statement, so far.
  std::string activity = {};       ///< What the server says it is doing: `building index, 43 %`.
  int done = 0;                    ///< Migrations applied by this run.
  int total = 0;                   ///< Migrations that this run wants to apply.

  friend bool operator==(const Progress&, const Progress&) = default;
};

/// `WaitingForLock`.
[[nodiscard]] std::string_view ToString(Progress::Phase phase);
[[nodiscard]] std::optional<Progress::Phase> ParsePhase(std::string_view text);

/// One line of `-o json` and of the log of a runner's pod while a run goes on: `"type":
/// "progress"`, the phase, and of the rest what is known. Counts of `done` and `total` are there as
/// soon as there is something to apply.
[[nodiscard]] nlohmann::json ToJson(const Progress& progress);
/// kInvalidArgument: no progress (another type of line), an unknown phase, a field of the wrong
/// type. What is not there was not known; unknown fields are ignored.
[[nodiscard]] Result<Progress> ProgressFromJson(const nlohmann::json& json);

}  // namespace whimbrel::report
