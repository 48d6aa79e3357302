#pragma once

#include <chrono>
#include <optional>

#include "controller/conditions.h"
#include "controller/observed.h"

namespace whimbrel::controller {

/// What an obstacle means for status, and when to look again; absent: its end will be seen.
struct Obstruction {
  Verdict verdict;
  std::optional<FailureStatus> failure;
  std::optional<Duration> look_again;
};

/// `status` is the one before: whoever waits for the same thing goes on waiting since then.
[[nodiscard]] Obstruction JudgeObstacle(const Obstacle& obstacle, const Status& status,
                                        std::chrono::seconds source_timeout, SystemTime now);

}  // namespace whimbrel::controller
