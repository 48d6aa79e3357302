#pragma once

#include <map>
#include <nlohmann/json.hpp>
#include <string>
#include <utility>
#include <vector>

#include "kube/manifest_files.h"
#include "whimbrel/kube/manifest_client.h"
#include "whimbrel/kube/resource.h"

namespace whimbrel::kube {

/// One object that is wanted, as an API server would have stored it but for what servers write.
struct ManifestObject {
  std::string where;  ///< `file:line`.
  nlohmann::json object;
};

struct ManifestSet {
  std::map<std::pair<Resource, ObjectKey>, ManifestObject> objects;
  std::vector<std::string> warnings;
};

/// `file:line: Kind namespace/name`, how a manifest's object is called in messages.
[[nodiscard]] std::string DescribeManifest(const std::string& where, const nlohmann::json& object);

/// One error of many findings, a line each.
[[nodiscard]] Error ManifestError(const std::vector<std::string>& findings);

/// Checks what was read against what an API server would say, and fills in defaults. The error
/// lists everything that is wrong.
[[nodiscard]] Result<ManifestSet> CheckManifests(std::vector<ManifestDocument> documents,
                                                 const std::string& default_namespace,
                                                 const std::vector<ServedResource>& served);

}  // namespace whimbrel::kube
