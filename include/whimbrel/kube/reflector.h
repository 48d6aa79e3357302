#pragma once

#include <memory>
#include <string>

#include "whimbrel/base/backoff.h"
#include "whimbrel/base/clock.h"
#include "whimbrel/kube/object_client.h"

namespace whimbrel::kube {

/// What a reflector tells its owner, on the reflector's thread. After the first OnSynced the
/// owner's picture is whole. A relist reports every object again through OnUpsert and, just before
/// OnSynced, those that are gone through OnDelete. An owner must take a repeated OnUpsert or
/// OnDelete calmly.
class ReflectorHandler {
 public:
  virtual ~ReflectorHandler() = default;
  /// True: the owner keeps something of this object. The reflector remembers the keys of such
  /// objects alone, so that thousands of unrelated ones cost no memory; only for them can it tell
  /// after a gap in the watch that they are gone.
  virtual bool OnUpsert(const ObjectKey& key, Json&& object) = 0;
  virtual void OnDelete(const ObjectKey& key) = 0;
  virtual void OnSynced() = 0;
};

struct ReflectorOptions {
  std::string name;  ///< For logs.
  Resource resource;
  std::string ns;              ///< Empty: all.
  std::string label_selector;  ///< An object that leaves the selection is reported as gone.
  std::string field_selector;
  bool metadata_only = false;
  Backoff backoff{std::chrono::milliseconds(800), std::chrono::seconds(30)};
};

/// List, then watch, for ever (client-go tools/cache/reflector.go): goes on from the last
/// resourceVersion, bookmarks included; lists again after 410, and after a watch that brought
/// neither an event nor a bookmark (the server may have been restored from a backup); backs off
/// with jitter, before a relist too; obeys Retry-After up to a minute. Runs on a thread of its own
/// from construction to destruction, which interrupts whatever it is doing.
class Reflector {
 public:
  Reflector(ObjectClient& client, ReflectorOptions options, ReflectorHandler& handler,
            const Clock& clock = Clock::System(), Random& random = Random::System());
  ~Reflector();
  Reflector(const Reflector&) = delete;
  Reflector& operator=(const Reflector&) = delete;

  /// The first list is done.
  [[nodiscard]] bool synced() const;

 private:
  class Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace whimbrel::kube
