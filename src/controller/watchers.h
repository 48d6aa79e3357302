#pragma once

#include <functional>
#include <map>
#include <string>
#include <vector>

#include "controller/job_facts.h"
#include "whimbrel/controller/api.h"
#include "whimbrel/kube/reflector.h"
#include "whimbrel/kube/store.h"

namespace whimbrel::controller {

using MigrationStore = kube::Store<CachedMigration>;
using WakeFunction = std::function<void(const kube::ObjectKey&)>;

/// The index of MigrationStore: `ns/name` of each referenced ConfigMap, and `uid:` with its own.
[[nodiscard]] std::vector<std::string> MigrationIndex(const kube::ObjectKey& key,
                                                      const CachedMigration& migration);

/// Of one reflector. Keeps the store, and wakes what changed since it was read or written here.
class MigrationWatcher final : public kube::ReflectorHandler {
 public:
  /// `synced` is called once: the first list is done.
  MigrationWatcher(MigrationStore& store, WakeFunction wake, std::function<void()> synced);
  bool OnUpsert(const kube::ObjectKey& key, kube::Json&& object) override;
  void OnDelete(const kube::ObjectKey& key) override;
  void OnSynced() override;

 private:
  MigrationStore& store_;
  const WakeFunction wake_;
  std::function<void()> synced_;
};

/// Of one reflector, of metadata. Wakes the resources whose ConfigMaps changed; of ConfigMaps that
/// nobody names nothing is kept.
class ConfigMapWatcher final : public kube::ReflectorHandler {
 public:
  ConfigMapWatcher(const MigrationStore& store, WakeFunction wake, std::function<void()> synced);
  bool OnUpsert(const kube::ObjectKey& key, kube::Json&& object) override;
  void OnDelete(const kube::ObjectKey& key) override;
  void OnSynced() override;

 private:
  void WakeDependants(const std::vector<kube::ObjectKey>& dependants) const;

  const MigrationStore& store_;
  const WakeFunction wake_;
  std::function<void()> synced_;
  std::map<kube::ObjectKey, std::string> versions_;  ///< uid and resourceVersion.
};

/// Of one reflector, of Jobs or of pods that Whimbrel made. Keeps the facts, and wakes their owner.
template <class Facts>
class OwnedWatcher final : public kube::ReflectorHandler {
 public:
  using Read = Facts (*)(const kube::Json& object);

  OwnedWatcher(kube::Store<Facts>& store, Read read, const MigrationStore& owners,
               WakeFunction wake, std::function<void()> synced);
  bool OnUpsert(const kube::ObjectKey& key, kube::Json&& object) override;
  void OnDelete(const kube::ObjectKey& key) override;
  void OnSynced() override;

 private:
  void WakeOwner(const Facts& facts) const;

  kube::Store<Facts>& store_;
  const Read read_;
  const MigrationStore& owners_;
  const WakeFunction wake_;
  std::function<void()> synced_;
};

extern template class OwnedWatcher<JobFacts>;
extern template class OwnedWatcher<PodFacts>;

}  // namespace whimbrel::controller
