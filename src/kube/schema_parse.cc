#include <algorithm>
#include <array>
#include <string_view>
#include <utility>

#include "kube/schema_node.h"

namespace whimbrel::kube {
namespace {

using nlohmann::json;

tl::unexpected<Error> Unsupported(const std::string& path, const std::string& what) {
  return Fail(ErrorKind::kInvalidArgument,
              "schema" + (path.empty() ? "" : " of " + path) + ": " + what + " is not supported");
}

Result<void> ParseType(SchemaNode& node, const json& value, const std::string& path) {
  static const std::map<std::string_view, SchemaType> kTypes = {
      {"object", SchemaType::kObject}, {"array", SchemaType::kArray},
      {"string", SchemaType::kString}, {"integer", SchemaType::kInteger},
      {"number", SchemaType::kNumber}, {"boolean", SchemaType::kBoolean}};
  const auto found = kTypes.find(value.get_ref<const std::string&>());
  if (found == kTypes.end()) return Unsupported(path, "type " + value.dump());
  node.type = found->second;
  return {};
}

Result<void> ParseProperties(SchemaNode& node, const json& value, const std::string& path) {
  for (const auto& [name, schema] : value.items()) {
    auto child = ParseSchemaNode(schema, path.empty() ? name : path + "." + name);
    if (!child) return tl::make_unexpected(child.error());
    node.properties[name] = *std::move(child);
  }
  return {};
}

template <auto child>
Result<void> ParseChild(SchemaNode& node, const json& value, const std::string& path) {
  auto parsed = ParseSchemaNode(value, path + "[*]");
  if (!parsed) return tl::make_unexpected(parsed.error());
  node.*child = *std::move(parsed);
  return {};
}

Result<void> ParseListType(SchemaNode& node, const json& value, const std::string& path) {
  static const std::map<std::string_view, ListType> kTypes = {
      {"atomic", ListType::kAtomic}, {"set", ListType::kSet}, {"map", ListType::kMap}};
  const auto found = kTypes.find(value.get_ref<const std::string&>());
  if (found == kTypes.end()) return Unsupported(path, "x-kubernetes-list-type " + value.dump());
  node.list_type = found->second;
  return {};
}

Result<void> ParseFormat(SchemaNode& node, const json& value, const std::string& path) {
  const auto& format = value.get_ref<const std::string&>();
  node.is_date_time = format == "date-time";
  // Ranges of integers are said by minimum and maximum.
  const bool known = node.is_date_time || format == "int32" || format == "int64";
  return known ? Result<void>() : Unsupported(path, "format " + value.dump());
}

template <class T>
void Read(const json& value, T& to) {
  to = value.get<T>();
}
template <class T>
void Read(const json& value, std::optional<T>& to) {
  to = value.get<T>();
}
void Read(const json& value, std::optional<Pattern>& to) {
  const auto& text = value.get_ref<const std::string&>();
  to = Pattern{.text = text, .regex = std::regex(text)};
}

template <auto field>
Result<void> Set(SchemaNode& node, const json& value, const std::string&) {
  Read(value, node.*field);
  return {};
}

Result<void> Ignore(SchemaNode&, const json&, const std::string&) { return {}; }

using Parser = Result<void> (*)(SchemaNode&, const json&, const std::string&);

constexpr std::array<std::pair<std::string_view, Parser>, 21> kKeywords = {{
    {"type", ParseType},
    {"format", ParseFormat},
    {"properties", ParseProperties},
    {"additionalProperties", ParseChild<&SchemaNode::values>},
    {"items", ParseChild<&SchemaNode::items>},
    {"x-kubernetes-list-type", ParseListType},
    {"x-kubernetes-list-map-keys", Set<&SchemaNode::list_keys>},
    {"required", Set<&SchemaNode::required>},
    {"enum", Set<&SchemaNode::enumeration>},
    {"default", Set<&SchemaNode::default_value>},
    {"pattern", Set<&SchemaNode::pattern>},
    {"minimum", Set<&SchemaNode::minimum>},
    {"maximum", Set<&SchemaNode::maximum>},
    {"minLength", Set<&SchemaNode::min_length>},
    {"maxLength", Set<&SchemaNode::max_length>},
    {"minItems", Set<&SchemaNode::min_items>},
    {"maxItems", Set<&SchemaNode::max_items>},
    {"maxProperties", Set<&SchemaNode::max_properties>},
    {"x-kubernetes-int-or-string", Set<&SchemaNode::int_or_string>},
    {"description", Ignore},
    {"x-kubernetes-validations", Ignore},  // Their twins are functions (design §2).
}};

}  // namespace

Result<std::unique_ptr<SchemaNode>> ParseSchemaNode(const json& schema, const std::string& path) {
  auto node = std::make_unique<SchemaNode>();
  for (const auto& [keyword, value] : schema.items()) {
    const auto known =
        std::find_if(kKeywords.begin(), kKeywords.end(),
                     [&name = keyword](const auto& entry) { return entry.first == name; });
    if (known == kKeywords.end()) return Unsupported(path, keyword);
    if (auto parsed = known->second(*node, value, path); !parsed) {
      return tl::make_unexpected(parsed.error());
    }
  }
  if (node->type == SchemaType::kArray && !node->items)
    return Unsupported(path, "array without items");
  // std::regex recurses over what it matches: unbounded text could exhaust the stack.
  if (node->pattern && !node->max_length) return Unsupported(path, "pattern without maxLength");
  return node;
}

}  // namespace whimbrel::kube
