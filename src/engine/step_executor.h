#pragma once

#include <chrono>
#include <functional>
#include <string>
#include <vector>

#include "engine/run_context.h"
#include "engine/run_session.h"
#include "engine/script_outline.h"
#include "whimbrel/engine/plan.h"

namespace whimbrel::engine {

/// What one step left behind.
struct StepResult {
  std::chrono::milliseconds duration{0};
  std::string tool_state;  ///< Of the tool's table with our row in it (ToolStateSql).
};

/// Carries out one step of a plan: as one transaction where the file allows it, else step by step
/// with a journal. Afterwards the session is clean and outside a transaction, whatever happened, or
/// it is not usable.
///
/// `tool_state`: of the tool's table as the plan knows it. With plan_anew set in the failure, the
/// history has changed and nothing was done that it does not know.
RunResult<StepResult> ExecuteStep(RunContext& context, RunSession& session, const Step& step,
                                  const ScriptOutline& outline, const std::string& tool_state);

/// Carries out all steps in one transaction (execution.transaction All): all of them are applied,
/// or none. Every outline is one transaction. `begin` is called before each step, with its index.
RunResult<std::vector<StepResult>> ExecuteTogether(RunContext& context, RunSession& session,
                                                   const std::vector<Step>& steps,
                                                   const std::vector<ScriptOutline>& outlines,
                                                   std::string tool_state,
                                                   const std::function<void(std::size_t)>& begin);

}  // namespace whimbrel::engine
