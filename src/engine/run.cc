#include "engine/run.h"

#include <algorithm>
#include <utility>

#include "engine/report_builder.h"
#include "engine/step_executor.h"
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

Failure CoveredBy(const std::string& set, const std::string& other) {
  Failure failure;
  failure.reason = Reason::kHistoryConflict;
  failure.message =
      "the history \"" + set +
      "\" is empty, but the same files are applied in this database under the history \"" + other +
      "\"; nothing was run";
  failure.hint =
      "go on with that history (history.set, or history.table, as before); or, when the files are "
      "really to be "
      "applied a second time, set history.adopt to Never";
  return failure;
}

}  // namespace

Run::Run(RunContext& context)
    : context_(context),
      retries_(context.request.execution.lock_timeout,
               context.clock.SteadyNow() + context.request.execution.lock_budget, context.random) {}

report::RunReport Run::Execute() {
  const report::RunRequest& request = context_.request;
  Result<migration::ResolvedMigrations> resolved =
      migration::Resolve(*request.source, request.format);
  if (!resolved) return FailedReport(context_, FromSourceError(resolved.error(), ""), {});
  resolved_ = std::move(*resolved);

  while (true) {
    RunResult<void> once = Once();
    const ReportState state{.resolved = &resolved_,
                            .session = session_.get(),
                            .plan = plan_ ? &*plan_ : nullptr,
                            .applied_now = &applied_now_};
    if (once) return SucceededReport(context_, state);
    const std::optional<RetryPolicy::Retry> retry =
        retries_.Decide(once.error(), context_.clock.SteadyNow());
    if (!retry) return FailedReport(context_, std::move(once.error()), state);

    if (!once.error().plan_anew) Note({Notice::Kind::kRetried, once.error().failure.message});
    context_.Enter(Progress::Phase::kRetrying, once.error().failure.message);
    const bool keep = !retry->reconnect && retry->wait < kLongestIdleWait && session_ != nullptr &&
                      session_->connection().usable() && session_->Clean().has_value();
    if (!keep) session_.reset();
    RunResult<void> slept = context_.Sleep(retry->wait, "waiting to try again");
    if (!slept) return FailedReport(context_, std::move(slept.error()), state);
  }
}

RunResult<void> Run::Once() {
  if (session_ == nullptr) {
    RunResult<std::unique_ptr<RunSession>> opened = RunSession::Open(context_, resolved_.format);
    if (!opened) return tl::make_unexpected(opened.error());
    session_ = std::move(*opened);
  }
  context_.Enter(Progress::Phase::kPlanning);
  if (RunResult<void> read = ReadHistory(); !read) return read;
  if (RunResult<void> planned = MakeThePlan(); !planned) return planned;
  if (RunResult<void> outlined = OutlineSteps(); !outlined) return outlined;
  return Apply();
}

RunResult<void> Run::ReadTables() {
  auto ledger = OrFail(session_->ledger().Read(session_->connection()), "reading the ledger");
  if (!ledger) return tl::make_unexpected(ledger.error());
  input_.ledger = std::move(*ledger);
  input_.tool.reset();
  if (history::ToolTable* tool = session_->tool()) {
    auto read =
        OrFail(tool->Read(session_->connection(), resolved_), "reading " + tool->Describe());
    if (!read) return tl::make_unexpected(read.error());
    input_.tool = std::move(*read);
  }
  return {};
}

RunResult<void> Run::ReadHistory() {
  const report::RunRequest& request = context_.request;
  input_ = PlanInput{.resolved = &resolved_,
                     .set = session_->ledger().set(),
                     .target_version = request.target_version,
                     .out_of_order = request.execution.out_of_order,
                     .adopt = request.history.adopt,
                     .baseline_version = request.history.baseline_version};
  if (RunResult<void> read = ReadTables(); !read) return read;
  if (std::optional<Failure> refused = CheckAdoption(input_))
    return tl::make_unexpected(FromFailure(*refused));
  if (RunResult<void> refused = RefuseCoveredSource(); !refused) return refused;
  if (input_.tool && !input_.tool->exists && input_.ledger.empty()) {
    auto created = OrFail(session_->tool()->Create(session_->connection()),
                          "creating " + session_->tool()->Describe());
    if (!created) return created;
    input_.tool->exists = true;
  }
  if (RunResult<void> recorded = RecordBaseline(); !recorded) return recorded;
  return Adopt();
}

