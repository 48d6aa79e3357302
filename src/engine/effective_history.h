#pragma once

#include <cstddef>
#include <functional>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "whimbrel/engine/plan.h"

namespace whimbrel::engine {

/// One migration as the database knows it: the newest row of the ledger, and what the tool's table
/// says.
struct Entry {
  migration::Kind kind = migration::Kind::kVersioned;
  std::string_view id;         ///< As LedgerRow::id.
  migration::Version version;  ///< Of `id`; empty for repeatables and for what is no version.
  const migration::ResolvedMigration* file = nullptr;  ///< nullptr: the source has none.
  const history::LedgerRow* newest = nullptr;
  const history::ToolRow* tool = nullptr;
  bool applied = false;
  bool withdrawn = false;  ///< The ledger says applied, the tool's table does not.

  /// Begun and not finished; such a row is never withdrawn.
  [[nodiscard]] bool running() const {
    return newest != nullptr && newest->state == history::LedgerState::kRunning;
  }
};

/// All that the database knows of this set. Views into the input.
class EffectiveHistory {
 public:
  explicit EffectiveHistory(const PlanInput& input);
  EffectiveHistory(const EffectiveHistory&) = delete;
  EffectiveHistory& operator=(const EffectiveHistory&) = delete;

  /// Repeatables by description, then versioned, ascending.
  [[nodiscard]] const std::vector<const Entry*>& entries() const { return entries_; }
  /// nullptr: the database does not know it.
  [[nodiscard]] const Entry* Find(migration::Kind kind, std::string_view id) const;
  [[nodiscard]] const Entry* Find(const migration::ResolvedMigration& migration) const {
    return Find(migration.kind, migration.id());
  }
  /// Canonical version below or at which everything counts as applied; empty: none.
  [[nodiscard]] const migration::Version& baseline() const { return baseline_; }
  [[nodiscard]] bool AtOrBelowBaseline(const migration::Version& version) const;
  /// Rows of the ledger that say applied.
  [[nodiscard]] int ledger_applied() const { return ledger_applied_; }

 private:
  /// What one migration is called in a set.
  struct Key {
    migration::Kind kind;
    std::string_view id;
    friend bool operator==(const Key&, const Key&) = default;
  };
  struct KeyHash {
    std::size_t operator()(const Key& key) const {
      return std::hash<std::string_view>()(key.id) ^ static_cast<std::size_t>(key.kind);
    }
  };

  Entry& EntryOf(migration::Kind kind, std::string_view id);
  void AddLedger(const PlanInput& input);
  void AddTool(const history::ToolHistory& tool);
  void AddFiles(const std::vector<migration::ResolvedMigration>& files);
  void Sort();

  std::vector<Entry> storage_;  ///< Never grows beyond what was reserved: others point into it.
  std::unordered_map<Key, Entry*, KeyHash> by_key_;
  std::vector<const Entry*> entries_;
  migration::Version baseline_;
  int ledger_applied_ = 0;
};

}  // namespace whimbrel::engine
