#pragma once

#include <memory>
#include <optional>
#include <string>

#include "engine/run_context.h"
#include "engine/session_watch.h"
#include "whimbrel/history/tool_table.h"
#include "whimbrel/postgres/connection.h"

namespace whimbrel::engine {

/// Keeps a tool that has no advisory lock out of its table while a statement runs outside of any
/// transaction: a second session holds the table lock in an open transaction (design §3, "Tools
/// without an advisory lock"). It holds no snapshot, so that an index build does not wait for it.
/// Not for statements that touch all tables or wait for all older transactions. Before anything is
/// written to the table, by whomever of this run, it must be let go.
///
/// Losing it is no failure: the transaction that closes the step locks and reads the table again.
/// For the run's thread.
class TableGuard {
 public:
  /// Waits for the lock at most execution.lockTimeout (55P03). `main` shows the way to the server;
  /// `watch` keeps the session alive, and must outlive the guard.
  static RunResult<std::unique_ptr<TableGuard>> Take(RunContext& context, SessionWatch& watch,
                                                     const postgres::Connection& main,
                                                     const history::ToolTable& tool);
  /// Lets go.
  ~TableGuard() = default;

  /// Of the table, under the lock (ToolStateSql): to be compared with what the plan knows.
  [[nodiscard]] const std::string& tool_state() const { return tool_state_; }
  /// Lets go; true when the lock was held all the time.
  bool Release();

 private:
  explicit TableGuard(postgres::Connection connection) : connection_(std::move(connection)) {}

  postgres::Connection connection_;
  std::string tool_state_;
  std::optional<SessionWatch::KeptAlive> alive_;  // Last: its pings end before the session does.
};

}  // namespace whimbrel::engine
