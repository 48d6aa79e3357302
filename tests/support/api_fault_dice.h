#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <mutex>

#include "chaos/dice.h"
#include "support/api_fault_proxy.h"

namespace whimbrel::testing {

/// Rolls for each request what becomes of it: 30 % are refused with 500, 429 or, a write, 409;
/// watches and some of the other answers are cut. Thread-safe.
class ApiFaultDice {
 public:
  explicit ApiFaultDice(std::uint64_t seed) : dice_(seed) {}

  ApiFault Judge(const ApiRequest& request) {
    const std::lock_guard lock(mutex_);
    ++requests_;
    ApiFault fault;
    if (dice_.Chance(5)) fault.delay = std::chrono::milliseconds(dice_.Below(100));
    if (dice_.Chance(30)) {
      ++refused_;
      // Nobody answers a read with a conflict.
      fault.refuse_with =
          request.method == "GET" ? dice_.Pick<int>({500, 429}) : dice_.Pick<int>({500, 429, 409});
      if (fault.refuse_with == 429 && dice_.Chance(30)) fault.retry_after_seconds = 1;
    } else if (request.IsWatch()) {
      ++cut_;
      fault.cut_after = static_cast<std::size_t>(dice_.Below(30'000));
    } else if (dice_.Chance(5)) {
      ++cut_;
      fault.cut_after = static_cast<std::size_t>(dice_.Below(600));
    }
    return fault;
  }

  [[nodiscard]] int Share() const {
    const std::lock_guard lock(mutex_);
    return requests_ == 0 ? 0 : 100 * refused_ / requests_;
  }
  [[nodiscard]] int cut() const {
    const std::lock_guard lock(mutex_);
    return cut_;
  }

 private:
  mutable std::mutex mutex_;
  chaos::Dice dice_;
  int requests_ = 0;
  int refused_ = 0;
  int cut_ = 0;
};

}  // namespace whimbrel::testing
