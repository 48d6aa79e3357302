#include "engine/run_session.h"

#include <algorithm>
#include <utility>

#include "engine/database_connector.h"
#include "engine/lock_waiter.h"
#include "whimbrel/history/tool_tables.h"

namespace whimbrel::engine {

using postgres::Connection;
using report::Reason;

namespace {

RunFailure FromToolTableError(const history::ToolTableError& error) {
  if (const auto* server = std::get_if<postgres::PgError>(&error)) {
    return FromPgError(*server, "looking for the history table");
  }
  RunFailure out = FromSourceError(std::get<Error>(error), "");
  out.failure.reason = Reason::kInvalidSpec;
  return out;
}

}  // namespace

RunResult<std::unique_ptr<RunSession>> RunSession::Open(RunContext& context,
                                                        migration::Format format) {
  RunResult<Connection> connection = ConnectWhenReady(context);
  if (!connection) return tl::make_unexpected(connection.error());
  std::unique_ptr<RunSession> session(new RunSession(context, std::move(*connection)));
  session->settings_.role = context.request.database.role;

  RunResult<postgres::ServerFacts> facts =
      OrFail(postgres::ReadServerFacts(session->connection_), "asking the server what it is");
  if (!facts) return tl::make_unexpected(facts.error());
  session->facts_ = std::move(*facts);
  if (RunResult<void> bounded = session->BoundOwnWaits(); !bounded)
    return tl::make_unexpected(bounded.error());
  if (RunResult<void> opened = session->OpenHistories(format); !opened)
    return tl::make_unexpected(opened.error());
  if (RunResult<void> locked = session->TakeLocks(); !locked)
    return tl::make_unexpected(locked.error());
  return session;
}

RunSession::~RunSession() {
  if (tool_ != nullptr && connection_.usable()) tool_->AfterRun(connection_);
}

RunResult<void> RunSession::OpenHistories(migration::Format format) {
  const report::HistoryRequest& wanted = context_.request.history;
  history::TableName table;
  if (!wanted.table.empty()) {
    Result<history::TableName> parsed = history::ParseTableName(wanted.table);
    if (!parsed) {
      RunFailure bad = FromSourceError(parsed.error(), "");
      bad.failure.reason = Reason::kInvalidSpec;
      return tl::make_unexpected(bad);
    }
    table = std::move(*parsed);
  }
  auto tool = history::OpenToolTable(connection_, format, table);
  if (!tool) return tl::make_unexpected(FromToolTableError(tool.error()));
  tool_ = std::move(*tool);
  ledger_.emplace(wanted.schema, tool_ != nullptr ? tool_->QualifiedName() : wanted.set);
  return OrFail(ledger_->Bootstrap(connection_),
                "preparing the ledger in schema \"" + ledger_->schema() + "\"");
}

RunResult<void> RunSession::TakeLocks() {
  LockWaiter waiter(context_, connection_);
  std::vector<std::int64_t> keys;
  if (tool_ != nullptr) keys = tool_->Locks().advisory_keys;
  std::sort(keys.begin(), keys.end());
  keys.insert(keys.begin(),
              history::SetLockKey(facts_.database, ledger_->schema(), ledger_->set()));
  for (std::int64_t key : keys) {
    if (RunResult<void> taken = waiter.TakeAdvisory(key); !taken) return taken;
    keys_.push_back(key);
  }
  return tool_ == nullptr ? RunResult<void>() : waiter.TakeFromTool(*tool_);
}

RunResult<void> RunSession::Clean() {
  return OrFail(postgres::CleanSession(connection_, settings_, keys_), "cleaning the session");
}

RunResult<void> RunSession::Reuse() {
  if (RunResult<void> clean = Clean(); !clean) return clean;
  return BoundOwnWaits();
}

/// Somebody may hold the history's tables: reading them must not wait until the deadline without a
/// word. Migrations bring timeouts of their own.
RunResult<void> RunSession::BoundOwnWaits() {
  auto set =
      OrFail(connection_.Execute("SET lock_timeout = " +
                                 std::to_string(context_.request.execution.lock_timeout.count())),
             "preparing the session");
  if (!set) return tl::make_unexpected(set.error());
  return {};
}

RunResult<void> RunSession::KeepAlive() {
  RunResult<postgres::Rows> answer =
      OrFail(connection_.Execute("SELECT 1"), "keeping the session alive");
  if (!answer) return tl::make_unexpected(answer.error());
  return {};
}

}  // namespace whimbrel::engine
