#pragma once

#include <malloc.h>

#include <algorithm>
#include <cstddef>
#include <functional>
#include <thread>

namespace whimbrel::postgres {

#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
// <sanitizer/allocator_interface.h>: the sanitizers' own allocator keeps what was freed for a
// while, so the size of the process tells nothing.
extern "C" std::size_t __sanitizer_get_current_allocated_bytes();  // NOLINT
inline std::size_t AllocatedBytes() { return __sanitizer_get_current_allocated_bytes(); }
#else
inline std::size_t AllocatedBytes() {
  const auto info = mallinfo2();
  return info.uordblks + info.hblkhd;
}
#endif

/// The most memory that was allocated at a time while `work` ran, above what was there before.
inline std::size_t PeakOf(const std::function<void()>& work) {
  const std::size_t before = AllocatedBytes();
  std::size_t peak = before;
  {
    const std::jthread watch([&](const std::stop_token& stop) {
      while (!stop.stop_requested()) {
        peak = std::max(peak, AllocatedBytes());
        std::this_thread::yield();
      }
    });
    work();
  }
  return peak - before;
}

inline constexpr std::size_t kMiB = std::size_t{1024} * 1024;

}  // namespace whimbrel::postgres
