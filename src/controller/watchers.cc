#include "controller/watchers.h"

#include <nlohmann/json.hpp>
#include <utility>

#include "controller/json_fields.h"

namespace whimbrel::controller {

using kube::Json;
using kube::ObjectKey;

std::vector<std::string> ConfigMapIndex(const ObjectKey& key, const CachedMigration& migration) {
  std::vector<std::string> values;
  for (const std::string& name : migration.config_maps) {
    values.push_back(ObjectKey{.ns = key.ns, .name = name}.ToString());
  }
  return values;
}

namespace {

/// Lists are repeated after a gap in the watch; only the first is news.
void CallOnce(std::function<void()>& synced) {
  if (const std::function<void()> call = std::exchange(synced, nullptr)) call();
}

}  // namespace

MigrationWatcher::MigrationWatcher(MigrationStore& store, WakeFunction wake,
                                   std::function<void()> synced)
    : store_(store), wake_(std::move(wake)), synced_(std::move(synced)) {}

bool MigrationWatcher::OnUpsert(const ObjectKey& key, Json&& object) {
  auto now = std::make_shared<const CachedMigration>(Summarize(object));
  const MigrationStore::Ptr before = store_.Get(key);
  const bool known =
      before && before->uid == now->uid && before->resource_version == now->resource_version;
  if (known) return true;
  store_.Put(key, std::move(now));
  wake_(key);
  return true;
}

void MigrationWatcher::OnDelete(const ObjectKey& key) {
  store_.Remove(key);
  wake_(key);
}

void MigrationWatcher::OnSynced() { CallOnce(synced_); }

ConfigMapWatcher::ConfigMapWatcher(const MigrationStore& store, WakeFunction wake,
                                   std::function<void()> synced)
    : store_(store), wake_(std::move(wake)), synced_(std::move(synced)) {}

bool ConfigMapWatcher::OnUpsert(const ObjectKey& key, Json&& object) {
  const std::vector<ObjectKey> dependants = store_.ByIndex(key.ToString());
  if (dependants.empty()) {
    versions_.erase(key);
    return false;
  }
  const Json& metadata = Member(object, "metadata");
  std::string version = Text(metadata, "uid") + "/" + Text(metadata, "resourceVersion");
  std::string& known = versions_[key];
  if (known == version) return true;
  known = std::move(version);
  WakeDependants(dependants);
  return true;
}

void ConfigMapWatcher::OnDelete(const ObjectKey& key) {
  versions_.erase(key);
  WakeDependants(store_.ByIndex(key.ToString()));
}

void ConfigMapWatcher::OnSynced() { CallOnce(synced_); }

void ConfigMapWatcher::WakeDependants(const std::vector<ObjectKey>& dependants) const {
  for (const ObjectKey& dependant : dependants) wake_(dependant);
}

}  // namespace whimbrel::controller
