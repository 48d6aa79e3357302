#pragma once

#include <memory>
#include <optional>
#include <vector>

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
  RunResult<void> ReadHistory();
  RunResult<void> ReadTables();
  RunResult<void> Adopt();
  RunResult<void> RecordBaseline();
  RunResult<void> RefuseCoveredSource();
  RunResult<void> MakeThePlan();
  RunResult<void> OutlineSteps();
  RunResult<void> Apply();
  RunResult<void> ApplyStep(std::size_t index);
  RunResult<SlotPool::Slot> TakeSlot();
  RunResult<void> InTransaction(const std::string& sql, const std::string& doing);
  void Note(report::Notice notice);

  RunContext& context_;
  RetryPolicy retries_;
  migration::ResolvedMigrations resolved_;
  std::unique_ptr<RunSession> session_;
  PlanInput input_;
  std::optional<Plan> plan_;
  std::vector<ScriptOutline> outlines_;
  std::vector<report::AppliedMigration> applied_now_;
};

}  // namespace whimbrel::engine
