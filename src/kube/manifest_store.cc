#include "kube/manifest_store.h"

#include <algorithm>
#include <utility>

namespace whimbrel::kube {

using nlohmann::json;

ManifestStore::Ptr ManifestStore::Find(const Resource& resource, const ObjectKey& key) const {
  const auto found = objects_.find({resource, key});
  return found == objects_.end() ? nullptr : found->second.object;
}

std::vector<ManifestStore::Ptr> ManifestStore::List(const Resource& resource,
                                                    const std::string& ns) const {
  std::vector<Ptr> found;
  for (auto entry = objects_.lower_bound({resource, ObjectKey{}});
       entry != objects_.end() && entry->first.first == resource; ++entry) {
    if (ns.empty() || entry->first.second.ns == ns) found.push_back(entry->second.object);
  }
  return found;
}

ManifestStore::Ptr ManifestStore::Put(const Resource& resource, const ObjectKey& key, json object) {
  const Id id{resource, key};
  const bool known = objects_.contains(id);
  const auto type = known ? WatchEventType::kModified : WatchEventType::kAdded;
  const Ptr stored = Record(id, type, std::move(object));
  objects_[id] = {.version = version_, .object = stored};
  return stored;
}

bool ManifestStore::Remove(const Resource& resource, const ObjectKey& key) {
  const auto found = objects_.find({resource, key});
  if (found == objects_.end()) return false;
  Record(found->first, WatchEventType::kDeleted, *found->second.object);
  objects_.erase(found);
  return true;
}

void ManifestStore::KeepNewest(const Resource& resource, std::size_t count) {
  std::vector<std::pair<std::uint64_t, ObjectKey>> by_age;
  for (const auto& [id, stored] : objects_) {
    if (id.first == resource) by_age.emplace_back(stored.version, id.second);
  }
  if (by_age.size() <= count) return;
  std::sort(by_age.begin(), by_age.end());
  by_age.resize(by_age.size() - count);
  for (const auto& [version, key] : by_age) Remove(resource, key);
}

std::optional<std::vector<ManifestStore::Event>> ManifestStore::EventsAfter(
    std::uint64_t version, const Resource& resource, const std::string& ns) const {
  if (version < forgotten_) return std::nullopt;
  std::vector<Event> events;
  const auto newer = std::upper_bound(
      log_.begin(), log_.end(), version,
      [](std::uint64_t wanted, const Event& event) { return wanted < event.version; });
  std::copy_if(newer, log_.end(), std::back_inserter(events), [&](const Event& event) {
    return event.resource == resource && (ns.empty() || event.key.ns == ns);
  });
  return events;
}

ManifestStore::Ptr ManifestStore::Record(const Id& id, WatchEventType type, json object) {
  object["metadata"]["resourceVersion"] = std::to_string(++version_);
  const auto stored = std::make_shared<const json>(std::move(object));
  log_.push_back({version_, id.first, id.second, type, stored});
  if (log_.size() > kMaxEvents) {
    forgotten_ = log_.front().version;
    log_.pop_front();
  }
  return stored;
}

}  // namespace whimbrel::kube
