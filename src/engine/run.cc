#include "engine/run.h"

#include <algorithm>
#include <utility>

#include "engine/step_executor.h"
#include "engine/tool_state.h"
#include "whimbrel/migration/resolver.h"

namespace whimbrel::engine {

using report::Failure;
using report::Notice;
using report::Progress;
using report::Reason;

namespace {

/// A session that waits longer than this would be ended by its own idle timeout (60 s): better to
/// open a new one.
constexpr std::chrono::seconds kLongestIdleWait{20};

sql::TransactionMode DefaultMode(report::TransactionPolicy policy) {
  switch (policy) {
    case report::TransactionPolicy::kAll:
      return sql::TransactionMode::kOne;
    case report::TransactionPolicy::kNone:
      return sql::TransactionMode::kNone;
    case report::TransactionPolicy::kPerMigration:
      break;
  }
  return sql::TransactionMode::kDefault;
}

Failure CoveredBy(const std::string& set, const std::string& other) {
  Failure failure;
  failure.reason = Reason::kHistoryConflict;
  failure.message =
      "the history \"" + set +
      "\" is empty, but the same files, from the first one on, are applied in this database under "
      "the history \"" +
      other + "\"; nothing was run";
  failure.hint =
      "go on with that history (history.set, or history.table, as before); or, when the files are "
      "really to be "
      "applied a second time, set history.adopt to Never";
  return failure;
}

}  // namespace

Run::Run(RunContext& context)
    : context_(context),
      retries_(context.request.execution.lock_timeout, context.request.execution.lock_budget,
               context.random) {}

report::RunReport Run::Execute() {
  const report::RunRequest& request = context_.request;
  Result<migration::ResolvedMigrations> resolved =
      migration::Resolve(*request.source, request.format);
  if (!resolved) return FailedReport(context_, FromSourceError(resolved.error(), ""), {});
  resolved_ = std::move(*resolved);

  while (true) {
    RunResult<void> once = Once();
    if (once) return SucceededReport(context_, State());
    const std::optional<RetryPolicy::Retry> retry =
        retries_.Decide(once.error(), context_.clock.SteadyNow());
    if (!retry) return FailedReport(context_, GaveUp(std::move(once.error())), State());

    if (!once.error().plan_anew) Note({Notice::Kind::kRetried, once.error().failure.message});
    context_.progress.Enter(Progress::Phase::kRetrying, once.error().failure.message);
    const bool keep = !retry->reconnect && retry->wait < kLongestIdleWait && session_ != nullptr &&
                      session_->connection().usable() && session_->Reuse().has_value();
    if (!keep) session_.reset();
    RunResult<void> slept = context_.Sleep(retry->wait, "waiting to try again");
    if (!slept) return FailedReport(context_, std::move(slept.error()), State());
  }
}

ReportState Run::State() const {
  return {.resolved = &resolved_,
          .server = server_ ? &*server_ : nullptr,
          .set = set_,
          .plan = plan_ ? &*plan_ : nullptr,
          .applied_now = &applied_now_};
}

RunResult<void> Run::Once() {
  if (session_ == nullptr) {
    RunResult<std::unique_ptr<RunSession>> opened = RunSession::Open(context_, resolved_.format);
    if (!opened) return tl::make_unexpected(opened.error());
    session_ = std::move(*opened);
    server_ = session_->facts();
    set_ = session_->ledger().set();
  }
  context_.progress.Enter(Progress::Phase::kPlanning);
  RunResult<PlanInput> input = ReadHistory();
  if (!input) return tl::make_unexpected(std::move(input.error()));
  if (RunResult<void> planned = MakeThePlan(std::move(*input)); !planned) return planned;
  if (RunResult<void> outlined = OutlineSteps(); !outlined) return outlined;
  return Apply();
}

RunResult<void> Run::ReadTables(PlanInput& input) {
  auto ledger = OrFail(session_->ledger().Read(session_->connection()), "reading the ledger");
  if (!ledger) return tl::make_unexpected(ledger.error());
  input.ledger = std::move(*ledger);
  if (RunResult<void> read = ReadJournal(input); !read) return read;
  input.tool.reset();
  history::ToolTable* tool = session_->tool();
  if (tool == nullptr) return {};
  // Before the rows: what somebody writes in between shows as a difference when the first file
  // looks again, and never goes unnoticed.
  RunResult<std::string> state = ReadToolState(session_->connection(), *tool);
  if (!state) return tl::make_unexpected(state.error());
  auto read = OrFail(tool->Read(session_->connection(), resolved_), "reading " + tool->Describe());
  if (!read) return tl::make_unexpected(read.error());
  tool_state_ = std::move(*state);
  input.tool = std::move(*read);
  return {};
}

RunResult<void> Run::ReadJournal(PlanInput& input) {
  input.journal.clear();
  const bool running = std::any_of(input.ledger.begin(), input.ledger.end(), [](const auto& row) {
    return row.state == history::LedgerState::kRunning;
  });
  if (!running) return {};
  const history::Journal journal(session_->ledger().schema(), session_->ledger().set());
  auto rows = OrFail(journal.Read(session_->connection()), "reading the journal");
  if (!rows) return tl::make_unexpected(std::move(rows.error()));
  input.journal = std::move(*rows);
  return {};
}

RunResult<PlanInput> Run::ReadHistory() {
  const report::RunRequest& request = context_.request;
  PlanInput input{.resolved = &resolved_,
                  .set = session_->ledger().set(),
                  .target_version = request.target_version,
                  .out_of_order = request.execution.out_of_order,
                  .adopt = request.history.adopt,
                  .baseline_version = request.history.baseline_version};
  RunResult<void> done = ReadTables(input);
  if (done) {
    for (auto check : {&CheckBaseline, &CheckAdoption}) {
      if (std::optional<Failure> refused = check(input))
        return tl::make_unexpected(FromFailure(std::move(*refused)));
    }
    done = RefuseCoveredSource(input);
  }
  if (done) done = CreateToolTable(input);
  if (done) done = RecordBaseline(input);
  if (done) done = Adopt(input);
  if (!done) return tl::make_unexpected(std::move(done.error()));
  return input;
}

RunResult<void> Run::RefuseCoveredSource(const PlanInput& input) {
  const bool empty = input.ledger.empty() && (!input.tool || input.tool->applied.empty());
  if (!empty || input.adopt == report::Adopt::kNever) return {};
  auto other = OrFail(session_->ledger().FindCoveringSet(session_->connection(), resolved_),
                      "looking at other histories");
  if (!other) return tl::make_unexpected(other.error());
  if (other->empty()) return {};
  return tl::make_unexpected(FromFailure(CoveredBy(input.set, *other)));
}

RunResult<void> Run::CreateToolTable(PlanInput& input) {
  if (!input.tool || input.tool->exists || !input.ledger.empty()) return {};
  auto created = OrFail(session_->tool()->Create(session_->connection()),
                        "creating " + session_->tool()->Describe());
  if (created) input.tool->exists = true;
  return created;
}

RunResult<void> Run::RecordBaseline(PlanInput& input) {
  const std::optional<history::LedgerRow> baseline = BaselineRow(input);
  if (!baseline) return {};
  std::string sql = session_->ledger().ImportSql({*baseline});
  if (history::ToolTable* tool = session_->tool()) {
    const std::string row =
        tool->OnBaselineSql(*migration::Version::Parse(baseline->version), resolved_);
    if (!row.empty()) sql += "; " + row;
  }
  if (RunResult<void> done = InTransaction(sql, "recording the baseline"); !done) return done;
  Note({Notice::Kind::kBaselined,
        "versions up to " + baseline->version + " count as applied (history.baselineVersion)"});
  return ReadTables(input);
}

RunResult<void> Run::Adopt(PlanInput& input) {
  const std::vector<history::LedgerRow> rows = RowsToImport(input);
  if (rows.empty()) return {};
  RunResult<void> done = InTransaction(session_->ledger().ImportSql(rows),
                                       "importing " + session_->tool()->Describe());
  if (!done) return done;
  Note({Notice::Kind::kImported, std::to_string(rows.size()) +
                                     " applied migrations were taken over from " +
                                     session_->tool()->Describe()});
  return ReadTables(input);
}

RunResult<void> Run::InTransaction(const std::string& sql, const std::string& doing) {
  postgres::Connection& connection = session_->connection();
  auto written = OrFail(
      connection.Execute("BEGIN; SET LOCAL search_path = pg_catalog, pg_temp; " + sql), doing);
  if (!written) {
    connection.Rollback();
    return tl::make_unexpected(written.error());
  }
  RunResult<void> committed = OrFail(connection.Commit(), doing);
  if (!committed) connection.Rollback();
  return committed;
}

RunResult<void> Run::MakeThePlan(PlanInput input) {
  Result<Plan, Failure> plan = MakePlan(input);
  if (!plan) return tl::make_unexpected(FromFailure(std::move(plan.error())));
  for (Notice& notice : plan->notices) Note(std::move(notice));
  plan->notices.clear();
  // The plan points to rows of the ledger, which stay where they are when their vector moves.
  plan_ = std::move(*plan);
  input_ = std::move(input);
  SettleUnsure();
  return {};
}

void Run::SettleUnsure() {
  for (const Step& step : std::exchange(unsure_, {})) SettleStep(step);
}

void Run::SettleStep(const Step& step) {
  const auto is_it = [&](const history::LedgerRow& row) {
    return row.kind == step.migration->kind && row.id == step.migration->id() &&
           row.run == step.run && row.state == history::LedgerState::kApplied;
  };
  const auto row = std::find_if(input_.ledger.begin(), input_.ledger.end(), is_it);
  if (row == input_.ledger.end()) return;
  applied_now_.push_back(DescribeApplied(step, std::chrono::milliseconds(row->duration_ms),
                                         row->applied_at.value_or(context_.clock.SystemNow())));
  retries_.Reset();
}

RunResult<void> Run::OutlineSteps() {
  outlines_.clear();
  const OutlineOptions options = {
      .standard_conforming_strings = session_->connection().standard_conforming_strings(),
      .transaction = DefaultMode(context_.request.execution.transaction)};
  SteadyTime last_sign = context_.clock.SteadyNow();
  for (const Step& step : plan_->steps) {
    // A folder of many GiB takes longer to read than the server lets a session be quiet.
    if (context_.clock.SteadyNow() - last_sign >= kLongestIdleWait) {
      if (RunResult<void> alive = session_->KeepAlive(); !alive) return alive;
      last_sign = context_.clock.SteadyNow();
    }
    Result<ScriptOutline> outline = OutlineMigration(*step.migration, options);
    if (!outline)
      return tl::make_unexpected(FromSourceError(outline.error(), step.migration->Label()));
    outlines_.push_back(std::move(*outline));
  }
  return {};
}

std::chrono::milliseconds Run::Patience() const {
  const auto left = std::chrono::ceil<std::chrono::milliseconds>(context_.limits.deadline -
                                                                 context_.clock.SteadyNow());
  return std::clamp<std::chrono::milliseconds>(left, std::chrono::milliseconds(0),
                                               kLongestIdleWait);
}

RunResult<SlotPool::Slot> Run::TakeSlot() {
  SlotPool::Slot slot = context_.slots.TryAcquire();
  while (!slot.held()) {
    context_.progress.Enter(Progress::Phase::kWaitingForSlot,
                            "maxConcurrentMigrations others are running");
    slot = context_.slots.Acquire(Patience(), context_.limits.stop);
    if (RunResult<void> alive = context_.Sleep(Duration(0), "waiting for a slot"); !alive) {
      return tl::make_unexpected(alive.error());
    }
    if (slot.held()) break;
    if (RunResult<void> alive = session_->KeepAlive(); !alive)
      return tl::make_unexpected(alive.error());
  }
  return slot;
}

RunResult<void> Run::Apply() {
  if (plan_->steps.empty()) return {};
  RunResult<SlotPool::Slot> slot = TakeSlot();
  if (!slot) return tl::make_unexpected(slot.error());
  total_ = static_cast<int>(applied_now_.size() + plan_->steps.size());
  if (context_.request.execution.transaction == report::TransactionPolicy::kAll) {
    if (RunResult<void> applied = ApplyTogether(); !applied) return applied;
  } else {
    for (std::size_t i = 0; i < plan_->steps.size(); ++i) {
      if (RunResult<void> applied = ApplyStep(i); !applied) return applied;
    }
  }
  context_.progress.EndMigrations();
  return {};
}

void Run::Begin(std::size_t index) {
  const migration::ResolvedMigration& migration = *plan_->steps[index].migration;
  const int done = total_ - static_cast<int>(plan_->steps.size() - index);
  context_.progress.BeginMigration(migration.Label(), migration.path, outlines_[index].statements,
                                   done, total_);
}

RunResult<void> Run::ApplyStep(std::size_t index) {
  const Step& step = plan_->steps[index];
  Begin(index);
  RunResult<StepResult> done =
      ExecuteStep(context_, *session_, step, outlines_[index], tool_state_);
  if (!done) {
    const auto& cause = done.error().cause;
    if (cause && cause->outcome_unknown) unsure_ = {step};
    return tl::make_unexpected(std::move(done.error()));
  }
  tool_state_ = std::move(done->tool_state);
  applied_now_.push_back(DescribeApplied(step, done->duration, context_.clock.SystemNow()));
  retries_.Reset();
  return {};
}

RunResult<void> Run::ApplyTogether() {
  RunResult<std::vector<StepResult>> done =
      ExecuteTogether(context_, *session_, plan_->steps, outlines_, tool_state_,
                      [this](std::size_t index) { Begin(index); });
  if (!done) {
    const auto& cause = done.error().cause;
    if (cause && cause->outcome_unknown) unsure_ = plan_->steps;
    return tl::make_unexpected(std::move(done.error()));
  }
  for (std::size_t i = 0; i < done->size(); ++i) {
    applied_now_.push_back(
        DescribeApplied(plan_->steps[i], (*done)[i].duration, context_.clock.SystemNow()));
  }
  tool_state_ = std::move(done->back().tool_state);
  retries_.Reset();
  return {};
}

void Run::Note(Notice notice) {
  const auto same = [&](const Notice& other) {
    return other.kind == notice.kind && other.message == notice.message;
  };
  if (std::none_of(context_.notices.begin(), context_.notices.end(), same))
    context_.notices.push_back(std::move(notice));
}

}  // namespace whimbrel::engine
