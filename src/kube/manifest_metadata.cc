#include "kube/manifest_metadata.h"

#include <algorithm>
#include <array>

namespace whimbrel::kube {
namespace {

using nlohmann::json;

bool IsLowerOrDigit(char c) { return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9'); }
bool IsLetterOrDigit(char c) { return IsLowerOrDigit(c) || (c >= 'A' && c <= 'Z'); }

/// Nothing but alphanumerics and `others`, and alphanumerics at both ends.
bool IsWord(std::string_view text, bool (*alphanumeric)(char), std::string_view others) {
  const auto allowed = [&](char c) {
    return alphanumeric(c) || others.find(c) != std::string_view::npos;
  };
  return !text.empty() && alphanumeric(text.front()) && alphanumeric(text.back()) &&
         std::all_of(text.begin(), text.end(), allowed);
}

bool IsDnsLabel(std::string_view text) {
  return text.size() <= 63 && IsWord(text, IsLowerOrDigit, "-");
}

bool IsDnsSubdomain(std::string_view text) {
  if (text.size() > 253) return false;
  for (std::size_t dot = text.find('.'); dot != std::string_view::npos; dot = text.find('.')) {
    if (!IsWord(text.substr(0, dot), IsLowerOrDigit, "-")) return false;
    text.remove_prefix(dot + 1);
  }
  return IsWord(text, IsLowerOrDigit, "-");
}

/// `[prefix/]name`, the key of a label or an annotation.
bool IsQualifiedName(std::string_view text) {
  const std::size_t slash = text.find('/');
  if (slash != std::string_view::npos) {
    if (!IsDnsSubdomain(text.substr(0, slash))) return false;
    text.remove_prefix(slash + 1);
  }
  return text.size() <= 63 && IsWord(text, IsLetterOrDigit, "-_.");
}

bool IsLabelValue(std::string_view text) {
  return text.empty() || (text.size() <= 63 && IsWord(text, IsLetterOrDigit, "-_."));
}

std::string Shown(const json& value) {
  return value.dump(-1, ' ', false, json::error_handler_t::replace);
}

void CheckName(const json& metadata, std::vector<std::string>& problems) {
  const auto name = metadata.find("name");
  if (name == metadata.end() || name->is_null() || *name == "") {
    problems.emplace_back("metadata.name: Required value");
  } else if (!name->is_string() || !IsDnsSubdomain(name->get_ref<const std::string&>())) {
    problems.push_back("metadata.name: Invalid value: " + Shown(*name) +
                       ": a lowercase RFC 1123 subdomain must consist of lower case alphanumeric "
                       "characters, '-' or '.', and must start and end with an alphanumeric "
                       "character; at most 253 characters");
  }
  const auto ns = metadata.find("namespace");
  if (ns == metadata.end()) return;
  if (!ns->is_string() || !IsDnsLabel(ns->get_ref<const std::string&>())) {
    problems.push_back("metadata.namespace: Invalid value: " + Shown(*ns) +
                       ": a lowercase RFC 1123 label must consist of lower case alphanumeric "
                       "characters or '-', and must start and end with an alphanumeric character; "
                       "at most 63 characters");
  }
}

/// Labels and annotations. Values of annotations may be anything, hence are not shown.
void CheckTexts(const json& metadata, const std::string& field, bool values_are_labels,
                std::vector<std::string>& problems) {
  const auto map = metadata.find(field);
  if (map == metadata.end()) return;
  const std::string path = "metadata." + field;
  if (!map->is_object()) return problems.push_back(path + ": Invalid value: must be a map of text");
  for (const auto& [key, value] : map->items()) {
    if (!IsQualifiedName(key)) {
      problems.push_back(path + ": Invalid value: " + Shown(key) +
                         ": a qualified name must consist of alphanumeric characters, '-', '_' or "
                         "'.', and must start and end with an alphanumeric character, with an "
                         "optional DNS subdomain prefix and '/'");
    }
    if (!value.is_string()) {
      problems.push_back(path + "." + key + ": must be text; put the value in quotes");
    } else if (values_are_labels && !IsLabelValue(value.get_ref<const std::string&>())) {
      problems.push_back(path + ": Invalid value: " + Shown(value) +
                         ": a valid label must be an empty string or consist of alphanumeric "
                         "characters, '-', '_' or '.', and must start and end with an alphanumeric "
                         "character");
    }
  }
}

/// Drops what a server writes, and what has no meaning without one.
void DropServerFields(json& metadata, std::vector<std::string>& problems) {
  static constexpr std::array<std::string_view, 4> kKept = {"name", "namespace", "labels",
                                                            "annotations"};
  static constexpr std::array<std::string_view, 11> kDropped = {
      "uid",          "resourceVersion",   "generation",
      "selfLink",     "creationTimestamp", "deletionTimestamp",
      "finalizers",   "managedFields",     "deletionGracePeriodSeconds",
      "generateName", "ownerReferences"};
  const auto is_in = [](const auto& names, const std::string& name) {
    return std::find(names.begin(), names.end(), name) != names.end();
  };
  json kept = json::object();
  for (const auto& [name, value] : metadata.items()) {
    if (is_in(kKept, name)) {
      if (!value.is_null()) kept[name] = value;
    } else if (!is_in(kDropped, name)) {
      problems.push_back("unknown field \"metadata." + name + "\"");
    }
  }
  metadata = std::move(kept);
}

}  // namespace

void NormalizeMetadata(json& object, std::vector<std::string>& problems) {
  json& metadata = object["metadata"];
  if (metadata.is_null()) metadata = json::object();
  if (!metadata.is_object()) return problems.push_back("metadata: Invalid value: must be a map");
  DropServerFields(metadata, problems);
  CheckName(metadata, problems);
  CheckTexts(metadata, "labels", /*values_are_labels=*/true, problems);
  CheckTexts(metadata, "annotations", /*values_are_labels=*/false, problems);
}

bool IsConfigMapKey(std::string_view key) {
  const auto allowed = [](char c) {
    return IsLetterOrDigit(c) || c == '-' || c == '_' || c == '.';
  };
  return !key.empty() && key.size() <= 253 && key != "." && !key.starts_with("..") &&
         std::all_of(key.begin(), key.end(), allowed);
}

}  // namespace whimbrel::kube
