#pragma once

#include <cstdint>
#include <memory>
#include <nlohmann/json_fwd.hpp>
#include <string>
#include <string_view>
#include <vector>

#include "whimbrel/base/error.h"

namespace whimbrel::kube {

/// One document of a YAML file.
struct YamlDocument {
  std::unique_ptr<nlohmann::json> value;  ///< Null for an empty document.
  std::uint32_t line = 1;                 ///< Where it begins in its file.
};

/// Reads YAML as kubectl does: scalars typed by the rules of sigs.k8s.io/yaml (YAML 1.1 booleans as JSON booleans), quoted scalars are
/// strings, duplicate keys, cycles of aliases and tags are errors, `<<` is merged. Bounded in size, depth and nodes (reference/controller.md §17). Errors
/// carry file and line.
[[nodiscard]] Result<std::vector<YamlDocument>> ParseYaml(std::string_view text, const std::string& file);

}  // namespace whimbrel::kube
