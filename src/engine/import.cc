#include "engine/effective_history.h"
#include "whimbrel/engine/plan.h"

namespace whimbrel::engine {

using history::LedgerRow;
using history::LedgerState;
using history::Origin;
using history::ToolRow;
using migration::Kind;
using migration::ResolvedMigration;

namespace {

/// A repeatable is recorded anew only when the tool ran another text than we did last.
bool IsNews(const ToolRow& row, const Entry& entry) {
  if (entry.newest == nullptr) return true;
  if (entry.newest->state == LedgerState::kRunning) return false;
  if (row.kind == Kind::kRepeatable) return row.sum && entry.newest->sum != row.sum;
  return entry.newest->state != LedgerState::kApplied;
}

LedgerRow ToLedgerRow(const ToolRow& row, const Entry& entry) {
  LedgerRow imported;
  imported.kind = row.kind;
  imported.id = row.id;
  imported.run = entry.newest == nullptr ? 1 : entry.newest->run + 1;
  imported.version = row.version;
  imported.description = row.description;
  imported.path = row.path;
  imported.origin = Origin::kImported;
  imported.applied_at = row.applied_at;
  imported.sum = row.sum;
  const ResolvedMigration* file = entry.file;
  if (file == nullptr) return imported;
  if (row.description.empty()) imported.description = file->description;
  if (imported.path.empty()) imported.path = file->path;
  if (!row.sum) {
    imported.sum = file->sum;
    imported.sum_verified = false;
  }
  if (imported.sum == file->sum) imported.raw_sum = file->raw_sum;
  return imported;
}

}  // namespace

std::optional<report::Failure> CheckAdoption(const PlanInput& input) {
  report::Failure failure;
  failure.reason = report::Reason::kHistoryConflict;
  const bool found = input.tool && !input.tool->applied.empty();
  if (input.adopt == report::Adopt::kRequire && !found && input.ledger.empty()) {
    failure.message = "history.adopt is Require, but there is no history of another tool to adopt" +
                      (input.tool ? ": " + input.set + " is empty or not there" : std::string());
    failure.hint =
        "name the table in history.table, or set history.adopt to Detect to begin a new history";
    return failure;
  }
  if (input.adopt == report::Adopt::kNever && found && !RowsToImport(input).empty()) {
    failure.message =
        "history.adopt is Never, but " + input.set + " has rows that Whimbrel did not write";
    failure.hint = "set history.adopt to Detect to go on from them";
    return failure;
  }
  return std::nullopt;
}

std::optional<report::Failure> CheckBaseline(const PlanInput& input) {
  if (input.baseline_version.empty()) return std::nullopt;
  Result<migration::Version> version = migration::Version::Parse(input.baseline_version);
  if (version && !version->empty()) return std::nullopt;
  report::Failure failure;
  failure.reason = report::Reason::kInvalidSpec;
  failure.message = "history.baselineVersion \"" + input.baseline_version + "\" is not a version";
  failure.hint = "write it as the file names do: 7, 20250603120000 or 1.2";
  return failure;
}

std::vector<LedgerRow> RowsToImport(const PlanInput& input) {
  std::vector<LedgerRow> rows;
  if (!input.tool) return rows;
  const EffectiveHistory known(input);
  for (const Entry* entry : known.entries()) {
    const ToolRow* row = entry->tool;
    if (row == nullptr || row->failed || !IsNews(*row, *entry)) continue;
    rows.push_back(ToLedgerRow(*row, *entry));
  }
  return rows;
}

std::optional<LedgerRow> BaselineRow(const PlanInput& input) {
  if (input.baseline_version.empty() || !input.ledger.empty()) return std::nullopt;
  if (input.tool && (!input.tool->applied.empty() || !input.tool->baseline_version.empty()))
    return std::nullopt;
  Result<migration::Version> version = migration::Version::Parse(input.baseline_version);
  if (!version) return std::nullopt;
  LedgerRow row;
  row.kind = Kind::kBaseline;
  row.id = version->canonical();
  row.version = version->display();
  row.description = "baseline";
  row.origin = Origin::kBaseline;
  return row;
}

}  // namespace whimbrel::engine
