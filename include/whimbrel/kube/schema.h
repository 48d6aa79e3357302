#pragma once

#include <memory>
#include <nlohmann/json_fwd.hpp>
#include <string>
#include <string_view>
#include <vector>

#include "whimbrel/base/error.h"

namespace whimbrel::kube {

/// A structural schema (the OpenAPI v3 subset of CustomResourceDefinitions): type, properties, additionalProperties, items, required,
/// enum, default, nullable, minimum/maximum, min/maxLength, min/maxItems, min/maxProperties, pattern, format, x-kubernetes-list-type
/// map/set uniqueness, x-kubernetes-preserve-unknown-fields, x-kubernetes-int-or-string. CEL rules are not evaluated: their twins are functions.
/// Immutable; cheap to copy.
class Schema {
 public:
  /// From the `openAPIV3Schema` of one version of a CRD.
  static Result<Schema> Parse(const nlohmann::json& open_api_v3_schema);

  /// Fills defaults as the API server does: into missing and null-but-not-nullable fields, recursively, parents first.
  void ApplyDefaults(nlohmann::json& object) const;
  /// Every violation, each as the API server words it: `spec.execution.mode: Unsupported value: "job": supported values: "Job", "InProcess"`. Unknown
  /// fields are violations.
  [[nodiscard]] std::vector<std::string> Validate(const nlohmann::json& object) const;

 private:
  struct Node;
  std::shared_ptr<const Node> root_;
};

}  // namespace whimbrel::kube
