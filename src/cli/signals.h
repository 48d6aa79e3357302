#pragma once

#include <stop_token>
#include <thread>

namespace whimbrel::cli {

/// Turns SIGTERM and SIGINT into a stop request; the second one ends the process at once with
/// status 1. Make it in main, before any other thread: it blocks the signals, and every later
/// thread inherits that. SIGPIPE is ignored: a closed connection is an error value.
class SignalStop {
 public:
  SignalStop();
  ~SignalStop();
  SignalStop(const SignalStop&) = delete;
  SignalStop& operator=(const SignalStop&) = delete;

  [[nodiscard]] std::stop_token token() const { return stop_.get_token(); }
  [[nodiscard]] bool requested() const { return stop_.stop_requested(); }

 private:
  std::stop_source stop_;
  std::jthread waiter_;
};

}  // namespace whimbrel::cli