RunResult<void> Run::RefuseCoveredSource() {
  const bool empty = input_.ledger.empty() && (!input_.tool || input_.tool->applied.empty());
  if (!empty || input_.adopt == report::Adopt::kNever) return {};
  std::vector<const migration::ResolvedMigration*> files;
  for (const auto& file : resolved_.versioned) files.push_back(&file);
  for (const auto& file : resolved_.repeatable) files.push_back(&file);
  auto other = OrFail(session_->ledger().FindCoveringSet(session_->connection(), files),
                      "looking at other histories");
  if (!other) return tl::make_unexpected(other.error());
  if (other->empty()) return {};
  return tl::make_unexpected(FromFailure(CoveredBy(input_.set, *other)));
}

RunResult<void> Run::RecordBaseline() {
  const std::optional<history::LedgerRow> baseline = BaselineRow(input_);
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
  return ReadTables();
}

RunResult<void> Run::Adopt() {
  const std::vector<history::LedgerRow> rows = RowsToImport(input_);
  if (rows.empty()) return {};
  RunResult<void> done = InTransaction(session_->ledger().ImportSql(rows),
                                       "importing " + session_->tool()->Describe());
  if (!done) return done;
  Note({Notice::Kind::kImported, std::to_string(rows.size()) +
                                     " applied migrations were taken over from " +
                                     session_->tool()->Describe()});
  return ReadTables();
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

RunResult<void> Run::MakeThePlan() {
  Result<Plan, Failure> plan = MakePlan(input_);
  if (!plan) {
    plan_.reset();
    return tl::make_unexpected(FromFailure(plan.error()));
  }
  plan_ = std::move(*plan);
  for (Notice& notice : plan_->notices) Note(std::move(notice));
  plan_->notices.clear();
  return {};
}

RunResult<void> Run::OutlineSteps() {
  outlines_.clear();
  for (const Step& step : plan_->steps) {
    Result<ScriptOutline> outline =
        OutlineScript(step.migration->up, session_->connection().standard_conforming_strings());
    if (!outline)
      return tl::make_unexpected(FromSourceError(outline.error(), step.migration->Label()));
    outlines_.push_back(std::move(*outline));
  }
  return {};
}

RunResult<SlotPool::Slot> Run::TakeSlot() {
  SlotPool::Slot slot = context_.slots.TryAcquire();
  while (!slot.held()) {
    context_.Enter(Progress::Phase::kWaitingForSlot, "maxConcurrentMigrations others are running");
    slot = context_.slots.Acquire(kLongestIdleWait, context_.limits.stop);
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
  context_.progress.total = static_cast<int>(applied_now_.size() + plan_->steps.size());
  for (std::size_t i = 0; i < plan_->steps.size(); ++i) {
    if (RunResult<void> applied = ApplyStep(i); !applied) return applied;
  }
  context_.progress.version.clear();
  return {};
}

RunResult<void> Run::ApplyStep(std::size_t index) {
  const Step& step = plan_->steps[index];
  context_.progress.version = step.migration->Label();
  context_.progress.done = static_cast<int>(applied_now_.size());
  context_.Enter(Progress::Phase::kMigrating);
  const std::size_t tool_rows = (input_.tool ? input_.tool->applied.size() : 0) + index;
  RunResult<StepResult> done =
      StepExecutor(context_, *session_, resolved_).Execute(step, outlines_[index], tool_rows);
  if (!done) return tl::make_unexpected(done.error());
  applied_now_.push_back(DescribeApplied(step, done->duration, context_.clock.SystemNow()));
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
