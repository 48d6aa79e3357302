#include <nlohmann/json.hpp>

#include "whimbrel/controller/api.h"
#include "whimbrel/controller/crd.h"
#include "whimbrel/controller/validation.h"
#include "whimbrel/kube/yaml.h"

namespace whimbrel::controller {

Result<kube::ServedResource> ServedDatabaseMigrations() {
  Result<std::vector<kube::YamlDocument>> documents =
      kube::ParseYaml(EmbeddedCrd(), "the embedded CRD");
  if (!documents) return tl::make_unexpected(documents.error());
  const nlohmann::json::json_pointer schema_path("/spec/versions/0/schema/openAPIV3Schema");
  if (documents->size() != 1 || !documents->front().value->contains(schema_path)) {
    return Fail(ErrorKind::kInternal, "the embedded CRD has no schema");
  }
  Result<kube::Schema> schema = kube::Schema::Parse(documents->front().value->at(schema_path));
  if (!schema) return tl::make_unexpected(schema.error());
  return kube::ServedResource{.resource = DatabaseMigrations(),
                              .schema = std::move(*schema),
                              .validate = ValidateDatabaseMigration};
}

}  // namespace whimbrel::controller
