#pragma once

#include <cstddef>
#include <map>
#include <memory>
#include <nlohmann/json.hpp>
#include <optional>
#include <regex>
#include <string>
#include <vector>

#include "whimbrel/base/error.h"

namespace whimbrel::kube {

enum class SchemaType { kObject, kArray, kString, kInteger, kNumber, kBoolean };
enum class ListType { kAtomic, kSet, kMap };

/// A pattern compiled once, with its text for messages.
struct Pattern {
  std::string text;
  std::regex regex;
};

/// One level of a structural schema.
struct SchemaNode {
  SchemaType type = SchemaType::kObject;
  bool int_or_string = false;  ///< x-kubernetes-int-or-string; `type` says nothing then.
  std::optional<nlohmann::json> default_value;
  std::vector<nlohmann::json> enumeration;  ///< Empty: anything.

  // Objects.
  bool opaque = false;  ///< Not looked into: metadata.
  std::map<std::string, std::unique_ptr<SchemaNode>> properties;
  std::vector<std::string> required;
  std::unique_ptr<SchemaNode> values;  ///< additionalProperties.
  std::optional<std::size_t> max_properties;

  // Arrays.
  std::unique_ptr<SchemaNode> items;
  ListType list_type = ListType::kAtomic;
  std::vector<std::string> list_keys;
  std::optional<std::size_t> min_items, max_items;

  // Strings. Lengths count characters.
  std::optional<std::size_t> min_length, max_length;
  std::optional<Pattern> pattern;
  bool is_date_time = false;

  // Numbers.
  std::optional<double> minimum, maximum;
};

/// `path` is where the schema stands, for errors.
[[nodiscard]] Result<std::unique_ptr<SchemaNode>> ParseSchemaNode(const nlohmann::json& schema,
                                                                  const std::string& path);
void ApplySchemaDefaults(const SchemaNode& node, nlohmann::json& value);
/// Appends what `value`, at `path` ("" for the root), breaks.
void ValidateAgainst(const SchemaNode& node, const nlohmann::json& value, const std::string& path,
                     std::vector<std::string>& violations);

}  // namespace whimbrel::kube
