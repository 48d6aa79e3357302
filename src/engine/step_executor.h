#pragma once

#include <map>
#include <string>

#include "engine/run_context.h"
#include "engine/run_session.h"
#include "engine/script_outline.h"
#include "whimbrel/engine/plan.h"

namespace whimbrel::engine {

/// What one step left behind.
struct StepResult {
  std::chrono::milliseconds duration{0};
  std::uint64_t statements = 0;
  std::string tool_state;  ///< Of the tool's table with our row in it (ToolStateSql).
};

/// Carries out one step of a plan in one transaction: claim, statements, history rows, COMMIT
/// (design §3, "Transactional migration"). Afterwards the session is clean and outside a
/// transaction, whatever happened, or it is not usable.
class StepExecutor {
 public:
  StepExecutor(RunContext& context, RunSession& session) : context_(context), session_(session) {}

  /// `tool_state`: of the tool's table as the plan knows it. With plan_anew set in the failure,
  /// nothing of this step was done and the history has changed.
  RunResult<StepResult> Execute(const Step& step, const ScriptOutline& outline,
                                const std::string& tool_state);

 private:
  RunResult<StepResult> InTransaction(const Step& step, const ScriptOutline& outline,
                                      const std::string& tool_state);
  RunResult<void> Claim(const Step& step, const ScriptOutline& outline,
                        const std::string& tool_state);
  RunResult<std::uint64_t> RunStatements(const Step& step, const ScriptOutline& outline);
  RunResult<void> Settle(const Step& step);
  /// The state of the tool's table afterwards.
  RunResult<std::string> Record(const Step& step, std::chrono::milliseconds duration);
  [[nodiscard]] RunFailure StatementFailure(const postgres::StreamError& error,
                                            const std::string& label, Duration ran) const;
  RunResult<std::string> DownScriptSql(const Step& step) const;
  [[nodiscard]] std::string TimeoutsSql() const;
  [[nodiscard]] std::string ReturnToOurselvesSql() const;
  /// nullptr: no table, or its own advisory lock keeps it as the plan knows it.
  [[nodiscard]] history::ToolTable* LockedTable() const;

  RunContext& context_;
  RunSession& session_;
};

}  // namespace whimbrel::engine
