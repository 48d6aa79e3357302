#pragma once

#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "whimbrel/migration/resolved_migration.h"
#include "whimbrel/migration/source.h"

namespace whimbrel::history {

/// Resolved migrations without files behind them, which is all that a history looks at.
inline migration::ResolvedMigration Versioned(const std::string& version, std::string description,
                                              std::string path, std::string sum) {
  migration::ResolvedMigration migration;
  migration.version = migration::Version::Parse(version).value();
  migration.description = std::move(description);
  migration.path = std::move(path);
  migration.raw_sum = "raw " + sum;
  migration.sum = std::move(sum);
  return migration;
}

inline migration::ResolvedMigration Repeatable(std::string description, std::string path,
                                               std::string sum) {
  migration::ResolvedMigration migration;
  migration.kind = migration::Kind::kRepeatable;
  migration.description = std::move(description);
  migration.path = std::move(path);
  migration.raw_sum = "raw " + sum;
  migration.sum = std::move(sum);
  return migration;
}

inline migration::ResolvedMigrations Resolved(
    std::vector<migration::ResolvedMigration> versioned,
    std::vector<migration::ResolvedMigration> repeatable = {}) {
  migration::ResolvedMigrations resolved;
  resolved.versioned = std::move(versioned);
  resolved.repeatable = std::move(repeatable);
  return resolved;
}

}  // namespace whimbrel::history
