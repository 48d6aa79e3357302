#pragma once

#include <cstdint>
#include <string>

#include "engine/frozen_holder.h"
#include "engine/run_context.h"
#include "whimbrel/history/tool_table.h"
#include "whimbrel/postgres/connection.h"

namespace whimbrel::engine {

/// Takes the locks of a run one after the other, all within one execution.lockBudgetSeconds, and
/// names who holds them meanwhile. It asks again and again and never waits inside the server: a
/// waiter and a CREATE INDEX CONCURRENTLY of the holder would wait for each other
/// (reference/reliability.md §0.3).
class LockWaiter {
 public:
  LockWaiter(RunContext& context, postgres::Connection& connection);

  /// Ends a frozen predecessor that holds it (FrozenHolder), and at once a session of this very run
  /// that a lost connection left in the server.
  RunResult<void> TakeAdvisory(std::int64_t key);
  /// Locks of the tool that are not advisory keys.
  RunResult<void> TakeFromTool(history::ToolTable& tool);

 private:
  RunResult<void> Pause(const std::string& what, const std::string& holder, int tries);
  std::string LookAtHolder(const postgres::LockHolder& holder, FrozenHolder& frozen);

  RunContext& context_;
  postgres::Connection& connection_;
  SteadyTime patience_ends_;
};

}  // namespace whimbrel::engine
