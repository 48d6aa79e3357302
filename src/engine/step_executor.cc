#include "engine/step_executor.h"

#include <utility>

#include "engine/stepped_run.h"
#include "engine/transaction_run.h"

namespace whimbrel::engine {

namespace {

RunResult<StepResult> Execute(RunContext& context, RunSession& session, const Step& step,
                              const ScriptOutline& outline, const std::string& tool_state) {
  if (!outline.is_one_transaction() || step.resume)
    return SteppedRun(context, session, step, outline, tool_state).Execute();
  TransactionRun run(context, session, step, outline);
  RunResult<StepResult> applied = run.ApplyWithin(run.BeginSql(), tool_state);
  if (!applied) return applied;
  auto committed = OrFail(session.connection().Commit(), "committing " + step.migration->Label());
  if (!committed) return tl::make_unexpected(std::move(committed.error()));
  return applied;
}

report::Failure BegunBefore(const Step& step) {
  report::Failure failure;
  failure.reason = report::Reason::kPartiallyApplied;
  failure.version = step.migration->Label();
  failure.position.file = step.migration->path;
  failure.message = step.migration->path +
                    " is applied in part: an earlier attempt ran it outside of one transaction";
  failure.hint = "set execution.transaction to PerMigration until it is finished";
  return failure;
}

}  // namespace

RunResult<StepResult> ExecuteStep(RunContext& context, RunSession& session, const Step& step,
                                  const ScriptOutline& outline, const std::string& tool_state) {
  RunResult<StepResult> done = Execute(context, session, step, outline, tool_state);
  if (!done) {
    session.connection().Rollback();
    if (done.error().failure.version.empty())
      done.error().failure.version = step.migration->Label();
    return done;
  }
  // The file is applied; a session that cannot be cleaned is only not used again.
  if (!session.Clean()) session.connection().Close();
  return done;
}

RunResult<std::vector<StepResult>> ExecuteTogether(RunContext& context, RunSession& session,
                                                   const std::vector<Step>& steps,
                                                   const std::vector<ScriptOutline>& outlines,
                                                   std::string tool_state,
                                                   const std::function<void(std::size_t)>& begin) {
  std::vector<StepResult> results;
  for (std::size_t i = 0; i < steps.size(); ++i) {
    begin(i);
    TransactionRun run(context, session, steps[i], outlines[i]);
    RunResult<StepResult> applied =
        steps[i].resume ? tl::make_unexpected(FromFailure(BegunBefore(steps[i])))
                        : run.ApplyWithin(i == 0 ? run.BeginSql() : run.GoOnSql(), tool_state);
    RunResult<void> done;
    if (!applied) {
      done = tl::make_unexpected(std::move(applied.error()));
    } else {
      tool_state = applied->tool_state;
      results.push_back(std::move(*applied));
      done = i + 1 < steps.size() ? session.Clean()
                                  : OrFail(session.connection().Commit(), "committing all files");
    }
    if (done) continue;
    session.connection().Rollback();
    if (done.error().failure.version.empty())
      done.error().failure.version = steps[i].migration->Label();
    return tl::make_unexpected(std::move(done.error()));
  }
  if (!session.Clean()) session.connection().Close();
  return results;
}

}  // namespace whimbrel::engine
