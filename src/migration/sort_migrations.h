#pragma once

#include <string_view>
#include <vector>

#include "whimbrel/base/error.h"
#include "whimbrel/migration/resolved_migration.h"

namespace whimbrel::migration {

/// Sorts by version; two equal ones are an error that names both files.
Result<void> SortByVersion(std::vector<ResolvedMigration>& migrations);

/// Sorts by description, in the order of UTF-16 code units as Flyway's
/// (java.lang.String.compareTo); two equal ones are an error that names both files.
Result<void> SortByDescription(std::vector<ResolvedMigration>& migrations);

}  // namespace whimbrel::migration
