#pragma once

#include <string>
#include <vector>

#include "engine/run_context.h"
#include "whimbrel/engine/plan.h"
#include "whimbrel/postgres/readiness.h"
#include "whimbrel/report/run_report.h"

namespace whimbrel::engine {

/// What is known when a run ends; null where it did not come so far.
struct ReportState {
  const migration::ResolvedMigrations* resolved = nullptr;
  const postgres::ServerFacts* server = nullptr;
  std::string set = {};  ///< Of the ledger; empty before it was resolved.
  const Plan* plan = nullptr;
  const std::vector<report::AppliedMigration>* applied_now = nullptr;
};

[[nodiscard]] report::AppliedMigration DescribeApplied(const Step& step,
                                                       std::chrono::milliseconds duration,
                                                       SystemTime now);
[[nodiscard]] report::RunReport SucceededReport(const RunContext& context,
                                                const ReportState& state);
[[nodiscard]] report::RunReport FailedReport(const RunContext& context, RunFailure failure,
                                             const ReportState& state);

}  // namespace whimbrel::engine
