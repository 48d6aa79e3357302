#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "whimbrel/base/clock.h"
#include "whimbrel/migration/resolved_migration.h"

namespace whimbrel::history {

/// States of a ledger row (design §3, Tables).
enum class LedgerState { kRunning, kApplied, kWithdrawn, kUndone };

/// Where a ledger row came from.
enum class Origin { kOwn, kImported, kBaseline };

/// One row of whimbrel_migration.
struct LedgerRow {
  migration::Kind kind = migration::Kind::kVersioned;
  std::string id;  ///< Canonical version or repeatable description.
  int run = 1;
  LedgerState state = LedgerState::kApplied;
  int attempt = 1;
  std::string version;  ///< Display text; empty for repeatables.
  std::string description;
  std::string path;
  std::optional<std::string> sum;  ///< In the format's spelling; nullopt: imported without a file.
  /// SHA-256 of the bytes. Read back of imported rows alone, which lack it when there was no file:
  /// of ten thousand own rows nobody needs it.
  std::optional<std::string> raw_sum;
  /// False: taken from the present file at import, not from the tool.
  bool sum_verified = true;
  Origin origin = Origin::kOwn;
  std::optional<SystemTime> applied_at;  ///< Server clock; nullopt: the tool did not say.
  std::int64_t duration_ms = 0;
};

/// One migration that a tool's own table says is applied, as its adapter reads it (effective state,
/// not raw rows).
struct ToolRow {
  migration::Kind kind = migration::Kind::kVersioned;
  std::string id;       ///< As LedgerRow::id; unique among the rows of one reading and kind.
  std::string version;  ///< As the tool shows it; empty for repeatables.
  /// What to compare with the file's description: spelled as the file's where they are the same to
  /// the tool (which may cut long ones). Empty: the tool keeps none.
  std::string description;
  std::string path;                ///< The tool's script column, or the name column; may be empty.
  std::optional<std::string> sum;  ///< In the format's spelling; nullopt: the tool keeps none.
  bool failed = false;  ///< The tool recorded a failure that blocks it (Flyway success=false).
  std::optional<SystemTime> applied_at;  ///< nullopt: the tool does not say.
};

/// What a tool's table says.
struct ToolHistory {
  bool exists = false;  ///< The table is there.
  /// In the order in which the tool applied them, where it keeps one.
  std::vector<ToolRow> applied;
  /// Highest baseline row, canonical; empty: none. This version and all below count as applied,
  /// with or without a file.
  std::string baseline_version;
};

}  // namespace whimbrel::history
