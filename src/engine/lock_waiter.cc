#include "engine/lock_waiter.h"

#include "whimbrel/base/log.h"
#include "whimbrel/postgres/advisory_lock.h"

namespace whimbrel::engine {

using report::Progress;
using report::Reason;

namespace {

/// How often a held lock is asked for: soon at first, then every two seconds.
constexpr Backoff kLockPolling{std::chrono::milliseconds(100), std::chrono::seconds(2)};

RunFailure LockNotFree(const std::string& what, const std::string& holder) {
  RunFailure out;
  out.failure.reason = Reason::kWaitingForLock;
  out.failure.message = what + " is still held" + (holder.empty() ? "" : " by " + holder) +
                        " after execution.lockBudgetSeconds";
  out.transient = true;
  out.uncounted = true;
  return out;
}

std::string Sessions(std::uint64_t count) {
  return std::to_string(count) + (count == 1 ? " session" : " sessions");
}

}  // namespace

LockWaiter::LockWaiter(RunContext& context, postgres::Connection& connection)
    : context_(context),
      connection_(connection),
      patience_ends_(context.clock.SteadyNow() + context.request.execution.lock_budget) {}

RunResult<void> LockWaiter::TakeAdvisory(std::int64_t key) {
  FrozenHolder frozen(context_.pace, context_.clock.SteadyNow());
  for (int tries = 0;; ++tries) {
    RunResult<bool> taken =
        OrFail(postgres::TryAdvisoryLock(connection_, key), "taking the migration lock");
    if (!taken) return tl::make_unexpected(taken.error());
    if (*taken) return {};
    auto holder =
        OrFail(postgres::FindLockHolder(connection_, key), "asking who holds the migration lock");
    if (!holder) return tl::make_unexpected(holder.error());
    const std::string who = *holder ? LookAtHolder(**holder, frozen) : "";
    if (auto paused = Pause("the migration lock", who, tries); !paused) return paused;
  }
}

RunResult<void> LockWaiter::TakeFromTool(history::ToolTable& tool) {
  for (int tries = 0;; ++tries) {
    RunResult<bool> taken =
        OrFail(tool.TryBeforeRun(connection_), "taking the lock of " + tool.Describe());
    if (!taken) return tl::make_unexpected(taken.error());
    if (*taken) return {};
    if (auto paused = Pause("the lock of " + tool.Describe(), "", tries); !paused) return paused;
  }
}

RunResult<void> LockWaiter::Pause(const std::string& what, const std::string& holder, int tries) {
  if (context_.clock.SteadyNow() >= patience_ends_)
    return tl::make_unexpected(LockNotFree(what, holder));
  context_.progress.Enter(Progress::Phase::kWaitingForLock,
                          what + " is held" + (holder.empty() ? "" : " by " + holder));
  const Duration wait =
      kLockPolling.Ceiling(tries) / 2 + kLockPolling.FullJitter(tries, context_.random) / 2;
  const SteadyTime began = context_.clock.SteadyNow();
  RunResult<void> slept = context_.Sleep(wait, "waiting for " + what);
  context_.lock_wait += context_.clock.SteadyNow() - began;
  return slept;
}

/// What is said of the holder while waiting.
std::string LockWaiter::LookAtHolder(const postgres::LockHolder& holder, FrozenHolder& frozen) {
  std::string who = holder.ToString();
  const std::string run(RunOf(holder.application_name));
  // A run has one session that holds locks: another one of this very run is what a lost connection
  // left in the server, where nobody may notice for long that it is lost.
  const bool orphan = run == context_.request.run_id.substr(0, run.size()) && !run.empty();
  if (!orphan && !frozen.Observe(holder, context_.clock.SteadyNow())) return who;
  const auto ended = postgres::TerminateSessions(connection_, "whimbrel/" + run + "/", holder);
  if (!ended) {
    // Waiting is no failure; the next look, or the one after it, tries again.
    log::Warning("engine", "the session that holds the migration lock could not be ended",
                 {{"holder", who}, {"error", ended.error().ToString()}});
    return who + ", which cannot be ended (" + ended.error().message + ")";
  }
  if (!orphan && *ended > 0) {
    context_.Note({report::Notice::Kind::kFrozenRunEnded,
                   "ended " + Sessions(*ended) + " of the frozen run " + run +
                       ", which held the migration lock: " + who});
  }
  return who;
}

}  // namespace whimbrel::engine
