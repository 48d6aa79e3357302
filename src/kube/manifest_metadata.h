#pragma once

#include <nlohmann/json.hpp>
#include <string>
#include <string_view>
#include <vector>

namespace whimbrel::kube {

/// Checks `object.metadata` as the API server does (apimachinery, pkg/api/validation), and takes
/// out what only a server may write, such as uid and resourceVersion, so that the output of
/// `kubectl get -o yaml` can be read again. What is wrong is appended to `problems`, field first.
void NormalizeMetadata(nlohmann::json& object, std::vector<std::string>& problems);

/// `[-._a-zA-Z0-9]+`, at most 253, not `.` and not beginning with `..` (IsConfigMapKey).
[[nodiscard]] bool IsConfigMapKey(std::string_view key);

}  // namespace whimbrel::kube
