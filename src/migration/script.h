#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "whimbrel/migration/resolved_migration.h"
#include "whimbrel/migration/resolver.h"

namespace whimbrel::migration {

/// All of a file whose text begins at `begin`: at 0, or after a byte order mark.
Script WholeScript(const SourceFilePtr& file, std::uint64_t begin);

/// Both sums of a part of a file.
struct ScriptSums {
  std::string normalised;  ///< See NormalisedSum.
  std::string raw;         ///< SHA-256 of the bytes.
};
Result<ScriptSums> SumsOf(const Script& script);

/// What a resolver detected: so many files have fitting names.
MigrationResolver::Match MatchOf(const std::vector<std::string_view>& fitting_paths);

}  // namespace whimbrel::migration
