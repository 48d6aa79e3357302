#include "engine/effective_history.h"

#include <algorithm>

namespace whimbrel::engine {

using history::LedgerRow;
using history::LedgerState;
using migration::Kind;
using migration::Version;

namespace {

void RaiseTo(Version& version, const std::string& text) {
  Result<Version> parsed = Version::Parse(text);
  if (parsed && (version.empty() || *parsed > version)) version = *parsed;
}

}  // namespace

FilesByKey IndexFiles(const migration::ResolvedMigrations& resolved) {
  FilesByKey files;
  for (const auto& file : resolved.versioned)
    files.emplace(MigrationKey(file.kind, file.id()), &file);
  for (const auto& file : resolved.repeatable)
    files.emplace(MigrationKey(file.kind, file.id()), &file);
  return files;
}

EffectiveHistory::EffectiveHistory(const PlanInput& input) {
  AddLedger(input);
  if (input.tool) AddTool(*input.tool);
}

void EffectiveHistory::AddLedger(const PlanInput& input) {
  for (const LedgerRow& row : input.ledger) {
    if (row.kind == Kind::kBaseline) {
      if (row.state == LedgerState::kApplied) RaiseTo(baseline_, row.id);
      continue;
    }
    Entry& entry = entries_[{row.kind, row.id}];
    if (entry.newest == nullptr || row.run > entry.newest->run) entry.newest = &row;
  }
  for (auto& [key, entry] : entries_) {
    entry.applied = entry.newest->state == LedgerState::kApplied;
    if (entry.applied) ++ledger_applied_;
  }
}

void EffectiveHistory::AddTool(const history::ToolHistory& tool) {
  if (!tool.baseline_version.empty()) RaiseTo(baseline_, tool.baseline_version);
  for (const history::ToolRow& row : tool.applied) {
    if (row.kind != Kind::kBaseline) entries_[{row.kind, row.id}].tool = &row;
  }
  for (auto& [key, entry] : entries_) {
    const bool counts = entry.tool != nullptr && !entry.tool->failed;
    // A row that is still running is the ledger's business alone: the tool's row comes with its
    // last step.
    if (entry.running()) continue;
    entry.withdrawn = entry.applied && !counts;
    entry.applied = counts;
  }
}

const Entry* EffectiveHistory::Find(const migration::ResolvedMigration& migration) const {
  auto it = entries_.find({migration.kind, migration.id()});
  return it == entries_.end() ? nullptr : &it->second;
}

bool EffectiveHistory::AtOrBelowBaseline(const Version& version) const {
  return !baseline_.empty() && version <= baseline_;
}

}  // namespace whimbrel::engine
