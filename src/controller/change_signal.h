#pragma once

#include <chrono>
#include <condition_variable>
#include <cstdint>
#include <mutex>
#include <stop_token>

namespace whimbrel::controller {

/// "Something changed; look again", without a change ever being missed: whoever waits looks between
/// Now() and Wait(). Thread-safe.
class ChangeSignal {
 public:
  void Notify() {
    {
      const std::lock_guard lock(mutex_);
      ++changes_;
    }
    changed_.notify_all();
  }
  [[nodiscard]] std::uint64_t Now() const {
    const std::lock_guard lock(mutex_);
    return changes_;
  }
  /// Until something has changed since `seen`; false: a stop was requested first.
  bool Wait(std::uint64_t seen, std::stop_token stop) const {
    std::unique_lock lock(mutex_);
    return changed_.wait(lock, stop, [&] { return changes_ != seen; });
  }
  /// The same, until `deadline`.
  bool WaitUntil(std::uint64_t seen, std::chrono::steady_clock::time_point deadline) const {
    std::unique_lock lock(mutex_);
    return changed_.wait_until(lock, deadline, [&] { return changes_ != seen; });
  }

 private:
  mutable std::mutex mutex_;
  mutable std::condition_variable_any changed_;
  std::uint64_t changes_ = 0;
};

}  // namespace whimbrel::controller
