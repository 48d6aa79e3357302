#pragma once

#include <nlohmann/json.hpp>
#include <string>
#include <vector>

namespace whimbrel::kube {

/// Checks a Secret as the API server does, and brings it into the form in which one reads it there:
/// `stringData` merged over `data`, base64 without line breaks. What is wrong is appended to
/// `problems`, field first and never with a value.
void NormalizeSecret(nlohmann::json& secret, std::vector<std::string>& problems);

/// The same for a ConfigMap.
void NormalizeConfigMap(nlohmann::json& config_map, std::vector<std::string>& problems);

}  // namespace whimbrel::kube
