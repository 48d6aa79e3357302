#include "engine/run_session.h"

#include <algorithm>
#include <utility>

#include "engine/database_connector.h"
#include "whimbrel/history/tool_tables.h"
#include "whimbrel/postgres/advisory_lock.h"

namespace whimbrel::engine {

using postgres::Connection;
using report::Progress;
using report::Reason;

namespace {

/// How often a held lock is asked for: soon at first, then every two seconds.
constexpr Backoff kLockPolling{std::chrono::milliseconds(100), std::chrono::seconds(2)};

RunFailure FromToolTableError(const history::ToolTableError& error) {
  if (const auto* server = std::get_if<postgres::PgError>(&error)) {
    return FromPgError(*server, "looking for the history table");
  }
  RunFailure out = FromSourceError(std::get<Error>(error), "");
  out.failure.reason = Reason::kInvalidSpec;
  return out;
}

RunFailure LockNotFree(const std::string& what, const std::string& holder) {
  RunFailure out;
  out.failure.reason = Reason::kWaitingForLock;
  out.failure.message = what + " is still held" + (holder.empty() ? "" : " by " + holder) +
                        " after execution.lockBudgetSeconds";
  out.transient = true;
  out.uncounted = true;
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
  const SteadyTime patience_ends =
      context_.clock.SteadyNow() + context_.request.execution.lock_budget;
  const std::int64_t own = history::SetLockKey(facts_.database, ledger_->schema(), ledger_->set());
  if (RunResult<void> taken = TakeAdvisoryLock(own, patience_ends); !taken) return taken;
  if (tool_ == nullptr) return {};
  std::vector<std::int64_t> keys = tool_->Locks().advisory_keys;
  std::sort(keys.begin(), keys.end());
  for (std::int64_t key : keys) {
    if (RunResult<void> taken = TakeAdvisoryLock(key, patience_ends); !taken) return taken;
  }
  return TakeToolLock(patience_ends);
}

RunResult<void> RunSession::TakeAdvisoryLock(std::int64_t key, SteadyTime patience_ends) {
  for (int tries = 0;; ++tries) {
    RunResult<bool> taken =
        OrFail(postgres::TryAdvisoryLock(connection_, key), "taking the migration lock");
    if (!taken) return tl::make_unexpected(taken.error());
    if (*taken) {
      keys_.push_back(key);
      return {};
    }
    auto found =
        OrFail(postgres::FindLockHolder(connection_, key), "asking who holds the migration lock");
    if (!found) return tl::make_unexpected(found.error());
    const std::string holder = *found ? (*found)->ToString() : "";
    if (context_.clock.SteadyNow() >= patience_ends)
      return tl::make_unexpected(LockNotFree("the migration lock", holder));
    context_.progress.Enter(Progress::Phase::kWaitingForLock,
                            holder.empty() ? "" : "held by " + holder);
    const Duration wait =
        kLockPolling.Ceiling(tries) / 2 + kLockPolling.FullJitter(tries, context_.random) / 2;
    if (RunResult<void> slept = context_.Sleep(wait, "waiting for the migration lock"); !slept)
      return slept;
  }
}

RunResult<void> RunSession::TakeToolLock(SteadyTime patience_ends) {
  for (int tries = 0;; ++tries) {
    RunResult<bool> taken =
        OrFail(tool_->TryBeforeRun(connection_), "taking the lock of " + tool_->Describe());
    if (!taken) return tl::make_unexpected(taken.error());
    if (*taken) return {};
    if (context_.clock.SteadyNow() >= patience_ends) {
      return tl::make_unexpected(LockNotFree("the lock of " + tool_->Describe(), ""));
    }
    context_.progress.Enter(Progress::Phase::kWaitingForLock,
                            "the lock of " + tool_->Describe() + " is held");
    const Duration wait = kLockPolling.FullJitter(tries, context_.random);
    if (RunResult<void> slept = context_.Sleep(wait, "waiting for the tool's lock"); !slept)
      return slept;
  }
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
