#include "engine/step_executor.h"

#include <utility>

#include "engine/script_stream.h"
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
                                            std::size_t expected_tool_rows) {
  const SteadyTime began = context_.clock.SteadyNow();
  const auto elapsed = [&] {
    return std::chrono::duration_cast<milliseconds>(context_.clock.SteadyNow() - began);
  };
  StepResult result;
  RunResult<void> done = Claim(step, outline);
  if (done) done = CheckToolTable(expected_tool_rows);
  if (done) {
    RunResult<std::uint64_t> ran = RunStatements(step, outline);
    if (ran) {
      result.statements = *ran;
      result.duration = elapsed();
      done = Record(step, result.duration);
    } else {
      done = tl::make_unexpected(ran.error());
    }
  }
  if (done)
    done = OrFail(session_.connection().Commit(), "committing version " + step.migration->Label());
  if (!done) {
    session_.connection().Rollback();
    return tl::make_unexpected(done.error());
  }
  // The file is applied; a session that cannot be cleaned is only not used again.
  if (!session_.Clean()) session_.connection().Close();
  return result;
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

RunResult<void> StepExecutor::Claim(const Step& step, const ScriptOutline& outline) {
  const std::string doing = "claiming version " + step.migration->Label();
  // The timeouts come before the claim: a second writer blocks on its key, and must not do so for
  // ever.
  std::string sql = "BEGIN " + outline.transaction_modes + "; " + TimeoutsSql();
  if (history::ToolTable* tool = session_.tool();
      tool != nullptr && tool->Locks().lock_table_in_transaction) {
    sql += "; LOCK TABLE " + tool->QuotedName() + " IN SHARE ROW EXCLUSIVE MODE";
  }
  sql += "; " + session_.ledger().ClaimSql(*step.migration, step.run);
  postgres::PgResult<postgres::Rows> claimed = session_.connection().Execute(sql);
  if (claimed) return {};
  if (session_.ledger().IsClaimConflict(claimed.error())) {
    return tl::make_unexpected(
        PlanAnew("version " + step.migration->Label() + " was applied by another run just now"));
  }
  return tl::make_unexpected(FromPgError(claimed.error(), doing));
}

RunResult<void> StepExecutor::CheckToolTable(std::size_t expected_tool_rows) {
  history::ToolTable* tool = session_.tool();
  if (tool == nullptr || !tool->Locks().lock_table_in_transaction) return {};
  auto now =
      OrFail(tool->Read(session_.connection(), source_), "reading " + tool->Describe() + " again");
  if (!now) return tl::make_unexpected(now.error());
  if (now->applied.size() == expected_tool_rows) return {};
  return tl::make_unexpected(PlanAnew(tool->Describe() + " was changed by somebody else just now"));
}

RunResult<std::uint64_t> StepExecutor::RunStatements(const Step& step,
                                                     const ScriptOutline& outline) {
  const std::string label = step.migration->Label();
  postgres::Connection& connection = session_.connection();
  auto stream = ScriptStream::Open(step.migration->up, outline,
                                   connection.standard_conforming_strings(), TimeoutsSql());
  if (!stream) return tl::make_unexpected(FromSourceError(stream.error(), label));
  const SteadyTime began = context_.clock.SteadyNow();
  auto ran = connection.Run(**stream);
  if (!ran) {
    RunFailure failure = FromStreamError(ran.error(), label);
    const bool timed_out =
        failure.failure.sql_state == postgres::kQueryCanceled &&
        context_.clock.SteadyNow() - began >= context_.request.execution.statement_timeout;
    if (timed_out) {
      failure.transient = false;
      failure.cause.reset();
      failure.failure.hint =
          "the statement took longer than execution.statementTimeoutSeconds: raise it, or split "
          "the work";
    }
    return tl::make_unexpected(std::move(failure));
  }
  if (connection.standard_conforming_strings() != (*stream)->standard_conforming_strings()) {
    return tl::make_unexpected(FromSourceError(
        {.kind = ErrorKind::kInvalidArgument,
         .message = "a function that the file calls changed standard_conforming_strings, so that "
                    "its text may have been cut in the "
                    "wrong places: set it by a statement of its own",
         .position = SourcePosition{.file = step.migration->path}},
        label));
  }
  // Deferred constraints are the file's own: they fail under its name, not under ours.
  postgres::PgResult<postgres::Rows> settled = connection.Execute(ReturnToOurselvesSql());
  if (!settled) {
    RunFailure failure =
        FromPgError(settled.error(), "checking deferred constraints at the end of the file");
    failure.failure.version = label;
    failure.failure.position.file = step.migration->path;
    if (failure.failure.reason == report::Reason::kInternalError)
      failure.failure.reason = report::Reason::kMigrationFailed;
    return tl::make_unexpected(std::move(failure));
  }
  return (*stream)->statements();
}

RunResult<std::string> StepExecutor::DownScriptSql(const Step& step) const {
  if (!step.migration->down) return std::string();
  Result<std::string> down = ReadAll(*step.migration->down);
  if (!down) return tl::make_unexpected(FromSourceError(down.error(), step.migration->Label()));
  return session_.ledger().KeepScriptSql(*step.migration, step.run, *down);
}

RunResult<void> StepExecutor::Record(const Step& step, milliseconds duration) {
  RunResult<std::string> keep = DownScriptSql(step);
  if (!keep) return tl::make_unexpected(keep.error());
  const auto& action = std::get<TransactionRun>(step.action);
  std::string sql = session_.ledger().FinishSql(*step.migration, step.run, duration.count(),
                                                action.withdraws_previous);
  if (!keep->empty()) sql += "; " + *keep;
  if (history::ToolTable* tool = session_.tool()) {
    const std::string row = tool->OnAppliedSql(*step.migration, {.duration = duration});
    if (!row.empty()) sql += "; " + row;
  }
  auto recorded =
      OrFail(session_.connection().Execute(sql), "recording version " + step.migration->Label());
  if (!recorded) return tl::make_unexpected(recorded.error());
  return {};
}

}  // namespace whimbrel::engine
