#include "engine/step_executor.h"

#include <utility>

#include "engine/script_stream.h"
#include "engine/tool_state.h"
#include "whimbrel/postgres/sqlstate.h"

namespace whimbrel::engine {

using std::chrono::milliseconds;

namespace {

RunFailure PlanAnew(const std::string& why) {
  RunFailure out;
  out.failure.reason = report::Reason::kRetrying;
  out.failure.message = why;
  out.plan_anew = true;
  out.transient = true;
  return out;
}

Result<std::string> ReadAll(const migration::Script& script) {
  Result<std::unique_ptr<ByteSource>> bytes = script.Open();
  if (!bytes) return tl::make_unexpected(bytes.error());
  std::string text;
  while (true) {
    Result<std::string_view> piece = (*bytes)->Read();
    if (!piece) return tl::make_unexpected(piece.error());
    if (piece->empty()) return text;
    text += *piece;
  }
}

}  // namespace

RunResult<StepResult> StepExecutor::Execute(const Step& step, const ScriptOutline& outline,
                                            const std::string& tool_state) {
  RunResult<StepResult> done = InTransaction(step, outline, tool_state);
  if (!done) {
    session_.connection().Rollback();
    if (done.error().failure.version.empty())
      done.error().failure.version = step.migration->Label();
    return done;
  }
  // The file is applied; a session that cannot be cleaned is only not used again.
  if (!session_.Clean()) session_.connection().Close();
  return done;
}

RunResult<StepResult> StepExecutor::InTransaction(const Step& step, const ScriptOutline& outline,
                                                  const std::string& tool_state) {
  const SteadyTime began = context_.clock.SteadyNow();
  if (RunResult<void> claimed = Claim(step, outline, tool_state); !claimed)
    return tl::make_unexpected(std::move(claimed.error()));
  RunResult<std::uint64_t> ran = RunStatements(step, outline);
  if (!ran) return tl::make_unexpected(std::move(ran.error()));
  if (RunResult<void> settled = Settle(step); !settled)
    return tl::make_unexpected(std::move(settled.error()));
  StepResult result{
      .duration = std::chrono::duration_cast<milliseconds>(context_.clock.SteadyNow() - began),
      .statements = *ran};
  RunResult<std::string> recorded = Record(step, result.duration);
  if (!recorded) return tl::make_unexpected(std::move(recorded.error()));
  result.tool_state = std::move(*recorded);
  auto committed = OrFail(session_.connection().Commit(), "committing " + step.migration->Label());
  if (!committed) return tl::make_unexpected(std::move(committed.error()));
  return result;
}

history::ToolTable* StepExecutor::LockedTable() const {
  history::ToolTable* tool = session_.tool();
  return tool != nullptr && tool->Locks().lock_table_in_transaction ? tool : nullptr;
}

std::string StepExecutor::TimeoutsSql() const {
  const report::ExecutionRequest& limits = context_.request.execution;
  return "SET LOCAL lock_timeout = " + std::to_string(limits.lock_timeout.count()) +
         "; SET LOCAL statement_timeout = " + std::to_string(limits.statement_timeout.count()) +
         "; SET LOCAL idle_in_transaction_session_timeout = 60000";
}

std::string StepExecutor::ReturnToOurselvesSql() const {
  const std::string& role = context_.request.database.role;
  return "SET CONSTRAINTS ALL IMMEDIATE; RESET SESSION AUTHORIZATION; RESET ROLE" +
         (role.empty() ? std::string() : "; SET ROLE " + postgres::QuoteIdentifier(role)) + "; " +
         TimeoutsSql() +
         "; SET LOCAL search_path = pg_catalog, pg_temp; SET LOCAL client_encoding = 'UTF8'";
}

RunResult<void> StepExecutor::Claim(const Step& step, const ScriptOutline& outline,
                                    const std::string& tool_state) {
  const std::string label = step.migration->Label();
  const history::ToolTable* tool = LockedTable();
  // The timeouts come before the claim: a second writer blocks on its key, and must not do so for
  // ever.
  std::string sql = "BEGIN " + outline.transaction_modes + "; " + TimeoutsSql();
  if (tool != nullptr) sql += "; LOCK TABLE " + tool->QuotedName() + " IN SHARE ROW EXCLUSIVE MODE";
  sql += "; " + session_.ledger().ClaimSql(*step.migration, step.run);
  if (tool != nullptr) sql += "; " + ToolStateSql(*tool);
  postgres::PgResult<postgres::Rows> claimed = session_.connection().Execute(sql);
  if (!claimed) {
    if (session_.ledger().IsClaimConflict(claimed.error()))
      return tl::make_unexpected(
          PlanAnew("version " + label + " was applied by another run just now"));
    return tl::make_unexpected(FromPgError(claimed.error(), "claiming version " + label));
  }
  if (tool == nullptr || (*claimed)[0][0] == tool_state) return {};
  return tl::make_unexpected(PlanAnew(tool->Describe() + " was changed by somebody else just now"));
}

RunFailure StepExecutor::StatementFailure(const postgres::StreamError& error,
                                          const std::string& label, Duration ran) const {
  RunFailure failure = FromStreamError(error, label);
  const milliseconds limit = context_.request.execution.statement_timeout;
  // The same code says that an administrator cancelled it, which may be tried again.
  const bool timed_out =
      failure.failure.sql_state == postgres::kQueryCanceled && limit.count() > 0 && ran >= limit;
  if (!timed_out) return failure;
  failure.transient = false;
  failure.cause.reset();
  failure.failure.hint =
      "the statement took longer than execution.statementTimeoutSeconds: raise it, or split the "
      "work";
  return failure;
}

RunResult<std::uint64_t> StepExecutor::RunStatements(const Step& step,
                                                     const ScriptOutline& outline) {
  const std::string label = step.migration->Label();
  postgres::Connection& connection = session_.connection();
  auto stream = ScriptStream::Open(step.migration->up, outline,
                                   connection.standard_conforming_strings(), TimeoutsSql());
  if (!stream) {
    const Result<void> same = CheckUnchanged(*step.migration);
    return tl::make_unexpected(FromSourceError(same ? stream.error() : same.error(), label));
  }
  const SteadyTime began = context_.clock.SteadyNow();
  auto ran = connection.Run(**stream);
  if (!ran) {
    RunFailure failure = StatementFailure(ran.error(), label, context_.clock.SteadyNow() - began);
    if (failure.cause && failure.transient) return tl::make_unexpected(std::move(failure));
    // A text that was replaced half-way explains more than what the server thought of it.
    if (Result<void> same = CheckUnchanged(*step.migration); !same)
      return tl::make_unexpected(FromSourceError(same.error(), label));
    return tl::make_unexpected(std::move(failure));
  }
  if (connection.standard_conforming_strings() == (*stream)->standard_conforming_strings())
    return (*stream)->statements();
  return tl::make_unexpected(FromSourceError(
      {.kind = ErrorKind::kInvalidArgument,
       .message = "a function that the file calls changed standard_conforming_strings, so that its "
                  "text may have been cut in the wrong places: set it by a statement of its own",
       .position = SourcePosition{.file = step.migration->path}},
      label));
}

RunResult<void> StepExecutor::Settle(const Step& step) {
  // Deferred constraints are the file's own: they fail under its name, not under ours.
  postgres::PgResult<postgres::Rows> settled =
      session_.connection().Execute(ReturnToOurselvesSql());
  if (settled) return {};
  RunFailure failure =
      FromPgError(settled.error(), "checking deferred constraints at the end of the file");
  failure.failure.position.file = step.migration->path;
  if (failure.failure.reason == report::Reason::kInternalError)
    failure.failure.reason = report::Reason::kMigrationFailed;
  return tl::make_unexpected(std::move(failure));
}

RunResult<std::string> StepExecutor::DownScriptSql(const Step& step) const {
  if (!step.migration->down) return std::string();
  Result<std::string> down = ReadAll(*step.migration->down);
  if (!down) return tl::make_unexpected(FromSourceError(down.error(), step.migration->Label()));
  return session_.ledger().KeepScriptSql(*step.migration, step.run, *down);
}

RunResult<std::string> StepExecutor::Record(const Step& step, milliseconds duration) {
  RunResult<std::string> keep = DownScriptSql(step);
  if (!keep) return tl::make_unexpected(std::move(keep.error()));
  const auto& action = std::get<TransactionRun>(step.action);
  std::string sql = session_.ledger().FinishSql(*step.migration, step.run, duration.count(),
                                                action.withdraws_previous);
  if (!keep->empty()) sql += "; " + *keep;
  if (history::ToolTable* tool = session_.tool()) {
    const std::string row = tool->OnAppliedSql(*step.migration, {.duration = duration});
    if (!row.empty()) sql += "; " + row;
  }
  if (const history::ToolTable* tool = LockedTable()) sql += "; " + ToolStateSql(*tool);
  auto recorded =
      OrFail(session_.connection().Execute(sql), "recording version " + step.migration->Label());
  if (!recorded) return tl::make_unexpected(std::move(recorded.error()));
  return LockedTable() == nullptr ? std::string() : (*recorded)[0][0].value_or("");
}

}  // namespace whimbrel::engine
