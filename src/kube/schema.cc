#include "whimbrel/kube/schema.h"

#include "kube/schema_node.h"

namespace whimbrel::kube {

using nlohmann::json;

void ApplySchemaDefaults(const SchemaNode& node, json& value) {
  if (value.is_array() && node.items) {
    for (json& item : value) ApplySchemaDefaults(*node.items, item);
  }
  if (!value.is_object()) return;
  for (const auto& [name, child] : node.properties) {
    const auto found = value.find(name);
    const bool absent = found == value.end();
    if (child->default_value && (absent || found->is_null())) {
      value[name] = *child->default_value;
    } else if (absent) {
      continue;
    } else if (found->is_null()) {
      value.erase(found);
      continue;
    }
    ApplySchemaDefaults(*child, value[name]);
  }
}

Result<Schema> Schema::Parse(const json& open_api_v3_schema) try {
  auto root = ParseSchemaNode(open_api_v3_schema, "");
  if (!root) return tl::make_unexpected(root.error());
  // The API server adds these to every schema and checks them itself.
  auto& properties = (*root)->properties;
  auto metadata = std::make_unique<SchemaNode>();
  metadata->opaque = true;
  properties["metadata"] = std::move(metadata);
  for (const char* name : {"apiVersion", "kind"}) {
    properties[name] = std::make_unique<SchemaNode>();
    properties[name]->type = SchemaType::kString;
  }
  Schema schema;
  schema.root_ = *std::move(root);
  return schema;
} catch (const std::exception& error) {
  return Fail(ErrorKind::kInvalidArgument, std::string("not a schema: ") + error.what());
}

void Schema::ApplyDefaults(json& object) const { ApplySchemaDefaults(*root_, object); }

std::vector<std::string> Schema::Validate(const json& object) const {
  std::vector<std::string> violations;
  ValidateAgainst(*root_, object, "", violations);
  return violations;
}

}  // namespace whimbrel::kube
