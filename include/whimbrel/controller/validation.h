#pragma once

#include <nlohmann/json_fwd.hpp>
#include <string>
#include <vector>

namespace whimbrel::controller {

/// The twins of the CRD's CEL rules (crds/, `x-kubernetes-validations`), for API servers that are
/// not real: kube::ServedResource::validate. Messages as the API server gives them:
/// `spec.source: Invalid value: must have exactly one of configMaps, archive and inline`.
/// `old_object` is null on create. Never throws, whatever the shape; what a schema forbids is the
/// schema's to report. A rule is one row in validation.cc, and validation_apitest.cc holds both to
/// the same verdicts.
[[nodiscard]] std::vector<std::string> ValidateDatabaseMigration(const nlohmann::json& object,
                                                                 const nlohmann::json& old_object);

}  // namespace whimbrel::controller
