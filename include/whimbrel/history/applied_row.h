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
  std::string id;           ///< Canonical version or repeatable description.
  int run = 1;
  LedgerState state = LedgerState::kApplied;
  int attempt = 1;
  std::string version;      ///< Display text; empty for repeatables.
  std::string description;
  std::string path;
  std::optional<std::string> sum;      ///< In the format's spelling; nullopt: imported without a file.
  std::optional<std::string> raw_sum;
  bool sum_verified = true;  ///< False: taken from the present file at import, not from the tool.
  Origin origin = Origin::kOwn;
  std::string applied_at;    ///< Server clock, RFC 3339.
  std::int64_t duration_ms = 0;
};

/// One migration that a tool's own table says is applied, as its adapter reads it (effective state, not raw rows).
struct ToolRow {
  migration::Kind kind = migration::Kind::kVersioned;
  std::string id;            ///< As LedgerRow::id.
  std::string version;       ///< As the tool shows it.
  std::string description;
  std::string path;          ///< The tool's script column, or the name column; may be empty.
  std::optional<std::string> sum;  ///< In the format's spelling; nullopt: the tool keeps none.
  bool failed = false;       ///< The tool recorded a failure that blocks it (Flyway success=false).
  std::optional<std::string> description_key;  ///< nullopt: this tool does not keep descriptions.
  std::string applied_at;
};

/// Rows that were below a tool's baseline are applied without a file.
struct ToolHistory {
  bool exists = false;                ///< The table is there.
  std::vector<ToolRow> applied;       ///< In the order in which the tool applied them.
  std::string baseline_version;       ///< Highest baseline row, canonical; empty: none.
};

}  // namespace whimbrel::history
