#pragma once

#include <memory>
#include <vector>

#include "whimbrel/migration/source.h"

namespace whimbrel::migration {

/// Sorts the files, whose paths all differ, and computes the digest.
std::shared_ptr<const Source> MakeSource(std::vector<SourceFilePtr> files);

}  // namespace whimbrel::migration
