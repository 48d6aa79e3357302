#include "whimbrel/kube/manifest_client.h"

#include <algorithm>
#include <charconv>
#include <chrono>
#include <condition_variable>
#include <map>
#include <mutex>
#include <nlohmann/json.hpp>
#include <optional>
#include <utility>

#include "kube/manifest_errors.h"
#include "kube/manifest_files.h"
#include "kube/manifest_objects.h"
#include "kube/manifest_store.h"
#include "whimbrel/base/hash.h"

namespace whimbrel::kube {
namespace {

constexpr std::size_t kMaxEventObjects = 1000;

/// A member of metadata; empty when there is none.
std::string MetadataOf(const Json& object, const char* field) {
  const auto metadata = object.find("metadata");
  if (metadata == object.end() || !metadata->is_object()) return {};
  const auto found = metadata->find(field);
  return found != metadata->end() && found->is_string() ? found->get<std::string>() : std::string();
}

ObjectKey KeyOf(const Json& object) {
  return {.ns = MetadataOf(object, "namespace"), .name = MetadataOf(object, "name")};
}

/// Whatever is not written to the subresource leaves the status as it was.
void KeepStatus(Json& object, const Json* old) {
  object.erase("status");
  if (old != nullptr && old->contains("status")) object["status"] = old->at("status");
}

Json AsAsked(const Json& object, bool metadata_only) {
  if (!metadata_only) return object;
  return {{"apiVersion", "meta.k8s.io/v1"},
          {"kind", "PartialObjectMetadata"},
          {"metadata", object.at("metadata")}};
}

class ManifestClientImpl final : public ManifestClient {
 public:
  ManifestClientImpl(std::vector<std::string> paths, std::string default_namespace,
                     std::vector<ServedResource> served, const Clock& clock)
      : paths_(std::move(paths)),
        default_namespace_(std::move(default_namespace)),
        served_(std::move(served)),
        clock_(clock) {}

  Result<void> Reload() override;
  std::vector<std::string> Warnings() const override;

  ApiResult<Json> Get(const Resource& resource, const ObjectKey& key,
                      std::stop_token stop) override;
  ApiResult<std::string> List(const Resource& resource, const ListOptions& options,
                              const ListHandler& handler, std::stop_token stop) override;
  ApiResult<void> Watch(const Resource& resource, const WatchOptions& options,
                        const WatchHandler& handler, std::stop_token stop) override;
  ApiResult<Json> Create(const Resource& resource, const Json& object,
                         std::stop_token stop) override;
  ApiResult<Json> Update(const Resource& resource, const Json& object,
                         std::stop_token stop) override;
  ApiResult<Json> Apply(const Resource& resource, const Json& object, const ApplyOptions& options,
                        std::stop_token stop) override;
  ApiResult<void> Delete(const Resource& resource, const ObjectKey& key, const std::string& uid,
                         std::stop_token stop) override;
  ApiResult<std::string> ReadLog(const ObjectKey& pod, const LogOptions& options,
                                 std::stop_token stop) override;

 private:
  using Id = std::pair<Resource, ObjectKey>;
  using Changes = std::vector<ManifestStore::Event>;
  using Deadline = std::chrono::steady_clock::time_point;

  // These expect mutex_ to be held.
  [[nodiscard]] std::vector<std::string> BrokenRules(const ManifestSet& wanted) const;
  void Replace(ManifestSet&& wanted);
  [[nodiscard]] ApiResult<Json> Write(const Id& id, Json object, const Json* old);
  [[nodiscard]] Json Stamped(const Resource& resource, Json object, const Json* old) const;

  [[nodiscard]] const ServedResource* Served(const Resource& resource) const;
  [[nodiscard]] ApiResult<void> CheckServed(const Resource& resource) const;
  template <class Options>
  [[nodiscard]] ApiResult<void> CheckOptions(const Resource& resource,
                                             const Options& options) const;
  [[nodiscard]] std::vector<std::string> Rules(const Resource& resource, const Json& object,
                                               const Json* old) const;
  [[nodiscard]] ApiResult<Changes> NextChanges(const Resource& resource,
                                               const WatchOptions& options, std::uint64_t& after,
                                               Deadline deadline, const std::stop_token& stop);

  const std::vector<std::string> paths_;
  const std::string default_namespace_;
  const std::vector<ServedResource> served_;
  const Clock& clock_;

