#include "cli/signals.h"

#include <pthread.h>
#include <signal.h>
#include <unistd.h>

#include "whimbrel/base/log.h"

namespace whimbrel::cli {

namespace {

sigset_t StopSignals() {
  sigset_t set;
  sigemptyset(&set);
  sigaddset(&set, SIGTERM);
  sigaddset(&set, SIGINT);
  return set;
}

}  // namespace

SignalStop::SignalStop() {
  signal(SIGPIPE, SIG_IGN);
  const sigset_t set = StopSignals();
  pthread_sigmask(SIG_BLOCK, &set, nullptr);
  waiter_ = std::jthread([this, set](const std::stop_token& done) {
    for (bool first = true;; first = false) {
      int number = 0;
      sigwait(&set, &number);
      if (done.stop_requested()) return;
      if (!first) _exit(1);
      log::Info("cli", "stopping", {{"signal", number}});
      stop_.request_stop();
    }
  });
}

SignalStop::~SignalStop() {
  waiter_.request_stop();
  // Wakes sigwait, which takes it; the handler-less signal never reaches anybody else.
  pthread_kill(waiter_.native_handle(), SIGINT);
}

}  // namespace whimbrel::cli
