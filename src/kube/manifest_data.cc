#include "kube/manifest_data.h"

#include <algorithm>
#include <initializer_list>
#include <optional>
#include <string_view>

#include "kube/manifest_metadata.h"
#include "whimbrel/base/hash.h"

namespace whimbrel::kube {
namespace {

using nlohmann::json;

/// core/v1 MaxSecretSize, and the same for ConfigMaps.
constexpr std::size_t kMaxDataBytes = std::size_t{1} << 20;

void CheckFields(const json& object, std::initializer_list<std::string_view> known,
                 std::vector<std::string>& problems) {
  for (const auto& [name, value] : object.items()) {
    const bool common = name == "apiVersion" || name == "kind" || name == "metadata";
    if (!common && std::find(known.begin(), known.end(), name) == known.end()) {
      problems.push_back("unknown field \"" + name + "\"");
    }
  }
  const auto immutable = object.find("immutable");
  if (immutable != object.end() && !immutable->is_boolean() && !immutable->is_null()) {
    problems.emplace_back("immutable: must be true or false");
  }
}

/// A map of text at `field`, empty when there is none; keys and values are checked.
json TakeTexts(json& object, const std::string& field, std::vector<std::string>& problems) {
  const auto found = object.find(field);
  if (found == object.end()) return json::object();
  json texts = std::move(*found);
  object.erase(found);
  if (texts.is_null()) return json::object();
  if (!texts.is_object()) {
    problems.push_back(field + ": must be a map of text");
    return json::object();
  }
  for (auto entry = texts.begin(); entry != texts.end();) {
    const std::string path = field + "." + entry.key();
    if (!IsConfigMapKey(entry.key())) {
      problems.push_back(path +
                         ": a valid config key must consist of alphanumeric characters, '-', "
                         "'_' or '.'");
    }
    if (!entry.value().is_string()) {
      problems.push_back(path + ": must be text; put the value in quotes");
      entry = texts.erase(entry);
    } else {
      ++entry;
    }
  }
  return texts;
}

/// The bytes of a value in base64; line breaks in it have no meaning, as for Go's decoder.
std::optional<std::string> Decode(const json& value) {
  std::string text = value;
  std::erase_if(text, [](char c) { return c == '\n' || c == '\r'; });
  std::string bytes;
  if (!Base64Decode(text, &bytes)) return std::nullopt;
  return bytes;
}

/// Writes canonical base64 back; returns the size of what it says.
std::size_t NormalizeBase64(json& data, const std::string& field, const std::string& instead,
                            std::vector<std::string>& problems) {
  std::size_t size = 0;
  for (auto& [key, value] : data.items()) {
    const auto bytes = Decode(value);
    if (!bytes) {
      problems.push_back(field + "." + key + ": must be base64; plain text belongs into " +
                         instead);
      continue;
    }
    size += bytes->size();
    value = Base64Encode(*bytes);
  }
  return size;
}

void CheckSize(std::size_t size, std::vector<std::string>& problems) {
  if (size <= kMaxDataBytes) return;
  problems.push_back("data: Too long: may not be more than " + std::to_string(kMaxDataBytes) +
                     " bytes, but is " + std::to_string(size));
}

}  // namespace

void NormalizeSecret(json& secret, std::vector<std::string>& problems) {
  CheckFields(secret, {"data", "stringData", "type", "immutable"}, problems);
  json data = TakeTexts(secret, "data", problems);
  const json plain = TakeTexts(secret, "stringData", problems);
  for (const auto& [key, value] : plain.items()) {
    data[key] = Base64Encode(value.get_ref<const std::string&>());
  }
  CheckSize(NormalizeBase64(data, "data", "stringData", problems), problems);
  secret["data"] = std::move(data);
  json& type = secret["type"];
  if (type.is_null()) type = "Opaque";
  if (!type.is_string()) problems.emplace_back("type: must be text");
}

void NormalizeConfigMap(json& config_map, std::vector<std::string>& problems) {
  CheckFields(config_map, {"data", "binaryData", "immutable"}, problems);
  json data = TakeTexts(config_map, "data", problems);
  json binary = TakeTexts(config_map, "binaryData", problems);
  std::size_t size = NormalizeBase64(binary, "binaryData", "data", problems);
  for (const auto& [key, value] : data.items()) {
    size += value.get_ref<const std::string&>().size();
    if (binary.contains(key)) problems.push_back("data." + key + ": is in binaryData too");
  }
  CheckSize(size, problems);
  if (!data.empty()) config_map["data"] = std::move(data);
  if (!binary.empty()) config_map["binaryData"] = std::move(binary);
}

}  // namespace whimbrel::kube
