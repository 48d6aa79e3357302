#include "whimbrel/postgres/session_activity.h"

#include <algorithm>
#include <array>
#include <cstddef>
#include <utility>

#include "postgres/holder_rows.h"
#include "postgres/rows_read.h"
#include "whimbrel/base/human.h"

namespace whimbrel::postgres {
namespace {

constexpr int kVersion14 = 140000;
constexpr std::size_t kMaxNamed = 3;

/// The columns of every part of the query below.
constexpr std::string_view kProgressViews =
    " UNION ALL SELECT command, phase, blocks_done, blocks_total, tuples_done, tuples_total,"
    " lockers_done, lockers_total, 0, 0"
    " FROM pg_catalog.pg_stat_progress_create_index WHERE pid = $pid"
    " UNION ALL SELECT 'VACUUM', phase, CASE phase WHEN 'vacuuming heap' THEN heap_blks_vacuumed"
    " ELSE heap_blks_scanned END, heap_blks_total, 0, 0, 0, 0, 0, 0"
    " FROM pg_catalog.pg_stat_progress_vacuum WHERE pid = $pid"
    " UNION ALL SELECT command, phase, heap_blks_scanned, heap_blks_total, 0, 0, 0, 0, 0, 0"
    " FROM pg_catalog.pg_stat_progress_cluster WHERE pid = $pid"
    " UNION ALL SELECT 'ANALYZE', phase, sample_blks_scanned, sample_blks_total, 0, 0, 0, 0, 0, 0"
    " FROM pg_catalog.pg_stat_progress_analyze WHERE pid = $pid";
constexpr std::string_view kCopyView =
    " UNION ALL SELECT command, '', 0, 0, tuples_processed, 0, 0, 0, bytes_processed, bytes_total"
    " FROM pg_catalog.pg_stat_progress_copy WHERE pid = $pid";

std::string WithPid(std::string_view sql, int pid) {
  constexpr std::string_view kPlace = "$pid";
  std::string text;
  while (true) {
    const std::size_t at = sql.find(kPlace);
    text += sql.substr(0, at);
    if (at == std::string_view::npos) return text;
    text += std::to_string(pid);
    sql.remove_prefix(at + kPlace.size());
  }
}

/// First whether it waits for a lock, then what it has to tell.
std::string ActivitySql(const Connection& connection, int pid) {
  std::string sql =
      "SELECT wait_event_type AS command, '' AS phase, 0::pg_catalog.int8, 0::pg_catalog.int8,"
      " 0::pg_catalog.int8, 0::pg_catalog.int8, 0::pg_catalog.int8, 0::pg_catalog.int8,"
      " 0::pg_catalog.int8, 0::pg_catalog.int8"
      " FROM pg_catalog.pg_stat_activity WHERE pid = $pid AND wait_event_type = 'Lock'";
  sql += kProgressViews;
  if (connection.server_version() >= kVersion14) sql += kCopyView;
  return WithPid(sql, pid);
}

CommandProgress ProgressAt(const Rows& rows, std::size_t row) {
  return {.command = TextAt(rows, row, 0),
          .phase = TextAt(rows, row, 1),
          .blocks_done = IntegerAt(rows, row, 2),
          .blocks_total = IntegerAt(rows, row, 3),
          .tuples_done = IntegerAt(rows, row, 4),
          .tuples_total = IntegerAt(rows, row, 5),
          .lockers_done = IntegerAt(rows, row, 6),
          .lockers_total = IntegerAt(rows, row, 7),
          .bytes_done = IntegerAt(rows, row, 8),
          .bytes_total = IntegerAt(rows, row, 9)};
}

PgResult<std::vector<LockHolder>> FindBlockers(Connection& connection, int pid) {
  // Parallel workers of one blocker are named once, by their leader's pid.
  const auto rows = connection.Execute(
      "SELECT b.pid, " + std::string(kHolderColumns) +
      " FROM (SELECT DISTINCT pg_catalog.unnest(pg_catalog.pg_blocking_pids(" +
      std::to_string(pid) +
      ")) AS pid) b LEFT JOIN pg_catalog.pg_stat_activity a ON a.pid = b.pid ORDER BY b.pid");
  if (!rows) return tl::make_unexpected(rows.error());
  std::vector<LockHolder> blockers;
  for (std::size_t i = 0; i < rows->size(); ++i) blockers.push_back(HolderAt(*rows, i));
  return blockers;
}

std::string Percent(std::int64_t done, std::int64_t total) {
  if (total <= 0) return "";
  return ", " + std::to_string(std::clamp<std::int64_t>(done * 100 / total, 0, 100)) + " %";
}

std::string_view Doing(std::string_view command) {
  constexpr std::array<std::pair<std::string_view, std::string_view>, 6> kVerbs = {{
      {"CREATE INDEX", "building index"},
      {"REINDEX", "rebuilding index"},
      {"VACUUM FULL", "rewriting table"},
      {"VACUUM", "vacuuming"},
      {"CLUSTER", "rewriting table"},
      {"ANALYZE", "analyzing"},
  }};
  for (const auto& [beginning, verb] : kVerbs) {
    if (command.starts_with(beginning)) return verb;
  }
  return command;
}

}  // namespace

std::string CommandProgress::ToString() const {
  if (command.starts_with("COPY")) {
    return "copying: " + HumanBytes(static_cast<std::uint64_t>(bytes_done)) + ", " +
           std::to_string(tuples_done) + " rows" + Percent(bytes_done, bytes_total);
  }
  const std::string doing(Doing(command));
  // The server's own phases begin with what is done, or not: `building index: scanning table`.
  std::string text = phase.starts_with("building index") ? phase : doing + ": " + phase;
  const auto in_phase = [&](std::string_view word) {
    return phase.find(word) != std::string::npos;
  };
  // What a view counts is not reset when a phase ends that counted it.
  if (in_phase("waiting")) {
    if (lockers_total > 0)
      text += " (" + std::to_string(lockers_done) + " of " + std::to_string(lockers_total) + ")";
  } else if (in_phase("tuples") && !in_phase("sorting")) {
    text += Percent(tuples_done, tuples_total);
  } else if (in_phase("scanning") || in_phase("vacuuming heap") || in_phase("sample rows")) {
    text += Percent(blocks_done, blocks_total);
  }
  return text;
}

PgResult<SessionActivity> ReadActivity(Connection& connection, int pid) {
  const auto rows = connection.Execute(ActivitySql(connection, pid));
  if (!rows) return tl::make_unexpected(rows.error());
  SessionActivity activity;
  bool waits = false;
  for (std::size_t i = 0; i < rows->size(); ++i) {
    if (TextAt(*rows, i, 0) == "Lock") {
      waits = true;
    } else {
      activity.progress = ProgressAt(*rows, i);
    }
  }
  if (!waits) return activity;
  auto blockers = FindBlockers(connection, pid);
  if (!blockers) return tl::make_unexpected(blockers.error());
  activity.blockers = std::move(*blockers);
  return activity;
}

PgResult<void> TerminateSession(Connection& connection, int pid, std::string_view prefix) {
  const std::string text = std::to_string(pid);
  const auto rows = connection.Query(
      "SELECT pg_catalog.pg_terminate_backend(pid) FROM pg_catalog.pg_stat_activity "
      "WHERE pid = $1::pg_catalog.int4 AND pg_catalog.starts_with(application_name, $2)",
      {text, prefix});
  if (!rows) return tl::make_unexpected(rows.error());
  return {};
}

std::string ToString(const std::vector<LockHolder>& holders) {
  std::string text;
  for (std::size_t i = 0; i < std::min(holders.size(), kMaxNamed); ++i)
    text += (i == 0 ? "" : ", ") + holders[i].ToString();
  if (holders.size() > kMaxNamed)
    text += " and " + std::to_string(holders.size() - kMaxNamed) + " more";
  return text;
}

}  // namespace whimbrel::postgres
