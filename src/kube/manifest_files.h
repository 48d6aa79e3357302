#pragma once

#include <cstdint>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "whimbrel/base/error.h"

namespace whimbrel::kube {

/// One object of a manifest, as it stands there.
struct ManifestDocument {
  std::string where;  ///< `file:line`, for people.
  nlohmann::json object;
};

/// Reads files and folders as `kubectl apply -f` does: of a folder every *.yaml, *.yml and *.json,
/// by name and not recursively; of a file every document; of a List every item. Empty documents are
/// left out. Errors name the file, and the line where there is one.
[[nodiscard]] Result<std::vector<ManifestDocument>> ReadManifests(
    const std::vector<std::string>& paths);

}  // namespace whimbrel::kube
