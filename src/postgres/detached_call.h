#pragma once

#include <algorithm>
#include <condition_variable>
#include <memory>
#include <mutex>
#include <optional>
#include <stop_token>
#include <system_error>
#include <thread>
#include <utility>

#include "whimbrel/base/clock.h"

namespace whimbrel::postgres {

/// Runs `work` on a thread of its own and waits for its answer until `deadline` or a stop. For
/// system calls that block and cannot be interrupted (name resolution, PQcancel): on nullopt the
/// thread is left to end by itself, so `work` must own all that it uses.
template <class Work>
auto CallDetached(Work work, SteadyTime deadline, std::stop_token stop)
    -> std::optional<decltype(work())> {
  struct Shared {
    std::mutex mutex;
    std::condition_variable_any answered;
    std::optional<decltype(work())> answer;
  };
  auto shared = std::make_shared<Shared>();
  try {
    std::thread([shared, work = std::move(work)]() mutable {
      auto answer = work();
      const std::lock_guard lock(shared->mutex);
      shared->answer.emplace(std::move(answer));
      shared->answered.notify_all();
    }).detach();
  } catch (const std::system_error&) {
    return std::nullopt;  // The system has no thread left; as good as no answer.
  }
  std::unique_lock lock(shared->mutex);
  const auto done = [&] { return shared->answer.has_value(); };
  // Time is looked at in slices: the far end of the clock overflows in wait_until.
  while (!done() && !stop.stop_requested() && std::chrono::steady_clock::now() < deadline) {
    const auto slice = std::chrono::steady_clock::now() + std::chrono::hours(1);
    shared->answered.wait_until(lock, stop, std::min(deadline, slice), done);
  }
  return std::move(shared->answer);
}

}  // namespace whimbrel::postgres
