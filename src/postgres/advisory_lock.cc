#include "whimbrel/postgres/advisory_lock.h"

#include <cmath>
#include <cstdlib>

#include "postgres/holder_rows.h"

namespace whimbrel::postgres {
namespace {

constexpr int kVersion14 = 140000;
constexpr const char* kCopiedBytes =
    ", (SELECT c.bytes_processed FROM pg_catalog.pg_stat_progress_copy c WHERE c.pid = l.pid)";

PgResult<bool> CallOnKey(Connection& connection, std::string_view sql, std::int64_t key) {
  const std::string text = std::to_string(key);
  const auto rows = connection.Query(sql, {text});
  if (!rows) return tl::make_unexpected(rows.error());
  return TextAt(*rows, 0, 0) == "t";
}

double Seconds(const std::string& text) {
  // Every process of ours runs in the C locale, as the server writes numbers.
  return text.empty() ? 0 : std::strtod(text.c_str(), nullptr);
}

}  // namespace

std::string LockHolder::ToString() const {
  if (pid == 0) return "a prepared transaction (see pg_prepared_xacts)";
  std::string text = "pid " + std::to_string(pid) + " (";
  text += application_name.empty() ? "unnamed" : application_name;
  if (!state.empty()) {
    text += ", " + state + " for " + std::to_string(std::llround(idle_seconds)) + " s";
  }
  return text + ')';
}

LockHolder HolderAt(const Rows& rows, std::size_t row) {
  return {.pid = static_cast<int>(IntegerAt(rows, row, 0)),
          .backend_start = TextAt(rows, row, 1),
          .application_name = TextAt(rows, row, 2),
          .state = TextAt(rows, row, 3),
          .wait_event = TextAt(rows, row, 4),
          .idle_seconds = Seconds(TextAt(rows, row, 5)),
          .age_seconds = Seconds(TextAt(rows, row, 6))};
}

PgResult<bool> TryAdvisoryLock(Connection& connection, std::int64_t key) {
  return CallOnKey(connection, "SELECT pg_catalog.pg_try_advisory_lock($1::pg_catalog.int8)", key);
}

PgResult<bool> AdvisoryUnlock(Connection& connection, std::int64_t key) {
  return CallOnKey(connection, "SELECT pg_catalog.pg_advisory_unlock($1::pg_catalog.int8)", key);
}

PgResult<std::optional<LockHolder>> FindLockHolder(Connection& connection, std::int64_t key) {
  // pg_locks shows a bigint key as its two halves with objsubid 1 (lockfuncs.c).
  const std::string sql =
      "SELECT l.pid, " + std::string(kHolderColumns) +
      (connection.server_version() >= kVersion14 ? kCopiedBytes : "") +
      " FROM pg_catalog.pg_locks l LEFT JOIN pg_catalog.pg_stat_activity a ON a.pid = l.pid "
      "WHERE l.locktype = 'advisory' AND l.granted AND l.objsubid = 1 "
      "AND (l.classid::pg_catalog.int8 << 32) | l.objid::pg_catalog.int8 = $1::pg_catalog.int8 "
      "AND l.database = (SELECT oid FROM pg_catalog.pg_database "
      "WHERE datname = pg_catalog.current_database()) LIMIT 1";
  const std::string text = std::to_string(key);
  const auto rows = connection.Query(sql, {text});
  if (!rows) return tl::make_unexpected(rows.error());
  if (rows->empty()) return std::nullopt;
  LockHolder holder = HolderAt(*rows, 0);
  if (!TextAt(*rows, 0, 7).empty()) holder.copied_bytes = IntegerAt(*rows, 0, 7);
  return holder;
}

PgResult<std::uint64_t> TerminateSessions(Connection& connection, std::string_view prefix,
                                          const LockHolder& holder) {
  // pg_stat_activity is read once, when the statement begins: each signal follows at once.
  constexpr std::string_view kSql =
      "SELECT pg_catalog.pg_terminate_backend(a.pid) FROM pg_catalog.pg_stat_activity a "
      "WHERE a.datname = pg_catalog.current_database() AND a.backend_start IS NOT NULL "
      "AND a.pid <> pg_catalog.pg_backend_pid() "
      "AND pg_catalog.starts_with(a.application_name, $1) "
      "AND EXISTS (SELECT FROM pg_catalog.pg_stat_activity h "
      "WHERE h.pid = $2::pg_catalog.int4 AND h.application_name = $3 "
      "AND (extract(epoch FROM h.backend_start) * 1000000)::pg_catalog.int8 = "
      "$4::pg_catalog.int8)";
  const std::string pid = std::to_string(holder.pid);
  const auto rows =
      connection.Query(kSql, {prefix, pid, holder.application_name, holder.backend_start});
  if (!rows) return tl::make_unexpected(rows.error());
  return rows->size();
}

}  // namespace whimbrel::postgres
