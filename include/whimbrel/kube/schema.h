#pragma once

#include <memory>
#include <nlohmann/json_fwd.hpp>
#include <string>
#include <string_view>
#include <vector>

#include "whimbrel/base/error.h"

namespace whimbrel::kube {

struct SchemaNode;

/// A structural schema (the OpenAPI v3 of CustomResourceDefinitions), as far as our CRDs use it:
/// type, properties, additionalProperties, items, required, enum, default, minimum, maximum,
/// minLength, maxLength, minItems, maxItems, pattern, format and x-kubernetes-list-type. CEL rules
/// are not evaluated: their twins are functions (design §2). Immutable; cheap to copy; thread-safe.
class Schema {
 public:
  /// From the `openAPIV3Schema` of one version of a CRD. A keyword that is not supported is an
  /// error (kInvalidArgument) that names its place, so that nothing is passed over in silence.
  [[nodiscard]] static Result<Schema> Parse(const nlohmann::json& open_api_v3_schema);

  /// Fills in defaults, parents first, and drops nulls that have none, as the API server does
  /// before it validates (apiextensions-apiserver, pkg/apiserver/schema/defaulting).
  void ApplyDefaults(nlohmann::json& object) const;

  /// Every violation, in the API server's words:
  /// `spec.execution.mode: Unsupported value: "job": supported values: "Job", "InProcess"`. Unknown
  /// fields are violations, as under kubectl's strict validation. `metadata` is left to the caller.
  [[nodiscard]] std::vector<std::string> Validate(const nlohmann::json& object) const;

 private:
  std::shared_ptr<const SchemaNode> root_;
};

}  // namespace whimbrel::kube
