#include <algorithm>
#include <cmath>
#include <set>
#include <string_view>

#include "kube/schema_node.h"
#include "whimbrel/base/clock.h"
#include "whimbrel/base/utf8.h"

// The words are those of apiextensions-apiserver and k8s.io/kube-openapi/pkg/validation 1.34, so
// that `whimbrel run -f` and `kubectl apply` say the same about the same mistake.
namespace whimbrel::kube {
namespace {

using nlohmann::json;

std::string Join(const std::string& path, std::string_view name) {
  return path.empty() ? std::string(name) : path + "." + std::string(name);
}

/// Collects violations of the value at one path.
class Reporter {
 public:
  Reporter(const std::string& path, std::vector<std::string>& violations)
      : path_(path), violations_(violations) {}

  void Add(const std::string& message) {
    violations_.push_back(path_.empty() ? message : path_ + ": " + message);
  }
  void Invalid(const json& shown, const std::string& rule) {
    Add("Invalid value: " + shown.dump(-1, ' ', false, json::error_handler_t::replace) + ": " +
        path_ + " in body " + rule);
  }

 private:
  const std::string& path_;
  std::vector<std::string>& violations_;
};

std::string_view TypeName(const json& value) {
  if (value.is_number_float()) return "number";
  if (value.is_number()) return "integer";
  return value.type_name();
}

std::string_view TypeName(SchemaType type) {
  switch (type) {
    case SchemaType::kObject:
      return "object";
    case SchemaType::kArray:
      return "array";
    case SchemaType::kString:
      return "string";
    case SchemaType::kInteger:
      return "integer";
    case SchemaType::kNumber:
      return "number";
    case SchemaType::kBoolean:
      break;
  }
  return "boolean";
}

bool IsOfType(const json& value, SchemaType type) {
  switch (type) {
    case SchemaType::kObject:
      return value.is_object();
    case SchemaType::kArray:
      return value.is_array();
    case SchemaType::kString:
      return value.is_string();
    case SchemaType::kNumber:
      return value.is_number();
    case SchemaType::kInteger:
      return value.is_number() && std::trunc(value.get<double>()) == value.get<double>();
    case SchemaType::kBoolean:
      break;
  }
  return value.is_boolean();
}

void CheckEnumeration(const SchemaNode& node, const json& value, Reporter& report) {
  const auto& allowed = node.enumeration;
  if (allowed.empty() || std::find(allowed.begin(), allowed.end(), value) != allowed.end()) return;
  std::string supported;
  for (const json& one : allowed) supported += (supported.empty() ? "" : ", ") + one.dump();
  report.Add("Unsupported value: " + value.dump(-1, ' ', false, json::error_handler_t::replace) +
             ": supported values: " + supported);
}

void CheckString(const SchemaNode& node, const json& value, Reporter& report) {
  const auto& text = value.get_ref<const std::string&>();
  const std::size_t length = CountUtf8Characters(text);
  if (node.max_length && length > *node.max_length) {
    // The server counts characters here and says bytes.
    return report.Add("Too long: may not be more than " + std::to_string(*node.max_length) +
                      " characters");
  }
  if (node.min_length && length < *node.min_length) {
    return report.Invalid(value,
                          "should be at least " + std::to_string(*node.min_length) + " chars long");
  }
  if (node.pattern && !std::regex_search(text, node.pattern->regex)) {
    return report.Invalid(value, "should match '" + node.pattern->text + "'");
  }
  if (node.is_date_time && !ParseRfc3339(text)) {
    report.Invalid(value, "must be of type date-time: " + value.dump());
  }
}

void CheckNumber(const SchemaNode& node, const json& value, Reporter& report) {
  const auto bound = [](double number) { return json(static_cast<std::int64_t>(number)).dump(); };
  const double number = value.get<double>();
  if (node.minimum && number < *node.minimum) {
    report.Invalid(value, "should be greater than or equal to " + bound(*node.minimum));
  }
  if (node.maximum && number > *node.maximum) {
    report.Invalid(value, "should be less than or equal to " + bound(*node.maximum));
  }
}

/// What must be unique in a list: an item of a set, the keys of an item of a map.
json Identity(const SchemaNode& list, const json& item) {
  if (list.list_type == ListType::kSet) return item;
  json keys = json::object();
  for (const std::string& key : list.list_keys) {
    if (item.is_object() && item.contains(key)) keys[key] = item[key];
  }
  return keys;
}

void CheckArray(const SchemaNode& node, const json& value, const std::string& path,
                std::vector<std::string>& violations) {
  Reporter report(path, violations);
  const std::string size = std::to_string(value.size());
  if (node.max_items && value.size() > *node.max_items) {
    return report.Add("Too many: " + size + ": must have at most " +
                      std::to_string(*node.max_items) + " items");
  }
  if (node.min_items && value.size() < *node.min_items) {
    report.Invalid(json(value.size()),
                   "should have at least " + std::to_string(*node.min_items) + " items");
  }
  std::set<json> seen;
  for (std::size_t i = 0; i < value.size(); ++i) {
    const std::string item_path = path + "[" + std::to_string(i) + "]";
    ValidateAgainst(*node.items, value[i], item_path, violations);
    if (node.list_type == ListType::kAtomic) continue;
    const json identity = Identity(node, value[i]);
    if (!seen.insert(identity).second) {
      violations.push_back(item_path + ": Duplicate value: " + identity.dump());
    }
  }
}

std::string UnknownField(const SchemaNode& node, const std::string& path) {
  std::string known;
  for (const auto& [name, child] : node.properties) known += (known.empty() ? "" : ", ") + name;
  return "unknown field \"" + path + "\" (known here: " + known + ")";
}

void CheckObject(const SchemaNode& node, const json& value, const std::string& path,
                 std::vector<std::string>& violations) {
  if (node.max_properties && value.size() > *node.max_properties) {
    return Reporter(path, violations)
        .Add("Too many: " + std::to_string(value.size()) + ": must have at most " +
             std::to_string(*node.max_properties) + " items");
  }
  for (const auto& [name, member] : value.items()) {
    const auto property = node.properties.find(name);
    const SchemaNode* child =
        property == node.properties.end() ? node.values.get() : property->second.get();
    if (child != nullptr) {
      ValidateAgainst(*child, member, Join(path, name), violations);
    } else {
      violations.push_back(UnknownField(node, Join(path, name)));
    }
  }
  for (const std::string& name : node.required) {
    if (!value.contains(name)) violations.push_back(Join(path, name) + ": Required value");
  }
}

void CheckIntOrString(const SchemaNode& node, const json& value, Reporter& report) {
  if (value.is_string()) return CheckString(node, value, report);
  if (IsOfType(value, SchemaType::kInteger)) return CheckNumber(node, value, report);
  const std::string actual(TypeName(value));
  report.Invalid(json(actual), "must be of type integer,string: \"" + actual + "\"");
}

}  // namespace

void ValidateAgainst(const SchemaNode& node, const json& value, const std::string& path,
                     std::vector<std::string>& violations) {
  if (node.opaque) return;
  Reporter report(path, violations);
  if (node.int_or_string) return CheckIntOrString(node, value, report);
  if (!IsOfType(value, node.type)) {
    const std::string actual(TypeName(value));
    return report.Invalid(json(actual), "must be of type " + std::string(TypeName(node.type)) +
                                            ": \"" + actual + "\"");
  }
  CheckEnumeration(node, value, report);
  switch (node.type) {
    case SchemaType::kObject:
      return CheckObject(node, value, path, violations);
    case SchemaType::kArray:
      return CheckArray(node, value, path, violations);
    case SchemaType::kString:
      return CheckString(node, value, report);
    case SchemaType::kInteger:
    case SchemaType::kNumber:
      return CheckNumber(node, value, report);
    case SchemaType::kBoolean:
      return;
  }
}

}  // namespace whimbrel::kube
