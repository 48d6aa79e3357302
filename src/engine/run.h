#pragma once

#include <memory>
#include <optional>
#include <vector>

#include "engine/report_builder.h"
#include "engine/retry_policy.h"
#include "engine/run_context.h"
#include "engine/run_session.h"
#include "engine/script_outline.h"
#include "whimbrel/engine/plan.h"

namespace whimbrel::engine {

/// One attempt, from the request to its report, on the calling thread: connect → lock → read → plan
/// → execute, and again from the first step that a transient failure spoiled.
class Run {
 public:
  explicit Run(RunContext& context);

  report::RunReport Execute();

 private:
  RunResult<void> Once();
  RunResult<PlanInput> ReadHistory();
  RunResult<void> ReadTables(PlanInput& input);
  RunResult<void> ReadJournal(PlanInput& input);
  RunResult<void> CreateToolTable(PlanInput& input);
  RunResult<void> RecordBaseline(PlanInput& input);
  RunResult<void> Adopt(PlanInput& input);
  RunResult<void> RefuseCoveredSource(const PlanInput& input);
  RunResult<void> MakeThePlan(PlanInput input);
  void SettleUnsure();
  RunResult<void> OutlineSteps();
  RunResult<void> Apply();
  RunResult<void> ApplyStep(std::size_t index);
  RunResult<void> ApplyTogether();
  void Begin(std::size_t index);
  void SettleStep(const Step& step);
  RunResult<SlotPool::Slot> TakeSlot();
  [[nodiscard]] std::chrono::milliseconds Patience() const;
  [[nodiscard]] ReportState State() const;
  RunResult<void> InTransaction(const std::string& sql, const std::string& doing);
  void Note(report::Notice notice);

  RunContext& context_;
  RetryPolicy retries_;
  migration::ResolvedMigrations resolved_;
  std::unique_ptr<RunSession> session_;
  // Of the last session: a run may end while it has none.
  std::optional<postgres::ServerFacts> server_;
  std::string set_;
  /// What the plan was made from, and points into. Both stay until the next plan is made, so that
  /// whatever fails in between, the report says what was known.
  PlanInput input_;
  std::optional<Plan> plan_;
  std::string tool_state_;  ///< When the plan was made, or after our own last row (ToolStateSql).
  std::vector<ScriptOutline> outlines_;
  /// Their COMMIT was sent and never answered: those that the ledger has, this run applied.
  std::vector<Step> unsure_;
  std::vector<report::AppliedMigration> applied_now_;
  int total_ = 0;  ///< Migrations that this run wants to apply.
};

}  // namespace whimbrel::engine
