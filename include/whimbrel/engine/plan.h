#pragma once

#include <optional>
#include <string>
#include <vector>

#include "whimbrel/base/error.h"
#include "whimbrel/history/applied_row.h"
#include "whimbrel/history/journal.h"
#include "whimbrel/migration/resolved_migration.h"
#include "whimbrel/report/run_report.h"
#include "whimbrel/report/run_request.h"

namespace whimbrel::engine {

/// An earlier attempt began this file, which is not one transaction, and did not come to its end.
struct Resume {
  int attempt = 1;                           ///< As the ledger's row has it.
  std::vector<history::JournalRow> journal;  ///< Of this run, by step.
};

/// One migration to apply. Whether it is one transaction or several steps its text decides, which
/// is read after planning (ScriptOutline).
struct Step {
  const migration::ResolvedMigration* migration = nullptr;  ///< Owned by PlanInput::resolved.
  /// Fixed when the plan is made: the claim inserts exactly this number, so that the fence holds
  /// even where a lock does not.
  int run = 1;
  /// An older row of the ledger that the tool's table took back; becomes `withdrawn` together with
  /// this one's success.
  bool withdraws_previous = false;
  std::optional<Resume> resume;
};

/// Everything that a plan depends on; all of it was read under the run's locks.
struct PlanInput {
  const migration::ResolvedMigrations* resolved = nullptr;
  std::vector<history::LedgerRow> ledger;    ///< Rows of this set.
  std::vector<history::JournalRow> journal;  ///< Of rows that are running.
  std::optional<history::ToolHistory> tool;  ///< Set when a tool's table is kept.
  std::string set;                           ///< Name of the set, for messages.
  std::string target_version;                ///< Empty: the newest.
  report::OutOfOrder out_of_order = report::OutOfOrder::kReject;
  report::Adopt adopt = report::Adopt::kDetect;
  std::string baseline_version;  ///< Empty: none.
};

/// What is applied as far as this set is concerned, after the tool's table had its say.
struct AppliedState {
  const history::LedgerRow* row = nullptr;             ///< Newest run; owned by PlanInput::ledger.
  const migration::ResolvedMigration* file = nullptr;  ///< nullptr: the source has none.
};

/// What to do, in order, and what was found out on the way. Pure data; its digest will be what an
/// approval approves.
struct Plan {
  std::vector<Step> steps;
  std::vector<AppliedState> applied;  ///< Versioned ascending, then repeatables.
  std::vector<report::Notice> notices;
  std::string current_version;  ///< Display text of the highest applied version; empty: none.
  std::string target_version;   ///< Display text of the version that will be current at the end.
};

/// Whether history.adopt allows what was found; nullopt: it does. Pure.
[[nodiscard]] std::optional<report::Failure> CheckAdoption(const PlanInput& input);

/// Whether history.baselineVersion is a version at all; nullopt: it is, or none is given. Pure.
[[nodiscard]] std::optional<report::Failure> CheckBaseline(const PlanInput& input);

/// Rows of the tool's table that the ledger lacks: to be recorded, in a transaction of their own,
/// before planning (design §3, "Which truth wins"). Pure.
[[nodiscard]] std::vector<history::LedgerRow> RowsToImport(const PlanInput& input);

/// What to record as applied without running it, when history.baselineVersion is given and the set
/// is empty: one row of kind B, or none. Pure.
[[nodiscard]] std::optional<history::LedgerRow> BaselineRow(const PlanInput& input);

/// Compares what should be there with what is there. Pure. A failure is for a person and says what
/// differs and what to do; it means that nothing of this plan may run.
[[nodiscard]] Result<Plan, report::Failure> MakePlan(const PlanInput& input);

}  // namespace whimbrel::engine
