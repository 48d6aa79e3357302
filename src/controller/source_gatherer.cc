#include "controller/source_gatherer.h"

#include <algorithm>
#include <optional>
#include <utility>

#include "controller/json_fields.h"
#include "controller/read_object.h"
#include "whimbrel/base/hash.h"
#include "whimbrel/migration/archive.h"

namespace whimbrel::controller {
namespace {

using kube::ApiResult;
using kube::Json;
using report::Reason;

/// Collects the files, and everything that is missing, so that a person sees it all at once.
class Gatherer {
 public:
  Gatherer(kube::ObjectClient& client, const std::string& ns, std::stop_token stop)
      : client_(client), ns_(ns), stop_(std::move(stop)) {}

  ApiResult<void> Add(const ConfigMapSource& from);
  ApiResult<void> Add(const ArchiveSource& from);
  void Add(const InlineFile& file) { AddFile(file.name, file.sql, "spec.source.inline"); }
  SourceState Finish() &&;

 private:
  /// The ConfigMap, which is then one of `resolved`; nullopt when it is missing.
  ApiResult<std::optional<Json>> ReadConfigMap(const std::string& name);
  void AddKey(const ConfigMapSource& from, const Json& object, const std::string& key);
  void AddFile(const std::string& path, std::string bytes, const std::string& origin);
  void Missing(const std::string& what) { missing_ += (missing_.empty() ? "" : "; ") + what; }
  void Invalid(std::string why) {
    if (invalid_.empty()) invalid_ = std::move(why);
  }
  [[nodiscard]] std::string NameOf(const std::string& config_map) const {
    return "ConfigMap " + ns_ + "/" + config_map;
  }

  kube::ObjectClient& client_;
  const std::string& ns_;
  const std::stop_token stop_;
  migration::MemorySourceBuilder builder_;
  std::vector<ResolvedObject> resolved_;
  std::string missing_;
  std::string invalid_;
};

std::vector<std::string> AllKeys(const Json& object) {
  std::vector<std::string> keys;
  for (const char* field : {"data", "binaryData"}) {
    const Json& map = Member(object, field);
    if (!map.is_object()) continue;
    for (const auto& [key, value] : map.items()) keys.push_back(key);
  }
  return keys;
}

/// Of `binaryData`, which is base64; nullopt: there is none.
std::optional<std::string> BinaryValue(const Json& object, const std::string& key) {
  const Json& binary = Member(Member(object, "binaryData"), key.c_str());
  std::string bytes;
  if (!binary.is_string() || !Base64Decode(binary.get_ref<const std::string&>(), &bytes)) {
    return std::nullopt;
  }
  return bytes;
}

ApiResult<std::optional<Json>> Gatherer::ReadConfigMap(const std::string& name) {
  ApiResult<FoundObject> object =
      ReadObject(client_, kube::ConfigMaps(), {.ns = ns_, .name = name}, stop_);
  if (!object) return tl::make_unexpected(std::move(object).error());
  if (!*object) {
    Missing(object->error());
    return std::nullopt;
  }
  const Json& metadata = Member(**object, "metadata");
  resolved_.push_back({.kind = "ConfigMap",
                       .name = name,
                       .uid = Text(metadata, "uid"),
                       .resource_version = Text(metadata, "resourceVersion")});
  return std::optional<Json>(**std::move(object));
}

ApiResult<void> Gatherer::Add(const ConfigMapSource& from) {
  const ApiResult<std::optional<Json>> found = ReadConfigMap(from.name);
  if (!found) return tl::make_unexpected(found.error());
  if (!*found) return {};
  for (const std::string& key : from.keys.empty() ? AllKeys(**found) : from.keys) {
    AddKey(from, **found, key);
  }
  return {};
}

ApiResult<void> Gatherer::Add(const ArchiveSource& from) {
  const ApiResult<std::optional<Json>> found = ReadConfigMap(from.config_map);
  if (!found) return tl::make_unexpected(found.error());
  if (!*found) return {};
  const std::string origin = NameOf(from.config_map) + ", key " + from.key;
  if (const auto archive = BinaryValue(**found, from.key)) {
    const Result<void> added = migration::AddArchive(*archive, origin, builder_);
    if (!added) Invalid(added.error().message);
  } else if (Member(Member(**found, "data"), from.key.c_str()).is_string()) {
    Invalid(origin +
            ": an archive is no text, and must be in binaryData instead of data: "
            "`kubectl create configmap --from-file` puts it there");
  } else {
    Missing(NameOf(from.config_map) + " has no key " + from.key);
  }
  return {};
}

void Gatherer::AddKey(const ConfigMapSource& from, const Json& object, const std::string& key) {
  const std::string path = from.directory.empty() ? key : from.directory + "/" + key;
  const Json& text = Member(Member(object, "data"), key.c_str());
  if (text.is_string()) return AddFile(path, text.get<std::string>(), NameOf(from.name));
  std::optional<std::string> bytes = BinaryValue(object, key);
  if (!bytes) return Missing(NameOf(from.name) + " has no key " + key);
  AddFile(path, *std::move(bytes), NameOf(from.name));
}

void Gatherer::AddFile(const std::string& path, std::string bytes, const std::string& origin) {
  const Result<void> added = builder_.Add(path, std::move(bytes), origin);
  if (!added) Invalid(added.error().message);
}

SourceState Gatherer::Finish() && {
  if (!missing_.empty()) {
    return tl::make_unexpected(Obstacle{Reason::kSourceNotFound, std::move(missing_)});
  }
  if (!invalid_.empty()) {
    return tl::make_unexpected(Obstacle{Reason::kInvalidSource, std::move(invalid_)});
  }
  std::ranges::sort(resolved_, {}, &ResolvedObject::name);
  return GatheredSource{.source = std::move(builder_).Build(), .resolved = std::move(resolved_)};
}

}  // namespace

ApiResult<SourceState> GatherSource(kube::ObjectClient& client, const std::string& ns,
                                    const SourceSpec& source, std::stop_token stop) {
  Gatherer gatherer(client, ns, std::move(stop));
  for (const ConfigMapSource& from : source.config_maps) {
    if (ApiResult<void> added = gatherer.Add(from); !added) {
      return tl::make_unexpected(std::move(added).error());
    }
  }
  if (source.archive) {
    if (ApiResult<void> added = gatherer.Add(*source.archive); !added) {
      return tl::make_unexpected(std::move(added).error());
    }
  }
  for (const InlineFile& file : source.inline_files) gatherer.Add(file);
  return std::move(gatherer).Finish();
}

}  // namespace whimbrel::controller
