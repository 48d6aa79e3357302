#pragma once

#include <map>
#include <string>
#include <utility>

#include "whimbrel/engine/plan.h"

namespace whimbrel::engine {

/// (kind, id): what one migration is called in a set.
using MigrationKey = std::pair<migration::Kind, std::string>;

/// The source's files by what they are called in a set. Views.
using FilesByKey = std::map<MigrationKey, const migration::ResolvedMigration*>;
[[nodiscard]] FilesByKey IndexFiles(const migration::ResolvedMigrations& resolved);

/// One migration as the database knows it: the newest row of the ledger, and what the tool's table
/// says.
struct Entry {
  const history::LedgerRow* newest = nullptr;
  const history::ToolRow* tool = nullptr;
  bool applied = false;
  bool withdrawn = false;  ///< The ledger says applied, the tool's table does not.

  /// Begun and not finished; such a row is never withdrawn.
  [[nodiscard]] bool running() const {
    return newest != nullptr && newest->state == history::LedgerState::kRunning;
  }
};

/// All that the database knows of this set, by key. Views into the input.
class EffectiveHistory {
 public:
  explicit EffectiveHistory(const PlanInput& input);

  [[nodiscard]] const std::map<MigrationKey, Entry>& entries() const { return entries_; }
  [[nodiscard]] const Entry* Find(const migration::ResolvedMigration& migration) const;
  /// Canonical version below or at which everything counts as applied; empty: none.
  [[nodiscard]] const migration::Version& baseline() const { return baseline_; }
  [[nodiscard]] bool AtOrBelowBaseline(const migration::Version& version) const;
  /// Rows of the ledger that say applied.
  [[nodiscard]] int ledger_applied() const { return ledger_applied_; }

 private:
  void AddLedger(const PlanInput& input);
  void AddTool(const history::ToolHistory& tool);

  std::map<MigrationKey, Entry> entries_;
  migration::Version baseline_;
  int ledger_applied_ = 0;
};

}  // namespace whimbrel::engine
