#include "engine/table_guard.h"

#include "engine/database_connector.h"
#include "engine/tool_state.h"
#include "whimbrel/postgres/session.h"

namespace whimbrel::engine {

using postgres::Connection;

RunResult<std::unique_ptr<TableGuard>> TableGuard::Take(RunContext& context, SessionWatch& watch,
                                                        const Connection& main,
                                                        const history::ToolTable& tool) {
  const report::RunRequest& request = context.request;
  const std::string doing = "locking " + tool.Describe() + " from a second session";
  auto opened = OrFail(Connection::Open(ParametersBeside(main.parameters(), request.database),
                                        {.application_name = postgres::ApplicationName(
                                             request.run_id, request.ns, request.name),
                                         .limits = context.limits}),
                       doing);
  if (!opened) return tl::make_unexpected(std::move(opened.error()));
  std::unique_ptr<TableGuard> guard(new TableGuard(std::move(*opened)));
  auto locked =
      OrFail(postgres::ApplySessionSettings(guard->connection_, {.role = request.database.role})
                 .and_then([&] {
                   return guard->connection_.Execute(
                       "BEGIN ISOLATION LEVEL READ COMMITTED; SET LOCAL lock_timeout = " +
                       std::to_string(request.execution.lock_timeout.count()) + "; LOCK TABLE " +
                       tool.QuotedName() + " IN SHARE ROW EXCLUSIVE MODE");
                 }),
             doing);
  if (!locked) return tl::make_unexpected(std::move(locked.error()));
  RunResult<std::string> state = ReadToolState(guard->connection_, tool);
  if (!state) return tl::make_unexpected(std::move(state.error()));
  guard->tool_state_ = std::move(*state);
  guard->alive_.emplace(watch.KeepAlive(guard->connection_));
  return guard;
}

bool TableGuard::Release() {
  alive_.reset();
  const bool held =
      connection_.transaction_status() == postgres::TransactionStatus::kInTransaction &&
      connection_.Execute("SELECT 1").has_value();
  connection_.Close();
  return held;
}

}  // namespace whimbrel::engine
