#pragma once

#include <cstddef>
#include <cstdint>
#include <deque>
#include <map>
#include <memory>
#include <nlohmann/json.hpp>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "whimbrel/kube/object_client.h"
#include "whimbrel/kube/resource.h"

namespace whimbrel::kube {

/// The objects of an in-memory API server and what became of them: every change gets the next
/// resourceVersion and a line in a log from which watches are fed. Objects are immutable once
/// stored. Not thread-safe.
class ManifestStore {
 public:
  using Ptr = std::shared_ptr<const nlohmann::json>;

  struct Event {
    std::uint64_t version = 0;
    Resource resource;
    ObjectKey key;
    WatchEventType type = WatchEventType::kAdded;
    Ptr object;
  };

  /// How many changes a watch may be behind before it has to list again.
  static constexpr std::size_t kMaxEvents = 1000;

  [[nodiscard]] std::uint64_t version() const { return version_; }
  /// nullptr when there is none.
  [[nodiscard]] Ptr Find(const Resource& resource, const ObjectKey& key) const;
  /// By key; an empty namespace stands for all.
  [[nodiscard]] std::vector<Ptr> List(const Resource& resource, const std::string& ns) const;

  /// Adds or replaces an object, and stamps metadata.resourceVersion.
  Ptr Put(const Resource& resource, const ObjectKey& key, nlohmann::json object);
  /// False when there is none.
  bool Remove(const Resource& resource, const ObjectKey& key);
  /// Removes the objects of `resource` that were not changed for longest, until `count` are left.
  void KeepNewest(const Resource& resource, std::size_t count);

  /// What happened after `version`; nullopt when that is too long ago.
  [[nodiscard]] std::optional<std::vector<Event>> EventsAfter(std::uint64_t version,
                                                              const Resource& resource,
                                                              const std::string& ns) const;

 private:
  using Id = std::pair<Resource, ObjectKey>;
  struct Stored {
    std::uint64_t version = 0;
    Ptr object;
  };

  Ptr Record(const Id& id, WatchEventType type, nlohmann::json object);

  std::map<Id, Stored> objects_;
  std::deque<Event> log_;
  std::uint64_t version_ = 0;
  std::uint64_t forgotten_ = 0;  ///< The newest change that is no longer in the log.
};

}  // namespace whimbrel::kube
