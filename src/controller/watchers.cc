#include "controller/watchers.h"

#include <nlohmann/json.hpp>
#include <type_traits>
#include <utility>

#include "controller/json_fields.h"

namespace whimbrel::controller {

using kube::Json;
using kube::ObjectKey;

namespace {

/// No name of a namespace holds a colon.
std::string UidIndex(const std::string& uid) { return "uid:" + uid; }

}  // namespace

std::vector<std::string> MigrationIndex(const ObjectKey& key, const CachedMigration& migration) {
  std::vector<std::string> values = {UidIndex(migration.uid)};
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

template <class Facts>
OwnedWatcher<Facts>::OwnedWatcher(kube::Store<Facts>& store, Read read,
                                  const MigrationStore& owners, WakeFunction wake,
                                  std::function<void()> synced)
    : store_(store),
      read_(read),
      owners_(owners),
      wake_(std::move(wake)),
      synced_(std::move(synced)) {}

template <class Facts>
bool OwnedWatcher<Facts>::OnUpsert(const ObjectKey& key, Json&& object) {
  Facts facts = read_(object);
  const auto stored = std::make_shared<const Facts>(std::move(facts));
  store_.Put(key, stored);
  WakeOwner(*stored);
  return true;
}

template <class Facts>
void OwnedWatcher<Facts>::OnDelete(const ObjectKey& key) {
  const typename kube::Store<Facts>::Ptr last = store_.Get(key);
  if (!last) return;
  store_.Remove(key);
  if constexpr (std::is_same_v<Facts, PodFacts>) {
    // Its last words may not have been read yet; the owner's next pass lets go of them.
    if (last->end && !owners_.ByIndex(UidIndex(last->owner_uid)).empty()) {
      PodFacts gone = *last;
      gone.gone = true;
      store_.Put(key, std::make_shared<const Facts>(std::move(gone)));
    }
  }
  WakeOwner(*last);
}

template <class Facts>
void OwnedWatcher<Facts>::OnSynced() {
  CallOnce(synced_);
}

template <class Facts>
void OwnedWatcher<Facts>::WakeOwner(const Facts& facts) const {
  for (const ObjectKey& owner : owners_.ByIndex(UidIndex(facts.owner_uid))) wake_(owner);
}

template class OwnedWatcher<JobFacts>;
template class OwnedWatcher<PodFacts>;

}  // namespace whimbrel::controller
