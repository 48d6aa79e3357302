#include "engine/slot_pool.h"

#include <utility>

namespace whimbrel::engine {

SlotPool::Slot SlotPool::TryAcquire() {
  std::lock_guard lock(mutex_);
  if (free_ == 0) return Slot();
  --free_;
  return Slot(this);
}

SlotPool::Slot SlotPool::Acquire(std::chrono::milliseconds patience, std::stop_token stop) {
  std::unique_lock lock(mutex_);
  if (!freed_.wait_for(lock, stop, patience, [&] { return free_ > 0; })) return Slot();
  --free_;
  return Slot(this);
}

void SlotPool::Release() {
  {
    std::lock_guard lock(mutex_);
    ++free_;
  }
  freed_.notify_one();
}

}  // namespace whimbrel::engine
