#include "engine/bookkeeping.h"

#include <utility>

namespace whimbrel::engine {

namespace {

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

RunFailure Bookkeeping::PlanAnew(const std::string& why) {
  RunFailure out;
  out.failure.reason = report::Reason::kRetrying;
  out.failure.message = why;
  out.plan_anew = true;
  out.transient = true;
  return out;
}

RunFailure Bookkeeping::TableChanged() const {
  return PlanAnew(session_.tool()->Describe() + " was changed by somebody else just now");
}

Timeouts Bookkeeping::timeouts() const {
  const report::ExecutionRequest& limits = context_.request.execution;
  return Timeouts(limits.lock_timeout, limits.statement_timeout).With(outline_.file);
}

history::ToolTable* Bookkeeping::LockedTable() const {
  history::ToolTable* tool = session_.tool();
  return tool != nullptr && tool->Locks().lock_table_in_transaction ? tool : nullptr;
}

std::string Bookkeeping::BeginSql(const std::string& modes) const {
  return "BEGIN " + modes + "; " + InTransactionSql();
}

std::string Bookkeeping::InTransactionSql() const {
  std::string sql = timeouts().LocalSql();
  if (const history::ToolTable* tool = LockedTable())
    sql += "; LOCK TABLE " + tool->QuotedName() + " IN SHARE ROW EXCLUSIVE MODE";
  return sql;
}

std::string Bookkeeping::ReturnToOurselvesSql() const {
  const std::string& role = context_.request.database.role;
  return "SET CONSTRAINTS ALL IMMEDIATE; RESET SESSION AUTHORIZATION; RESET ROLE" +
         (role.empty() ? std::string() : "; SET ROLE " + postgres::QuoteIdentifier(role)) + "; " +
         timeouts().LocalSql() +
         "; SET LOCAL search_path = pg_catalog, pg_temp; SET LOCAL client_encoding = 'UTF8'";
}

RunResult<std::string> Bookkeeping::KeepScriptSql() const {
  if (!step_.migration->down) return std::string();
  Result<std::string> down = ReadAll(*step_.migration->down);
  if (!down) return tl::make_unexpected(FromSourceError(down.error(), step_.migration->Label()));
  return session_.ledger().KeepScriptSql(*step_.migration, step_.run, *down);
}

RunResult<std::string> Bookkeeping::FinishSql(std::chrono::milliseconds duration,
                                              bool was_running) const {
  RunResult<std::string> keep = KeepScriptSql();
  if (!keep) return keep;
  std::string sql = session_.ledger().FinishSql(*step_.migration, step_.run,
                                                {.duration = duration,
                                                 .withdraws_previous = step_.withdraws_previous,
                                                 .was_running = was_running});
  if (!keep->empty()) sql += "; " + *keep;
  if (history::ToolTable* tool = session_.tool()) {
    const std::string row = tool->OnAppliedSql(*step_.migration, {.duration = duration});
    if (!row.empty()) sql += "; " + row;
  }
  return sql;
}

}  // namespace whimbrel::engine
