#include "kube/kubeconfig_entry.h"

#include <filesystem>
#include <utility>

#include "whimbrel/base/hash.h"

namespace whimbrel::kube {

using Json = nlohmann::json;

tl::unexpected<Error> InvalidKubeconfig(std::string message) {
  return Fail(ErrorKind::kInvalidArgument, std::move(message));
}

bool KubeconfigEntry::Has(const char* key) const {
  const auto it = values.find(key);
  return it != values.end() && !it->is_null() && *it != Json("");
}

Result<std::string> KubeconfigEntry::Text(const char* key) const {
  if (!Has(key)) return std::string();
  const Json& value = values.at(key);
  if (!value.is_string()) return InvalidKubeconfig(what + ": " + key + " must be a string");
  return value.get<std::string>();
}

Result<std::string> KubeconfigEntry::Path(const char* key) const {
  Result<std::string> path = Text(key);
  if (!path || path->empty()) return path;
  return (std::filesystem::path(folder) / *path).string();
}

Result<std::string> KubeconfigEntry::Bytes(const std::string& key,
                                           const ReadFile& read_file) const {
  const std::string data_key = key + "-data";
  Result<std::string> data = Text(data_key.c_str());
  if (!data) return data;
  if (!data->empty()) {
    std::erase_if(*data, [](char c) { return c == '\n' || c == '\r'; });
    std::string bytes;
    if (!Base64Decode(*data, &bytes))
      return InvalidKubeconfig(what + ": " + data_key + " is not base64");
    return bytes;
  }
  const Result<std::string> path = Path(key.c_str());
  if (!path || path->empty()) return path;
  Result<std::string> bytes = read_file(*path);
  if (!bytes) return Fail(bytes.error().kind, what + ": " + key + ": " + bytes.error().message);
  return bytes;
}

}  // namespace whimbrel::kube
