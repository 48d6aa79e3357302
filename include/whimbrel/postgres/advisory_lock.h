#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "whimbrel/postgres/connection.h"

namespace whimbrel::postgres {

/// Who holds an advisory lock, as far as our role may see it. Never the query's text.
struct LockHolder {
  int pid = 0;
  /// Microseconds since 1970, in decimal: identifies the backend together with the pid. Empty where
  /// the role may not see it.
  std::string backend_start;
  std::string application_name;
  std::string state;  ///< pg_stat_activity.state; empty where the role may not see it.
  std::string wait_event;
  double idle_seconds = 0;  ///< Since its last change of state.
  double age_seconds = 0;   ///< Since the session began.
  /// By a COPY that is under way, where the server tells (PostgreSQL 14 on; FindLockHolder only).
  std::optional<std::int64_t> copied_bytes = std::nullopt;

  /// `pid 4711 (whimbrel/0a1b2c3d/shop/orders, idle for 12 s)`.
  [[nodiscard]] std::string ToString() const;
};

/// Never waits inside the server: a waiter holds a virtual transaction id, for which CREATE INDEX
/// CONCURRENTLY of the holder waits (reference/reliability.md §0.3). True when this session now
/// holds the lock.
PgResult<bool> TryAdvisoryLock(Connection& connection, std::int64_t key);
/// Session-level locks are counted; releases one. False when it was not held.
PgResult<bool> AdvisoryUnlock(Connection& connection, std::int64_t key);
/// The session that holds the lock of `key` in this database.
PgResult<std::optional<LockHolder>> FindLockHolder(Connection& connection, std::int64_t key);
/// Ends every other session of this database whose application_name begins with `prefix`, provided
/// that the one of `holder` is still there under its name: process ids are used again. How many; an
/// error where our role may not.
PgResult<std::uint64_t> TerminateSessions(Connection& connection, std::string_view prefix,
                                          const LockHolder& holder);

}  // namespace whimbrel::postgres
