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
};

/// Carries out one step of a plan in one transaction: claim, statements, history rows, COMMIT
/// (design §3, "Transactional migration"). Afterwards the session is clean and outside a
/// transaction, whatever happened, or it is not usable.
class StepExecutor {
 public:
  /// `tool_rows`: how many rows the tool's table had when the plan was made, plus those that this
  /// run wrote.
  StepExecutor(RunContext& context, RunSession& session,
               const migration::ResolvedMigrations& source)
      : context_(context), session_(session), source_(source) {}

  /// With plan_anew set in the failure, nothing of this step was done and the history has changed.
  RunResult<StepResult> Execute(const Step& step, const ScriptOutline& outline,
                                std::size_t expected_tool_rows);

 private:
  RunResult<void> Claim(const Step& step, const ScriptOutline& outline);
  RunResult<void> CheckToolTable(std::size_t expected_tool_rows);
  RunResult<std::uint64_t> RunStatements(const Step& step, const ScriptOutline& outline);
  RunResult<void> Record(const Step& step, std::chrono::milliseconds duration);
  RunResult<std::string> DownScriptSql(const Step& step) const;
  [[nodiscard]] std::string TimeoutsSql() const;
  [[nodiscard]] std::string ReturnToOurselvesSql() const;

  RunContext& context_;
  RunSession& session_;
  const migration::ResolvedMigrations& source_;
};

}  // namespace whimbrel::engine
