#pragma once

#include <string>
#include <vector>

#include "chaos/migration_set.h"

namespace whimbrel::chaos {

struct Scenario {
  std::string name;
  MigrationSet set;
};

/// A small set for each kind of migration.
[[nodiscard]] const std::vector<Scenario>& Scenarios();

}  // namespace whimbrel::chaos
