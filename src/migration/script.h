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

/// See NormalisedSum.
Result<std::string> NormalisedSumOf(const Script& script);
/// SHA-256 of the part's bytes, in lower-case hexadecimal.
Result<std::string> RawSumOf(const Script& script);

/// What a resolver detected: so many files have fitting names.
MigrationResolver::Match MatchOf(const std::vector<std::string_view>& fitting_paths);

}  // namespace whimbrel::migration
