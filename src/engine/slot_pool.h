#pragma once

#include <condition_variable>
#include <functional>
#include <mutex>
#include <stop_token>

#include "whimbrel/base/clock.h"

namespace whimbrel::engine {

/// How many runs may execute SQL at once (maxConcurrentMigrations). Runs that wait for anything
/// hold no slot. Thread-safe.
class SlotPool {
 public:
  explicit SlotPool(int slots) : free_(slots) {}

  /// A held slot; gives it back when destroyed.
  class Slot {
   public:
    Slot() = default;
    explicit Slot(SlotPool* pool) : pool_(pool) {}
    Slot(Slot&& other) noexcept : pool_(std::exchange(other.pool_, nullptr)) {}
    Slot& operator=(Slot&& other) noexcept {
      std::swap(pool_, other.pool_);
      return *this;
    }
    ~Slot() {
      if (pool_ != nullptr) pool_->Release();
    }
    [[nodiscard]] bool held() const { return pool_ != nullptr; }

   private:
    SlotPool* pool_ = nullptr;
  };

  [[nodiscard]] Slot TryAcquire();
  /// Waits for at most `patience`; a slot that is not held when that is over or a stop was
  /// requested.
  [[nodiscard]] Slot Acquire(std::chrono::milliseconds patience, std::stop_token stop);

 private:
  void Release();

  std::mutex mutex_;
  std::condition_variable_any freed_;
  int free_;
};

}  // namespace whimbrel::engine
