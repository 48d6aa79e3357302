#include "engine/stepped_run.h"

#include <algorithm>
#include <utility>

#include "engine/database_connector.h"
#include "engine/table_guard.h"
#include "engine/tool_state.h"
#include "engine/transaction_run.h"

namespace whimbrel::engine {

using report::Failure;
using report::Reason;
using std::chrono::milliseconds;

namespace {

Failure Differs(const Step& step, const ScriptOutline& outline, std::size_t index) {
  const std::string& path = step.migration->path;
  Failure failure;
  failure.reason = Reason::kPartiallyApplied;
  failure.version = step.migration->Label();
  failure.position.file = path;
  if (index < outline.steps.size())
    failure.position = step.migration->up.Locate(outline.steps[index].position);
  failure.message = path + " is applied in part, and its step " + std::to_string(index + 1) +
                    ", which is done, is not in the file any more as it was run";
  failure.hint =
      "put the applied statements back as they were; what follows them may be changed, and "
      "Whimbrel goes on there";
  return failure;
}

}  // namespace

Result<std::size_t, Failure> CountDoneSteps(const Step& step, const ScriptOutline& outline) {
  if (!step.resume) return std::size_t{0};
  std::size_t done = 0;
  for (const history::JournalRow& row : step.resume->journal) {
    if (!row.done) continue;
    const bool same = done < outline.steps.size() && row.step == static_cast<int>(done) + 1 &&
                      row.sql_hash == outline.steps[done].sha256;
    if (!same) return tl::make_unexpected(Differs(step, outline, done));
    ++done;
  }
  return done;
}

/// One statement outside of any transaction, and what is known of it.
struct SteppedRun::Single {
  std::size_t index = 0;
  postgres::StreamStatement statement;
  sql::StatementFacts facts;
  std::unique_ptr<Verifier> verifier;
  std::string found;  ///< At the first intent.
  Verification verdict;
};

SteppedRun::SteppedRun(RunContext& context, RunSession& session, const Step& step,
                       const ScriptOutline& outline, std::string tool_state)
    : context_(context),
      session_(session),
      step_(step),
      outline_(outline),
      tool_state_(std::move(tool_state)),
      books_(context, session, step, outline),
      journal_(session.ledger().schema(), session.ledger().set()),
      claim_{.migration = step.migration, .run = step.run},
      statements_(context, session, step, outline, books_.timeouts()),
      began_(context.clock.SteadyNow()) {}

RunResult<StepResult> SteppedRun::Execute() {
  Result<std::size_t, Failure> done = CountDoneSteps(step_, outline_);
  if (!done) return tl::make_unexpected(FromFailure(std::move(done.error())));
  if (step_.resume) {
    if (RunResult<void> ours = TakeOver(); !ours)
      return tl::make_unexpected(std::move(ours.error()));
  }
  if (RunResult<void> ran = ExecuteSteps(*done); !ran)
    return tl::make_unexpected(std::move(ran.error()));
  return StepResult{
      .duration = std::chrono::duration_cast<milliseconds>(context_.clock.SteadyNow() - began_),
      .tool_state = tool_state_};
}

RunResult<void> SteppedRun::TakeOver() {
  claim_.attempt = step_.resume->attempt;
  const std::string label = step_.migration->Label();
  RunResult<postgres::Rows> taken = Ours(journal_.TakeOverSql(claim_), "taking over " + label);
  if (!taken) return tl::make_unexpected(std::move(taken.error()));
  if (taken->empty()) {
    return tl::make_unexpected(
        Bookkeeping::PlanAnew("version " + label + " was taken over by another run just now"));
  }
  ++claim_.attempt;
  claimed_ = true;
  return {};
}

RunResult<void> SteppedRun::ExecuteSteps(std::size_t done) {
  if (RunResult<void> opened = statements_.Open(); !opened) return opened;
  for (std::size_t i = 0; i < outline_.steps.size(); ++i) {
    RunResult<void> carried = i < done ? statements_.Skip(i) : ExecuteOne(i);
    if (!carried) return tl::make_unexpected(WithProgress(std::move(carried.error()), i));
    Remember(i);
  }
  if (done < outline_.steps.size()) return {};
  // The file was cut short behind what is done: nothing is left but to say so.
  if (RunResult<void> begun = BeginFenced("", journal_.FenceSql(claim_)); !begun) return begun;
  return Finish(outline_.steps.size() - 1, "SELECT 1");
}

RunResult<void> SteppedRun::ExecuteOne(std::size_t index) {
  RunResult<void> ran = outline_.steps[index].single ? RunSingle(index) : RunTransaction(index);
  if (!ran || index + 1 == outline_.steps.size()) return ran;
  return session_.Clean();
}

void SteppedRun::Remember(std::size_t index) {
  for (const std::string& setting : outline_.steps[index].session_settings)
    replay_ += setting + "; ";
}

RunResult<void> SteppedRun::RunTransaction(std::size_t index) {
  const ScriptStep& step = outline_.steps[index];
  RunResult<void> done = BeginFenced(step.transaction_modes,
                                     journal_.FenceAndStepSql(claim_, Number(index), step.sha256));
  if (done) done = ReplaySettings(books_.timeouts().LocalSql());
  if (done) done = statements_.RunInTransaction(index);
  if (!done) return done;
  auto settled = session_.connection().Execute(books_.ReturnToOurselvesSql());
  if (!settled) return tl::make_unexpected(DeferredFailure(settled.error(), step_));
  return Finish(index, "SELECT 1");
}

RunResult<void> SteppedRun::RunSingle(std::size_t index) {
  RunResult<postgres::StreamStatement> statement = statements_.ReadSingle(index);
  if (!statement) return tl::make_unexpected(std::move(statement.error()));
  const bool strings = statements_.standard_conforming_strings();
  Single single{.index = index, .statement = std::move(*statement)};
  single.facts = sql::Classify(single.statement.text, strings);
  auto verifier = MakeVerifier(single.statement.text, single.facts, strings,
                               statements_.directives().idempotent || outline_.file.idempotent);
  if (!verifier)
    return tl::make_unexpected(FromSourceError(verifier.error(), step_.migration->Label()));
  single.verifier = std::move(*verifier);

  RunResult<void> done = Prepare(single);
  if (!done || single.verdict.verdict == Verification::Verdict::kDone) return done;
  done = CarryGuarded(single);
  if (!done) {
    RunFailure& failure = done.error();
    if (failure.cause && failure.cause->interruption != postgres::Interruption::kNone) {
      failure.failure.message =
          FromInterruption(failure.cause->interruption, "applying " + step_.migration->Label(),
                           "the statement is no part of a transaction: the next run looks what "
                           "became of it, and clears it away or goes on")
              .failure.message;
    } else if (!failure.transient) {
      ClearAway(single);
    }
    return done;
  }
  return Conclude(single);
}

RunResult<void> SteppedRun::Prepare(Single& single) {
  const std::string& hash = outline_.steps[single.index].sha256;
  if (RunResult<void> begun = BeginFenced("", journal_.FenceSql(claim_)); !begun) return begun;
  RunResult<std::string> now = Look(single);
  if (!now) return tl::make_unexpected(std::move(now.error()));
  const history::JournalRow* earlier = JournalOf(single.index);
  // A statement that was mended after it had died half-way still knows its own leftovers.
  const bool known =
      earlier != nullptr && earlier->found &&
      (earlier->sql_hash == hash || single.verifier->IsSameObject(*earlier->found, *now));
  single.found = known ? *earlier->found : *now;
  single.verdict = single.verifier->Judge(single.found, *now);
  if (single.verdict.verdict == Verification::Verdict::kRefuse) {
    RunFailure refused;
    refused.failure.reason = Reason::kMigrationFailed;
    refused.failure.version = step_.migration->Label();
    refused.failure.position = step_.migration->up.Locate(single.statement.position);
    refused.failure.message = single.verdict.message;
    refused.failure.hint = single.verdict.hint;
    return tl::make_unexpected(std::move(refused));
  }
  const int number = Number(single.index);
  const std::string intent = journal_.IntentSql(claim_, number, hash, single.found);
  if (single.verdict.verdict == Verification::Verdict::kDone)
    return Finish(single.index, intent + "; " + journal_.DoneSql(claim_, number));
  RunResult<postgres::Rows> written = Ours(intent, "recording what is about to be done");
  if (!written) return tl::make_unexpected(std::move(written.error()));
  RunResult<void> committed =
      OrFail(session_.connection().Commit(), "recording what is about to be done");
  claimed_ = claimed_ || committed.has_value();
  return committed;
}

/// What the catalog says now; as the file sees names. Afterwards the session is ours again.
RunResult<std::string> SteppedRun::Look(const Single& single) {
  if (RunResult<void> replayed = ReplaySettings(books_.timeouts().LocalSql()); !replayed)
    return tl::make_unexpected(std::move(replayed.error()));
  RunResult<std::string> now =
      OrFail(single.verifier->Find(session_.connection()), "looking into the catalog");
  if (!now) return now;
  RunResult<postgres::Rows> ours = Ours(books_.ReturnToOurselvesSql(), "looking into the catalog");
  if (!ours) return tl::make_unexpected(std::move(ours.error()));
  return now;
}

/// Whether a second session may hold the tool's table while the statement runs: not when it has to
/// wait for the holder (design §3, "Tools without an advisory lock").
bool SteppedRun::MayGuard(const Single& single) const {
  const history::ToolTable* tool = books_.LockedTable();
  if (tool == nullptr || single.facts.touches_all_tables) return false;
  using enum sql::NonTransactional;
  if (single.facts.non_transactional == kCreateSubscription ||
      single.facts.non_transactional == kCreateLogicalSlot) {
    return false;
  }
  const std::string name = tool->QualifiedName();
  return single.statement.text.find(name.substr(name.rfind('.') + 1)) == std::string_view::npos;
}

RunResult<void> SteppedRun::CarryGuarded(const Single& single) {
  if (!MayGuard(single)) return Carry(single);
  auto guard =
      TableGuard::Take(context_, session_.watch(), session_.connection(), *session_.tool());
  if (!guard) return tl::make_unexpected(std::move(guard.error()));
  if ((*guard)->tool_state() != tool_state_) return tl::make_unexpected(books_.TableChanged());
  return Carry(single);
}

RunResult<void> SteppedRun::Carry(const Single& single) {
  // Waiting for other transactions to end blocks nobody behind us; a lock request may.
  const bool waits = single.facts.non_transactional &&
                     sql::Describe(*single.facts.non_transactional).waits_for_transactions;
  const Timeouts timeouts =
      Timeouts(waits ? milliseconds(0) : context_.request.execution.lock_timeout, milliseconds(0))
          .With(outline_.file)
          .With(statements_.directives());
  // In messages of their own: several statements in one would be a transaction.
  RunResult<void> ready = ReplaySettings(timeouts.SessionSql());
  for (const std::string& sql : single.verdict.before) {
    if (!ready) return ready;
    RunResult<postgres::Rows> cleared = Ours(sql, "clearing away what an attempt left behind");
    if (!cleared) return tl::make_unexpected(std::move(cleared.error()));
  }
  return ready ? Send(single) : ready;
}

RunResult<void> SteppedRun::Send(const Single& single) {
  postgres::StreamStatement statement = single.statement;
  if (!single.verdict.instead.empty()) statement.text = single.verdict.instead;
  const bool fresh = single.facts.non_transactional &&
                     sql::Describe(*single.facts.non_transactional).needs_fresh_session;
  if (!fresh) return statements_.RunAlone(statement, session_.connection());
  // The main session holds the locks meanwhile.
  const SessionWatch::KeptAlive alive = session_.watch().KeepAlive(session_.connection());
  RunResult<postgres::Connection> connection = ConnectWhenReady(context_);
  if (!connection) return tl::make_unexpected(std::move(connection.error()));
  return statements_.RunAlone(statement, *connection);
}

RunResult<void> SteppedRun::Conclude(const Single& single) {
  RunResult<void> done = session_.Clean();
  if (done) done = BeginFenced("", journal_.FenceSql(claim_));
  if (!done) return done;
  RunResult<std::string> now = Look(single);
  if (!now) return tl::make_unexpected(std::move(now.error()));
  if (std::optional<std::string> wrong = single.verifier->Confirm(single.found, *now)) {
    RunFailure failure;
    failure.failure.reason = Reason::kMigrationFailed;
    failure.failure.version = step_.migration->Label();
    failure.failure.position = step_.migration->up.Locate(single.statement.position);
    failure.failure.message = std::move(*wrong);
    return tl::make_unexpected(std::move(failure));
  }
  return Finish(single.index, journal_.DoneSql(claim_, Number(single.index)));
}

/// After a failure for good, as far as the server lets us: what is left of it may cost every write.
void SteppedRun::ClearAway(const Single& single) {
  postgres::Connection& connection = session_.connection();
  if (!connection.usable() || !session_.Clean()) return;
  if (!Ours(books_.BeginSql(), "clearing away")) return connection.Rollback();
  RunResult<std::string> now = Look(single);
  connection.Rollback();
  if (!now || !ReplaySettings(books_.timeouts().SessionSql())) return;
  for (const std::string& sql : single.verifier->AfterFailure(single.found, *now)) {
    if (!Ours(sql, "clearing away")) return;
  }
}

RunResult<void> SteppedRun::BeginFenced(const std::string& modes, const std::string& fence_sql) {
  const std::string label = step_.migration->Label();
  const std::string claim = claimed_ ? std::string()
                                     : session_.ledger().ClaimSql(*step_.migration, step_.run,
                                                                  history::LedgerState::kRunning) +
                                           "; ";
  postgres::Connection& connection = session_.connection();
  auto begun = connection.Execute(books_.BeginSql(modes) + "; " + claim + fence_sql);
  if (!begun) {
    if (session_.ledger().IsClaimConflict(begun.error())) {
      return tl::make_unexpected(
          Bookkeeping::PlanAnew("version " + label + " was begun by another run just now"));
    }
    return tl::make_unexpected(FromPgError(begun.error(), "claiming version " + label));
  }
  if ((*begun)[0][0] != "1") {
    return tl::make_unexpected(
        Bookkeeping::PlanAnew("version " + label + " was taken over by another run just now"));
  }
  if (history::ToolTable* tool = books_.LockedTable()) {
    RunResult<std::string> state = ReadToolState(connection, *tool);
    if (!state) return tl::make_unexpected(std::move(state.error()));
    if (*state != tool_state_) return tl::make_unexpected(books_.TableChanged());
  }
  if (claimed_ || session_.tool() == nullptr) return {};
  return OrFail(session_.tool()->BeforeStep(connection, *step_.migration),
                "telling " + session_.tool()->Describe() + " that version " + label + " begins");
}

RunResult<void> SteppedRun::ReplaySettings(const std::string& timeouts_sql) {
  RunResult<postgres::Rows> set = Ours(replay_ + timeouts_sql, "setting what the file has set");
  if (!set) return tl::make_unexpected(std::move(set.error()));
  return {};
}

RunResult<void> SteppedRun::Finish(std::size_t index, const std::string& step_sql) {
  const std::string doing =
      "recording step " + std::to_string(index + 1) + " of version " + step_.migration->Label();
  std::string sql = step_sql;
  if (index + 1 == outline_.steps.size()) {
    RunResult<std::string> finish = books_.FinishSql(
        std::chrono::duration_cast<milliseconds>(context_.clock.SteadyNow() - began_), true);
    if (!finish) return tl::make_unexpected(std::move(finish.error()));
    sql += "; " + *finish;
  }
  if (RunResult<postgres::Rows> recorded = Ours(sql, doing); !recorded)
    return tl::make_unexpected(std::move(recorded.error()));
  if (history::ToolTable* tool = books_.LockedTable()) {
    RunResult<std::string> state = ReadToolState(session_.connection(), *tool);
    if (!state) return tl::make_unexpected(std::move(state.error()));
    tool_state_ = std::move(*state);
  }
  RunResult<void> committed = OrFail(session_.connection().Commit(), doing);
  claimed_ = claimed_ || committed.has_value();
  return committed;
}

RunResult<postgres::Rows> SteppedRun::Ours(const std::string& sql, const std::string& doing) {
  return OrFail(session_.connection().Execute(sql), doing);
}

const history::JournalRow* SteppedRun::JournalOf(std::size_t index) const {
  if (!step_.resume) return nullptr;
  const auto& rows = step_.resume->journal;
  const auto found = std::find_if(rows.begin(), rows.end(), [&](const history::JournalRow& row) {
    return row.step == Number(index);
  });
  return found == rows.end() ? nullptr : &*found;
}

RunFailure SteppedRun::WithProgress(RunFailure failure, std::size_t index) const {
  if (index == 0 || failure.transient) return failure;
  std::string& hint = failure.failure.hint;
  if (!hint.empty()) hint += "; ";
  hint += "the first " + std::to_string(index) + " of " + std::to_string(outline_.steps.size()) +
          " steps of the file are done and stay: change only what follows, and Whimbrel goes on "
          "there";
  return failure;
}

}  // namespace whimbrel::engine