  std::mutex reload_mutex_;  ///< One Reload at a time; held while files are read.
  mutable std::mutex mutex_;
  std::condition_variable_any changed_;
  ManifestStore store_;           ///< Guarded by mutex_, as the two below.
  std::map<Id, Json> manifests_;  ///< What the files said last.
  std::vector<std::string> warnings_;
};

Result<void> ManifestClientImpl::Reload() {
  const std::lock_guard reloading(reload_mutex_);
  Result<std::vector<ManifestDocument>> documents = ReadManifests(paths_);
  if (!documents) return tl::make_unexpected(documents.error());
  Result<ManifestSet> wanted = CheckManifests(*std::move(documents), default_namespace_, served_);
  if (!wanted) return tl::make_unexpected(wanted.error());
  {
    const std::lock_guard lock(mutex_);
    const std::vector<std::string> broken = BrokenRules(*wanted);
    if (!broken.empty()) return tl::make_unexpected(ManifestError(broken));
    Replace(*std::move(wanted));
  }
  changed_.notify_all();
  return {};
}

std::vector<std::string> ManifestClientImpl::BrokenRules(const ManifestSet& wanted) const {
  std::vector<std::string> findings;
  for (const auto& [id, manifest] : wanted.objects) {
    const ManifestStore::Ptr old = store_.Find(id.first, id.second);
    for (const std::string& problem : Rules(id.first, manifest.object, old.get())) {
      findings.push_back(DescribeManifest(manifest.where, manifest.object) + ": " + problem);
    }
  }
  return findings;
}

void ManifestClientImpl::Replace(ManifestSet&& wanted) {
  for (const auto& [id, object] : manifests_) {
    if (!wanted.objects.contains(id)) store_.Remove(id.first, id.second);
  }
  std::map<Id, Json> manifests;
  for (auto& [id, manifest] : wanted.objects) {
    const ManifestStore::Ptr old = store_.Find(id.first, id.second);
    const auto before = manifests_.find(id);
    const bool unchanged = before != manifests_.end() && before->second == manifest.object;
    if (old == nullptr || !unchanged) {
      Json object = manifest.object;
      if (old != nullptr) KeepStatus(object, old.get());
      store_.Put(id.first, id.second, Stamped(id.first, std::move(object), old.get()));
    }
    manifests[id] = std::move(manifest.object);
  }
  manifests_ = std::move(manifests);
  warnings_ = std::move(wanted.warnings);
}

std::vector<std::string> ManifestClientImpl::Warnings() const {
  const std::lock_guard lock(mutex_);
  return warnings_;
}

const ServedResource* ManifestClientImpl::Served(const Resource& resource) const {
  const auto found = std::find_if(served_.begin(), served_.end(), [&](const ServedResource& one) {
    return one.resource == resource;
  });
  return found == served_.end() ? nullptr : &*found;
}

ApiResult<void> ManifestClientImpl::CheckServed(const Resource& resource) const {
  if (resource == ConfigMaps() || resource == Secrets() || resource == Events() ||
      Served(resource) != nullptr) {
    return {};
  }
  return Refuse(ApiErrorReason::kNotFound, 404,
                "the server could not find the requested resource " + resource.plural);
}

template <class Options>
ApiResult<void> ManifestClientImpl::CheckOptions(const Resource& resource,
                                                 const Options& options) const {
  if (!options.label_selector.empty() || !options.field_selector.empty()) {
    return Refuse(ApiErrorReason::kInvalid, 400, "manifests cannot be selected by label or field");
  }
  return CheckServed(resource);
}

std::vector<std::string> ManifestClientImpl::Rules(const Resource& resource, const Json& object,
                                                   const Json* old) const {
  const ServedResource* served = Served(resource);
  if (served == nullptr || !served->validate) return {};
  return served->validate(object, old == nullptr ? Json() : *old);
}

/// What a server writes into metadata; the version is the store's to write.
Json ManifestClientImpl::Stamped(const Resource& resource, Json object, const Json* old) const {
  Json& metadata = object["metadata"];
  if (old == nullptr) {
    metadata["uid"] = NewUuid();
    metadata["creationTimestamp"] = FormatRfc3339(clock_.SystemNow());
    if (Served(resource) != nullptr) metadata["generation"] = 1;
    return object;
  }
  const Json& before = old->at("metadata");
  for (const char* field : {"uid", "creationTimestamp"}) metadata[field] = before.at(field);
  if (before.contains("generation")) {
    const bool edited = object.value("spec", Json()) != old->value("spec", Json());
    metadata["generation"] = before.at("generation").get<std::int64_t>() + (edited ? 1 : 0);
  }
  return object;
}

ApiResult<Json> ManifestClientImpl::Get(const Resource& resource, const ObjectKey& key,
                                        std::stop_token stop) {
  if (stop.stop_requested()) return Cancelled();
  if (auto served = CheckServed(resource); !served) return tl::make_unexpected(served.error());
  const std::lock_guard lock(mutex_);
  const ManifestStore::Ptr object = store_.Find(resource, key);
  if (object == nullptr) return NotFound(resource, key.name);
  return *object;
}

ApiResult<std::string> ManifestClientImpl::List(const Resource& resource,
                                                const ListOptions& options,
                                                const ListHandler& handler, std::stop_token stop) {
  if (auto valid = CheckOptions(resource, options); !valid)
    return tl::make_unexpected(valid.error());
  std::unique_lock lock(mutex_);
  const std::vector<ManifestStore::Ptr> objects = store_.List(resource, options.ns);
  const std::string version = std::to_string(store_.version());
  lock.unlock();
  for (const ManifestStore::Ptr& object : objects) {
    if (stop.stop_requested()) return Cancelled();
    handler(AsAsked(*object, options.metadata_only));
  }
  return version;
}

ApiResult<void> ManifestClientImpl::Watch(const Resource& resource, const WatchOptions& options,
                                          const WatchHandler& handler, std::stop_token stop) {
  if (auto valid = CheckOptions(resource, options); !valid) return valid;
  const std::string& from = options.resource_version;
  std::uint64_t after = 0;
  const auto [end, error] = std::from_chars(from.data(), from.data() + from.size(), after);
  if (error != std::errc() || end != from.data() + from.size()) {
    return Refuse(ApiErrorReason::kInvalid, 400, "Invalid resource version: \"" + from + "\"");
  }
  const Deadline deadline = std::chrono::steady_clock::now() + options.timeout;
  while (true) {
    ApiResult<Changes> changes = NextChanges(resource, options, after, deadline, stop);
    if (!changes) return tl::make_unexpected(changes.error());
    if (changes->empty()) return {};
    for (const ManifestStore::Event& event : *changes) {
      if (stop.stop_requested()) return Cancelled();
      handler(event.type, AsAsked(*event.object, options.metadata_only));
    }
  }
}

/// Waits for changes after `after`, and moves that on; none at the deadline.
ApiResult<ManifestClientImpl::Changes> ManifestClientImpl::NextChanges(
    const Resource& resource, const WatchOptions& options, std::uint64_t& after, Deadline deadline,
    const std::stop_token& stop) {
  std::unique_lock lock(mutex_);
  std::optional<Changes> changes = Changes();
  changed_.wait_until(lock, stop, deadline, [&] {
    changes = store_.EventsAfter(after, resource, options.ns);
    if (changes) after = store_.version();
    return !changes || !changes->empty();
  });
  if (stop.stop_requested()) return Cancelled();
  if (!changes) {
    return Refuse(ApiErrorReason::kExpired, 410,
                  "too old resource version: " + std::to_string(after));
  }
  return *std::move(changes);
}

ApiResult<Json> ManifestClientImpl::Create(const Resource& resource, const Json& object,
                                           std::stop_token stop) {
  if (stop.stop_requested()) return Cancelled();
  if (auto served = CheckServed(resource); !served) return tl::make_unexpected(served.error());
  const Id id{resource, KeyOf(object)};
  const std::lock_guard lock(mutex_);
  if (store_.Find(resource, id.second) != nullptr) {
    return Refuse(ApiErrorReason::kAlreadyExists, 409,
                  Quoted(resource, id.second.name) + " already exists");
  }
  Json fresh = object;
  KeepStatus(fresh, nullptr);
  return Write(id, std::move(fresh), nullptr);
}

ApiResult<Json> ManifestClientImpl::Update(const Resource& resource, const Json& object,
                                           std::stop_token stop) {
  if (stop.stop_requested()) return Cancelled();
  if (auto served = CheckServed(resource); !served) return tl::make_unexpected(served.error());
  const Id id{resource, KeyOf(object)};
  const std::string version = MetadataOf(object, "resourceVersion");
  if (version.empty()) {
    return Refuse(ApiErrorReason::kInvalid, 422, "an update must carry metadata.resourceVersion");
  }
  const std::lock_guard lock(mutex_);
  const ManifestStore::Ptr old = store_.Find(resource, id.second);
  if (old == nullptr) return NotFound(resource, id.second.name);
  if (version != MetadataOf(*old, "resourceVersion")) return Modified(resource, id.second.name);
  Json intention = object;
  if (Served(resource) != nullptr) KeepStatus(intention, old.get());
  return Write(id, std::move(intention), old.get());
}

ApiResult<Json> ManifestClientImpl::Apply(const Resource& resource, const Json& object,
                                          const ApplyOptions& options, std::stop_token stop) {
  if (stop.stop_requested()) return Cancelled();
  if (auto served = CheckServed(resource); !served) return tl::make_unexpected(served.error());
  const Id id{resource, KeyOf(object)};
  const bool status = options.subresource == "status";
  if (status ? Served(resource) == nullptr : !options.subresource.empty()) {
    return NotFound(resource, options.subresource);
  }
  const std::lock_guard lock(mutex_);
  const ManifestStore::Ptr old = store_.Find(resource, id.second);
  if (old == nullptr && status) return NotFound(resource, id.second.name);
  const std::string version = MetadataOf(object, "resourceVersion");
  if (!version.empty() && (old == nullptr || version != MetadataOf(*old, "resourceVersion"))) {
    return Modified(resource, id.second.name);
  }
  Json intention = old == nullptr ? Json::object() : *old;
  if (status) {
    intention["status"] = object.value("status", Json());
  } else {
    intention.merge_patch(object);
    KeepStatus(intention, old.get());
  }
  return Write(id, std::move(intention), old.get());
}

ApiResult<Json> ManifestClientImpl::Write(const Id& id, Json object, const Json* old) {
  const auto& [resource, key] = id;
  std::vector<std::string> problems;
  if (key.name.empty()) problems.emplace_back("metadata.name: Required value");
  if (key.ns.empty()) problems.emplace_back("metadata.namespace: Required value");
  if (const ServedResource* served = Served(resource); served != nullptr) {
    served->schema.ApplyDefaults(object);
    for (std::string& one : served->schema.Validate(object)) problems.push_back(std::move(one));
  }
  if (problems.empty()) problems = Rules(resource, object, old);
  if (!problems.empty()) {
    return Refuse(ApiErrorReason::kInvalid, 422,
                  resource.kind + " \"" + key.name + "\" is invalid: " + Joined(problems));
  }
  object = Stamped(resource, std::move(object), old);
  if (old != nullptr && object == *old) return object;  // Nothing new, no new version.
  Json stored = *store_.Put(resource, key, std::move(object));
  if (resource == Events()) store_.KeepNewest(resource, kMaxEventObjects);
  changed_.notify_all();
  return stored;
}

ApiResult<void> ManifestClientImpl::Delete(const Resource& resource, const ObjectKey& key,
                                           const std::string& uid, std::stop_token stop) {
  if (stop.stop_requested()) return Cancelled();
  if (auto served = CheckServed(resource); !served) return served;
  const std::lock_guard lock(mutex_);
  const ManifestStore::Ptr object = store_.Find(resource, key);
  if (object == nullptr) return NotFound(resource, key.name);
  const std::string actual = MetadataOf(*object, "uid");
  if (!uid.empty() && uid != actual) {
    return Refuse(ApiErrorReason::kConflict, 409,
                  Quoted(resource, key.name) + " has the uid " + actual + ", not " + uid);
  }
  store_.Remove(resource, key);
  changed_.notify_all();
  return {};
}

ApiResult<std::string> ManifestClientImpl::ReadLog(const ObjectKey& pod, const LogOptions&,
                                                   std::stop_token) {
  return NotFound(Pods(), pod.name);
}

}  // namespace

Result<std::unique_ptr<ManifestClient>> ManifestClient::Load(std::vector<std::string> paths,
                                                             std::string default_namespace,
                                                             std::vector<ServedResource> served,
                                                             const Clock& clock) {
  auto client = std::make_unique<ManifestClientImpl>(std::move(paths), std::move(default_namespace),
                                                     std::move(served), clock);
  if (auto loaded = client->Reload(); !loaded) return tl::make_unexpected(loaded.error());
  return client;
}

}  // namespace whimbrel::kube
