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

EffectiveHistory::EffectiveHistory(const PlanInput& input) {
  const std::size_t most = input.ledger.size() + (input.tool ? input.tool->applied.size() : 0);
  storage_.reserve(most);
  by_key_.reserve(most);
  AddLedger(input);
  if (input.tool) AddTool(*input.tool);
  AddFiles(input.resolved->versioned);
  AddFiles(input.resolved->repeatable);
  Sort();
}

Entry& EffectiveHistory::EntryOf(Kind kind, std::string_view id) {
  const auto [place, is_new] = by_key_.try_emplace(Key{kind, id}, nullptr);
  if (is_new) {
    place->second = &storage_.emplace_back();
    place->second->kind = kind;
    place->second->id = id;
    if (kind == Kind::kVersioned) place->second->version = Version::Parse(id).value_or(Version());
  }
  return *place->second;
}

void EffectiveHistory::AddLedger(const PlanInput& input) {
  for (const LedgerRow& row : input.ledger) {
    if (row.kind == Kind::kBaseline) {
      if (row.state == LedgerState::kApplied) RaiseTo(baseline_, row.id);
      continue;
    }
    Entry& entry = EntryOf(row.kind, row.id);
    if (entry.newest == nullptr || row.run > entry.newest->run) entry.newest = &row;
  }
  for (Entry& entry : storage_) {
    entry.applied = entry.newest->state == LedgerState::kApplied;
    if (entry.applied) ++ledger_applied_;
  }
}

void EffectiveHistory::AddTool(const history::ToolHistory& tool) {
  if (!tool.baseline_version.empty()) RaiseTo(baseline_, tool.baseline_version);
  for (const history::ToolRow& row : tool.applied) {
    if (row.kind != Kind::kBaseline) EntryOf(row.kind, row.id).tool = &row;
  }
  for (Entry& entry : storage_) {
    const bool counts = entry.tool != nullptr && !entry.tool->failed;
    // A row that is still running is the ledger's business alone: the tool's row comes with its
    // last step.
    if (entry.running()) continue;
    entry.withdrawn = entry.applied && !counts;
    entry.applied = counts;
  }
}

void EffectiveHistory::AddFiles(const std::vector<migration::ResolvedMigration>& files) {
  for (const auto& file : files) {
    const auto known = by_key_.find(Key{file.kind, file.id()});
    if (known != by_key_.end()) known->second->file = &file;
  }
}

void EffectiveHistory::Sort() {
  entries_.reserve(storage_.size());
  for (const Entry& entry : storage_) entries_.push_back(&entry);
  // By id, 10 would come before 9.
  const auto before = [](const Entry* a, const Entry* b) {
    if (a->kind != b->kind) return a->kind < b->kind;
    if (a->kind == Kind::kVersioned) return a->version < b->version;
    return a->id < b->id;
  };
  // A ledger that grew by itself is in order.
  if (!std::is_sorted(entries_.begin(), entries_.end(), before))
    std::stable_sort(entries_.begin(), entries_.end(), before);
}

const Entry* EffectiveHistory::Find(Kind kind, std::string_view id) const {
  const auto it = by_key_.find(Key{kind, id});
  return it == by_key_.end() ? nullptr : it->second;
}

bool EffectiveHistory::AtOrBelowBaseline(const Version& version) const {
  return !baseline_.empty() && version <= baseline_;
}

}  // namespace whimbrel::engine
