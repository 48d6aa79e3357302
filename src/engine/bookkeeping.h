#pragma once

#include <chrono>
#include <string>

#include "engine/run_context.h"
#include "engine/run_session.h"
#include "engine/script_outline.h"
#include "engine/timeouts.h"
#include "whimbrel/engine/plan.h"

namespace whimbrel::engine {

/// Our own statements around those of one migration: how a transaction begins, how it comes back
/// from whatever the file did to the session, and what records the migration as applied. The same
/// for files that are one transaction and for those that are not.
class Bookkeeping {
 public:
  Bookkeeping(const RunContext& context, RunSession& session, const Step& step,
              const ScriptOutline& outline)
      : context_(context), session_(session), step_(step), outline_(outline) {}

  /// Those of the run, where the file does not ask for others.
  [[nodiscard]] Timeouts timeouts() const;

  /// `BEGIN …` with our timeouts and the lock on the tool's table. The timeouts come before the
  /// claim: a second writer blocks on its key, and must not do so for ever.
  [[nodiscard]] std::string BeginSql(const std::string& modes = "") const;
  /// All of BeginSql but BEGIN itself.
  [[nodiscard]] std::string InTransactionSql() const;
  /// After a file's statements, in their transaction: deferred constraints are checked, role,
  /// timeouts, search_path and encoding are ours again. In ASCII: it works in any encoding.
  [[nodiscard]] std::string ReturnToOurselvesSql() const;
  /// What makes the migration applied: the ledger's row, the down part and the tool's row.
  RunResult<std::string> FinishSql(std::chrono::milliseconds duration, bool was_running) const;

  /// The tool's table where it has to be locked in each transaction and read again; nullptr: none,
  /// or its own advisory lock keeps it as the plan knows it.
  [[nodiscard]] history::ToolTable* LockedTable() const;

  /// What is said when the history is not as planned: nothing of this was done, read it again.
  [[nodiscard]] static RunFailure PlanAnew(const std::string& why);
  [[nodiscard]] RunFailure TableChanged() const;

 private:
  RunResult<std::string> KeepScriptSql() const;

  const RunContext& context_;
  RunSession& session_;
  const Step& step_;
  const ScriptOutline& outline_;
};

}  // namespace whimbrel::engine
