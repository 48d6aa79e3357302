#include "controller/source_gatherer.h"

#include <algorithm>
#include <utility>

#include "controller/json_fields.h"
#include "controller/read_object.h"
#include "whimbrel/base/hash.h"

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
  void Add(const InlineFile& file) { AddFile(file.name, file.sql, "spec.source.inline"); }
  SourceState Finish() &&;

 private:
  void AddKey(const ConfigMapSource& from, const Json& object, const std::string& key);
  void AddFile(const std::string& path, std::string bytes, const std::string& origin);
  void Missing(const std::string& what) { missing_ += (missing_.empty() ? "" : "; ") + what; }
  [[nodiscard]] std::string NameOf(const ConfigMapSource& from) const {
    return "ConfigMap " + ns_ + "/" + from.name;
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

ApiResult<void> Gatherer::Add(const ConfigMapSource& from) {
  ApiResult<FoundObject> object =
      ReadObject(client_, kube::ConfigMaps(), {.ns = ns_, .name = from.name}, stop_);
  if (!object) return tl::make_unexpected(std::move(object).error());
  if (!*object) {
    Missing(object->error());
    return {};
  }
  const Json& found = **object;
  const Json& metadata = Member(found, "metadata");
  resolved_.push_back({.kind = "ConfigMap",
                       .name = from.name,
                       .uid = Text(metadata, "uid"),
                       .resource_version = Text(metadata, "resourceVersion")});
  for (const std::string& key : from.keys.empty() ? AllKeys(found) : from.keys) {
    AddKey(from, found, key);
  }
  return {};
}

void Gatherer::AddKey(const ConfigMapSource& from, const Json& object, const std::string& key) {
  const std::string path = from.directory.empty() ? key : from.directory + "/" + key;
  const Json& text = Member(Member(object, "data"), key.c_str());
  if (text.is_string()) return AddFile(path, text.get<std::string>(), NameOf(from));
  const Json& binary = Member(Member(object, "binaryData"), key.c_str());
  std::string bytes;
  if (!binary.is_string() || !Base64Decode(binary.get_ref<const std::string&>(), &bytes)) {
    return Missing(NameOf(from) + " has no key " + key);
  }
  AddFile(path, std::move(bytes), NameOf(from));
}

void Gatherer::AddFile(const std::string& path, std::string bytes, const std::string& origin) {
  const Result<void> added = builder_.Add(path, std::move(bytes), origin);
  if (!added && invalid_.empty()) invalid_ = added.error().message;
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
  for (const InlineFile& file : source.inline_files) gatherer.Add(file);
  return std::move(gatherer).Finish();
}

}  // namespace whimbrel::controller
