#include "kube/interrupter.h"

#include <fcntl.h>
#include <poll.h>
#include <sys/socket.h>

namespace whimbrel::kube {

bool Interrupter::Attach(int socket) {
  std::lock_guard lock(mutex_);
  duplicate_ = FileDescriptor(::fcntl(socket, F_DUPFD_CLOEXEC, 0));
  return duplicate_ && !interrupted_;
}

void Interrupter::Interrupt() {
  std::lock_guard lock(mutex_);
  interrupted_ = true;
  // In SYN_SENT this ends the connect; afterwards every read and write.
  if (duplicate_) ::shutdown(duplicate_.get(), SHUT_RDWR);
}

bool Interrupter::interrupted() const {
  std::lock_guard lock(mutex_);
  return interrupted_;
}

bool Interrupter::IsQuiet() const {
  std::lock_guard lock(mutex_);
  if (!duplicate_) return false;
  pollfd poll_entry{.fd = duplicate_.get(), .events = POLLIN, .revents = 0};
  return ::poll(&poll_entry, 1, 0) == 0;
}

}  // namespace whimbrel::kube
