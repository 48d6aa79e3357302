#include "whimbrel/postgres/session.h"

#include <algorithm>
#include <vector>

#include "postgres/rows_read.h"

namespace whimbrel::postgres {
namespace {

constexpr std::size_t kMaxApplicationName = 63;  // NAMEDATALEN - 1
constexpr std::size_t kMaxNamespace = 24;
constexpr std::size_t kRunPrefix = 8;
constexpr int kVersion14 = 140000;

/// An advisory lock as pg_locks shows it (lockfuncs.c): a bigint key as two halves with objsubid 1,
/// two int keys with objsubid 2.
struct AdvisoryLock {
  std::uint32_t high = 0;
  std::uint32_t low = 0;
  bool two_keys = false;
  bool shared = false;

  [[nodiscard]] bool Is(std::int64_t key) const {
    return !two_keys && !shared &&
           static_cast<std::int64_t>((std::uint64_t{high} << 32U) | low) == key;
  }

  [[nodiscard]] std::string UnlockCall() const {
    const std::string function =
        shared ? "pg_catalog.pg_advisory_unlock_shared" : "pg_catalog.pg_advisory_unlock";
    if (two_keys) {
      return function + "((" + std::to_string(static_cast<std::int32_t>(high)) +
             ")::pg_catalog.int4, (" + std::to_string(static_cast<std::int32_t>(low)) +
             ")::pg_catalog.int4)";
    }
    // As a text, since the most negative bigint is no literal.
    const auto key = static_cast<std::int64_t>((std::uint64_t{high} << 32U) | low);
    return function + "('" + std::to_string(key) + "'::pg_catalog.int8)";
  }
};

std::vector<AdvisoryLock> ReadLocks(const Rows& rows) {
  std::vector<AdvisoryLock> locks;
  for (std::size_t i = 0; i < rows.size(); ++i) {
    locks.push_back({.high = static_cast<std::uint32_t>(IntegerAt(rows, i, 0)),
                     .low = static_cast<std::uint32_t>(IntegerAt(rows, i, 1)),
                     .two_keys = IntegerAt(rows, i, 2) == 2,
                     .shared = TextAt(rows, i, 3) == "ShareLock"});
  }
  return locks;
}

/// A session may hold a lock many times, which pg_locks does not tell: lets go until it is gone.
PgResult<void> Release(Connection& connection, const AdvisoryLock& lock) {
  const std::string call = lock.UnlockCall();
  const auto rows = connection.Execute(
      "WITH RECURSIVE released(yes) AS (SELECT " + call + " UNION ALL SELECT " + call +
      " FROM released WHERE yes) SELECT pg_catalog.count(*) FROM released");
  if (!rows) return tl::make_unexpected(rows.error());
  return {};
}

PgError LockWasReleased() {
  PgError error;
  error.message =
      "the file released the advisory lock of this run; the session is replaced (remove "
      "pg_advisory_unlock_all and DISCARD ALL from the file)";
  return error;
}

std::string Printable(std::string_view text) {
  std::string out(text);
  std::ranges::replace_if(
      out, [](char c) { return c < ' ' || c > '~'; }, '?');
  return out;
}

}  // namespace

std::string ApplicationName(std::string_view run_id, std::string_view ns, std::string_view name) {
  std::string text = "whimbrel/";
  text.append(run_id.substr(0, kRunPrefix)).append("/");
  text.append(ns.substr(0, kMaxNamespace)).append("/").append(name);
  return Printable(text.substr(0, kMaxApplicationName));
}

std::string SessionSettingsSql(const Connection& connection, const SessionSettings& settings) {
  std::string sql =
      "SET idle_in_transaction_session_timeout = '60s';"
      "SET tcp_keepalives_idle = 15;SET tcp_keepalives_interval = 5;SET tcp_keepalives_count = 3;"
      "SET tcp_user_timeout = '30s';";
  if (connection.server_version() >= kVersion14) {
    sql += "SET client_connection_check_interval = '2s';SET idle_session_timeout = '60s';";
  }
  if (!settings.role.empty()) sql += "SET ROLE " + QuoteIdentifier(settings.role) + ";";
  return sql;
}

PgResult<void> ApplySessionSettings(Connection& connection, const SessionSettings& settings) {
  const auto rows = connection.Execute(SessionSettingsSql(connection, settings));
  if (!rows) return tl::make_unexpected(rows.error());
  return {};
}

PgResult<void> CleanSession(Connection& connection, const SessionSettings& settings,
                            std::span<const std::int64_t> kept_keys) {
  // Never DISCARD ALL: it releases our own locks. RESET ALL keeps the role and leaves everything
  // that is not a setting.
  const std::string sql =
      "CLOSE ALL;UNLISTEN *;DEALLOCATE ALL;RESET SESSION AUTHORIZATION;RESET ROLE;RESET ALL;"
      "DISCARD TEMP;DISCARD SEQUENCES;" +
      SessionSettingsSql(connection, settings) +
      "SELECT classid::pg_catalog.int8, objid::pg_catalog.int8, objsubid, mode "
      "FROM pg_catalog.pg_locks WHERE locktype = 'advisory' AND granted "
      "AND pid = pg_catalog.pg_backend_pid()";
  const auto rows = connection.Execute(sql);
  if (!rows) return tl::make_unexpected(rows.error());

  const std::vector<AdvisoryLock> locks = ReadLocks(*rows);
  for (const std::int64_t key : kept_keys) {
    if (std::ranges::none_of(locks, [&](const AdvisoryLock& lock) { return lock.Is(key); })) {
      connection.Close();
      return tl::make_unexpected(LockWasReleased());
    }
  }
  for (const AdvisoryLock& lock : locks) {
    if (std::ranges::any_of(kept_keys, [&](std::int64_t key) { return lock.Is(key); })) continue;
    if (auto released = Release(connection, lock); !released) return released;
  }
  return {};
}

}  // namespace whimbrel::postgres
