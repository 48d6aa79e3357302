#include "engine/retry_policy.h"

#include <algorithm>

#include "whimbrel/postgres/sqlstate.h"

namespace whimbrel::engine {

namespace {

/// How often a plan may be overtaken by others before the run gives way to the next attempt.
constexpr int kMaxPlansAnew = 20;
/// A waiting lock request makes others wait behind it: with pauses of nine times its length, others
/// are held up for a tenth of the time at most (reference/reliability.md §3).
constexpr int kLockPauseFactor = 9;

}  // namespace

std::optional<RetryPolicy::Retry> RetryPolicy::Decide(const RunFailure& failure, SteadyTime now) {
  if (failure.plan_anew) {
    if (++retries_["plan anew"] > kMaxPlansAnew) return std::nullopt;
    return Retry{};
  }
  if (!failure.transient || failure.uncounted || !failure.cause) return std::nullopt;
  const postgres::PgError& cause = *failure.cause;
  if (cause.interruption != postgres::Interruption::kNone) return std::nullopt;

  const postgres::SqlStateRule& rule = postgres::FindRule(cause);
  const bool reconnect = rule.reconnect || !cause.connection_usable;
  const int tries = retries_[std::string(rule.pattern)]++;
  if (cause.sql_state == postgres::kLockNotAvailable) {
    if (!lock_missed_) lock_missed_ = now;
    const Duration budget = failure.lock_budget ? Duration(*failure.lock_budget) : lock_budget_;
    if (now - *lock_missed_ >= budget) return std::nullopt;
    const auto pause = lock_timeout_ * kLockPauseFactor;
    return Retry{.wait = pause + Backoff{pause, pause}.FullJitter(0, random_),
                 .reconnect = reconnect};
  }
  // After a lost answer to COMMIT the ledger says what happened: looking is always allowed once.
  const int limit = cause.outcome_unknown ? std::max(rule.max_retries, 1) : rule.max_retries;
  if (tries >= limit) return std::nullopt;
  const Backoff backoff{std::chrono::milliseconds(rule.initial_ms),
                        std::chrono::milliseconds(rule.max_ms)};
  return Retry{.wait = backoff.FullJitter(tries, random_), .reconnect = reconnect};
}

}  // namespace whimbrel::engine
