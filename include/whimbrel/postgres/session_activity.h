#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "whimbrel/postgres/advisory_lock.h"
#include "whimbrel/postgres/connection.h"

namespace whimbrel::postgres {

/// A row of one of the views pg_stat_progress_*; what a view does not have is 0.
struct CommandProgress {
  std::string command;  ///< `CREATE INDEX`, `REINDEX CONCURRENTLY`, `VACUUM`, `COPY FROM`, …
  std::string phase;    ///< In the server's words; empty for COPY.
  std::int64_t blocks_done = 0;
  std::int64_t blocks_total = 0;
  std::int64_t tuples_done = 0;
  std::int64_t tuples_total = 0;
  std::int64_t lockers_done = 0;  ///< Sessions that it has waited for.
  std::int64_t lockers_total = 0;
  std::int64_t bytes_done = 0;
  std::int64_t bytes_total = 0;  ///< 0 where the data comes from the client.

  /// `building index: scanning table, 43 %`, `copying: 12 MiB, 40000 rows`.
  [[nodiscard]] std::string ToString() const;
};

/// What another session of this server is doing, as far as our role may see it.
struct SessionActivity {
  /// Sessions that hold a lock for which it waits (pg_blocking_pids); empty: it waits for none.
  std::vector<LockHolder> blockers;
  std::optional<CommandProgress> progress;
};

/// Looks at the session of `pid` from `connection`. One message; two where it waits for a lock.
PgResult<SessionActivity> ReadActivity(Connection& connection, int pid);

/// Has the server end the session of `pid`, provided that its application_name begins with
/// `prefix`: after a failover, or behind a pooler, somebody else's may have that process id.
PgResult<void> TerminateSession(Connection& connection, int pid, std::string_view prefix);

/// `pid 4711 (psql, idle in transaction for 12 s)`; of many, the first three and how many more.
[[nodiscard]] std::string ToString(const std::vector<LockHolder>& holders);

}  // namespace whimbrel::postgres
