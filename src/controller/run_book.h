#pragma once

#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <set>
#include <string>
#include <string_view>

#include "controller/observed.h"
#include "whimbrel/base/clock.h"
#include "whimbrel/kube/resource.h"

namespace whimbrel::controller {

/// What this process remembers of each resource beside its status: the run that it started, and
/// whose run the one in status is. All of it may be lost. Thread-safe; a key's own entries are
/// changed by its one pass at a time.
class RunBook {
 public:
  [[nodiscard]] std::optional<OwnRun> Find(const kube::ObjectKey& key) const;
  void Put(const kube::ObjectKey& key, OwnRun run);
  void Erase(const kube::ObjectKey& key);
  /// Forgets the resource altogether.
  void Drop(const kube::ObjectKey& key);
  [[nodiscard]] std::optional<kube::ObjectKey> KeyOf(std::string_view run_id) const;
  [[nodiscard]] std::vector<std::string> RunIds() const;
  [[nodiscard]] bool empty() const;

  /// Nobody works on the unfinished run `run_id` of status, which is none of ours: it stood there
  /// when this process first saw the resource (a controller that was killed), or nothing was heard
  /// of it for `patience`. Until leader election another controller may be at work, hence the
  /// patience; the fence that counts is in the database.
  [[nodiscard]] bool IsLost(const kube::ObjectKey& key, const std::string& run_id,
                            const std::string& resource_version, SteadyTime now, Duration patience);
  /// Our own run of that id came to nothing, or nobody knows whether it was ever written down.
  void MarkLost(const kube::ObjectKey& key, const std::string& run_id);

 private:
  struct Entry {
    bool seen = false;
    std::unique_ptr<OwnRun> run;  ///< Most resources are at rest, and it takes 1 KB.
    std::set<std::string, std::less<>> lost_runs;  ///< Until the next one is known to have begun.
    std::string foreign_run;
    std::string foreign_version;
    SteadyTime foreign_since{};
  };

  mutable std::mutex mutex_;
  std::map<kube::ObjectKey, Entry> entries_;
  std::map<std::string, kube::ObjectKey, std::less<>> keys_by_run_;
};

}  // namespace whimbrel::controller
