#include "postgres/interrupt.h"

#include <poll.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cstdint>
#include <limits>
#include <utility>

namespace whimbrel::postgres {
namespace {

/// Milliseconds for poll(2): rounded up, so that a wait never ends just before its deadline.
int PollTimeout(SteadyTime deadline) {
  if (deadline == SteadyTime::max()) return -1;
  const SteadyTime now = std::chrono::steady_clock::now();
  if (deadline <= now) return 0;
  const auto left = std::chrono::ceil<std::chrono::milliseconds>(deadline - now).count();
  return static_cast<int>(std::min<std::int64_t>(left, std::numeric_limits<int>::max()));
}

}  // namespace

Interrupt::Interrupt() : event_(eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK)) {}

Interrupt::~Interrupt() {
  on_stop_.reset();
  if (event_ >= 0) close(event_);
}

void Interrupt::SetLimits(CallLimits limits) {
  on_stop_.reset();
  std::uint64_t ignored = 0;
  [[maybe_unused]] const auto drained = read(event_, &ignored, sizeof(ignored));
  limits_ = std::move(limits);
  on_stop_.emplace(limits_.stop, [event = event_] {
    const std::uint64_t one = 1;
    // Fails only when the counter is full, and then the descriptor is readable anyway.
    [[maybe_unused]] const auto written = write(event, &one, sizeof(one));
  });
}

Interruption Interrupt::Reached() const {
  if (limits_.stop.stop_requested()) return Interruption::kStopRequested;
  if (std::chrono::steady_clock::now() >= limits_.deadline) return Interruption::kDeadlineReached;
  return Interruption::kNone;
}

Wake Interrupt::Wait(int socket, short events, SteadyTime deadline) const {
  while (true) {
    std::array<pollfd, 2> fds = {pollfd{.fd = socket, .events = events, .revents = 0},
                                 pollfd{.fd = event_, .events = POLLIN, .revents = 0}};
    const int ready =
        poll(fds.data(), fds.size(), PollTimeout(std::min(deadline, limits_.deadline)));
    switch (Reached()) {
      case Interruption::kStopRequested:
        return Wake::kStop;
      case Interruption::kDeadlineReached:
        return Wake::kLimit;
      case Interruption::kNone:
        break;
    }
    if (ready > 0 && fds[0].revents != 0) return Wake::kReady;
    if (std::chrono::steady_clock::now() >= deadline) return Wake::kTimeout;
  }
}

Wake WaitForSocket(int socket, short events, SteadyTime deadline) {
  while (true) {
    pollfd fd{.fd = socket, .events = events, .revents = 0};
    if (poll(&fd, 1, PollTimeout(deadline)) > 0) return Wake::kReady;
    if (std::chrono::steady_clock::now() >= deadline) return Wake::kTimeout;
  }
}

}  // namespace whimbrel::postgres
