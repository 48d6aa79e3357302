#pragma once

#include <chrono>
#include <optional>
#include <string>

#include "whimbrel/base/error.h"
#include "whimbrel/postgres/connection.h"
#include "whimbrel/postgres/error.h"
#include "whimbrel/report/run_report.h"

namespace whimbrel::engine {

/// Why a run could not go on, and what may be done about it.
struct RunFailure {
  report::Failure failure;
  /// The database's word, where it had one: it decides whether this run tries again, and how.
  std::optional<postgres::PgError> cause = std::nullopt;
  /// Somebody else wrote the history in the meantime: read it again and plan anew, at once.
  bool plan_anew = false;
  bool transient = false;  ///< A later attempt may succeed although nobody changed anything.
  /// What a directive of the file says instead of execution.lockBudgetSeconds.
  std::optional<std::chrono::seconds> lock_budget = std::nullopt;
  bool uncounted = false;  ///< It does not count against execution.retry.limit.
};

template <class T>
using RunResult = Result<T, RunFailure>;

/// What is said of an error of our own bookkeeping or of the connection. `doing` is what we were
/// at: `reading the history`.
[[nodiscard]] RunFailure FromPgError(const postgres::PgError& error, const std::string& doing);
/// What is said of an error of a user's file.
[[nodiscard]] RunFailure FromStreamError(const postgres::StreamError& error,
                                         const std::string& version);
/// What is said of an error of the source.
[[nodiscard]] RunFailure FromSourceError(const Error& error, const std::string& version);
[[nodiscard]] RunFailure FromFailure(report::Failure failure);
/// Our own limits: deadline or a request to stop. `aftermath`: what became of the work.
[[nodiscard]] RunFailure FromInterruption(
    postgres::Interruption interruption, const std::string& doing,
    const std::string& aftermath = "what was under way was rolled back");

/// A failure after which this run tries no more: a lock that was not free within
/// execution.lockBudgetSeconds is waiting, and counts as little as the wait for our own lock does.
[[nodiscard]] RunFailure GaveUp(RunFailure failure);

template <class T>
RunResult<T> OrFail(postgres::PgResult<T> result, const std::string& doing) {
  return std::move(result).map_error(
      [&](const postgres::PgError& error) { return FromPgError(error, doing); });
}

}  // namespace whimbrel::engine
