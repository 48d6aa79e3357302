#pragma once

#include <cstdint>
#include <map>
#include <mutex>

#include "whimbrel/kube/resource.h"

namespace whimbrel::controller {

/// Which keys were woken and not yet worked off, without a gap between queue and worker: what
/// "nothing is due" rests on. Thread-safe.
class PendingKeys {
 public:
  void Add(const kube::ObjectKey& key) {
    const std::lock_guard lock(mutex_);
    woken_[key] = ++last_;
  }
  /// A token for Finish: whoever wakes the key afterwards is not covered by the pass.
  [[nodiscard]] std::uint64_t Begin(const kube::ObjectKey& key) const {
    const std::lock_guard lock(mutex_);
    const auto it = woken_.find(key);
    return it == woken_.end() ? 0 : it->second;
  }
  void Finish(const kube::ObjectKey& key, std::uint64_t token) {
    const std::lock_guard lock(mutex_);
    const auto it = woken_.find(key);
    if (it != woken_.end() && it->second == token) woken_.erase(it);
  }
  [[nodiscard]] bool empty() const {
    const std::lock_guard lock(mutex_);
    return woken_.empty();
  }

 private:
  mutable std::mutex mutex_;
  std::map<kube::ObjectKey, std::uint64_t> woken_;
  std::uint64_t last_ = 0;
};

}  // namespace whimbrel::controller
