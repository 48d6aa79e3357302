#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "engine/run_context.h"
#include "engine/session_watch.h"
#include "whimbrel/history/ledger.h"
#include "whimbrel/history/tool_table.h"
#include "whimbrel/postgres/connection.h"
#include "whimbrel/postgres/readiness.h"
#include "whimbrel/postgres/session.h"

namespace whimbrel::engine {

/// The one session of a run: connected to a database that is ready, with the ledger's tables there
/// and all locks held. Whoever has one may read the history ("always lock before read", design §3).
/// The locks end with it.
class RunSession {
 public:
  /// Connects, waits until the database is ready (database.ready.timeoutSeconds), opens the
  /// histories and waits for the locks (execution.lockBudgetSeconds).
  static RunResult<std::unique_ptr<RunSession>> Open(RunContext& context, migration::Format format);

  [[nodiscard]] postgres::Connection& connection() { return connection_; }
  [[nodiscard]] const history::Ledger& ledger() const { return *ledger_; }
  /// nullptr: the ledger alone keeps the history.
  [[nodiscard]] history::ToolTable* tool() { return tool_.get(); }
  [[nodiscard]] const postgres::ServerFacts& facts() const { return facts_; }

  /// After a file.
  RunResult<void> Clean();
  /// After a failure that left the session alive: clean, and as good as a new one.
  RunResult<void> Reuse();
  /// Sends something small, so that the server's idle timeout does not end a session that waits for
  /// a slot.
  RunResult<void> KeepAlive();

  /// Around each call on connection() that may take long: a second session tells the run's progress
  /// what the server does, or who holds the lock that it waits for.
  [[nodiscard]] SessionWatch::Scope Watch() { return watch_.Watch(connection_); }
  /// For failures with 55P03: who held the lock, as the last watched call saw it; may be empty.
  [[nodiscard]] std::string LastBlockers() const { return watch_.LastBlockers(); }
  /// For calls on another session of this run, and to keep this one alive meanwhile.
  [[nodiscard]] SessionWatch& watch() { return watch_; }

  ~RunSession();

 private:
  RunSession(RunContext& context, postgres::Connection connection)
      : context_(context), connection_(std::move(connection)), watch_(context, connection_) {}
  RunResult<void> BoundOwnWaits();
  RunResult<void> OpenHistories(migration::Format format);
  RunResult<void> TakeLocks();

  RunContext& context_;
  postgres::Connection connection_;
  postgres::SessionSettings settings_;
  postgres::ServerFacts facts_;
  std::unique_ptr<history::ToolTable> tool_;
  std::optional<history::Ledger> ledger_;
  std::vector<std::int64_t> keys_;  ///< Held, in the order in which they were taken.
  SessionWatch watch_;              // Last: its thread may be using the connection.
};

}  // namespace whimbrel::engine
