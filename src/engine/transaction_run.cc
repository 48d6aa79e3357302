#include "engine/transaction_run.h"

#include <utility>

#include "engine/statement_runner.h"
#include "engine/tool_state.h"

namespace whimbrel::engine {

using std::chrono::milliseconds;

RunFailure DeferredFailure(const postgres::PgError& error, const Step& step) {
  RunFailure failure = FromPgError(error, "checking deferred constraints at the end of the file");
  failure.failure.position.file = step.migration->path;
  if (failure.failure.reason == report::Reason::kInternalError)
    failure.failure.reason = report::Reason::kMigrationFailed;
  return failure;
}

RunResult<StepResult> TransactionRun::ApplyWithin(const std::string& first_sql,
                                                  const std::string& tool_state) {
  const SteadyTime began = context_.clock.SteadyNow();
  if (RunResult<void> claimed = Claim(first_sql, tool_state); !claimed)
    return tl::make_unexpected(std::move(claimed.error()));
  if (RunResult<void> ran = RunStatements(); !ran)
    return tl::make_unexpected(std::move(ran.error()));
  if (RunResult<void> settled = Settle(); !settled)
    return tl::make_unexpected(std::move(settled.error()));
  StepResult result{
      .duration = std::chrono::duration_cast<milliseconds>(context_.clock.SteadyNow() - began)};
  RunResult<std::string> recorded = Record(result.duration);
  if (!recorded) return tl::make_unexpected(std::move(recorded.error()));
  result.tool_state = std::move(*recorded);
  return result;
}

RunResult<void> TransactionRun::Claim(const std::string& first_sql, const std::string& tool_state) {
  const std::string label = step_.migration->Label();
  const history::ToolTable* tool = books_.LockedTable();
  std::string sql = first_sql + "; " + session_.ledger().ClaimSql(*step_.migration, step_.run);
  if (tool != nullptr) sql += "; " + ToolStateSql(*tool);
  postgres::PgResult<postgres::Rows> claimed = session_.connection().Execute(sql);
  if (!claimed) {
    if (session_.ledger().IsClaimConflict(claimed.error())) {
      return tl::make_unexpected(
          Bookkeeping::PlanAnew("version " + label + " was applied by another run just now"));
    }
    return tl::make_unexpected(FromPgError(claimed.error(), "claiming version " + label));
  }
  if (tool == nullptr || (*claimed)[0][0] == tool_state) return {};
  return tl::make_unexpected(books_.TableChanged());
}

RunResult<void> TransactionRun::RunStatements() {
  StatementRunner runner(context_, session_, step_, outline_, books_.timeouts());
  if (RunResult<void> opened = runner.Open(); !opened) return opened;
  return runner.RunInTransaction(0);
}

RunResult<void> TransactionRun::Settle() {
  auto settled = session_.connection().Execute(books_.ReturnToOurselvesSql());
  if (!settled) return tl::make_unexpected(DeferredFailure(settled.error(), step_));
  return {};
}

RunResult<std::string> TransactionRun::Record(milliseconds duration) {
  RunResult<std::string> sql = books_.FinishSql(duration, false);
  if (!sql) return sql;
  const history::ToolTable* tool = books_.LockedTable();
  if (tool != nullptr) *sql += "; " + ToolStateSql(*tool);
  auto recorded =
      OrFail(session_.connection().Execute(*sql), "recording version " + step_.migration->Label());
  if (!recorded) return tl::make_unexpected(std::move(recorded.error()));
  return tool == nullptr ? std::string() : std::string((*recorded)[0][0].value_or(""));
}

}  // namespace whimbrel::engine
