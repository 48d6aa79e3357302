#include "kube/interrupter.h"

#include <fcntl.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

namespace whimbrel::kube {

Interrupter::~Interrupter() { Close(); }

void Interrupter::Close() {
  if (duplicate_ >= 0) ::close(duplicate_);
  duplicate_ = -1;
}

bool Interrupter::Attach(int socket) {
  std::lock_guard lock(mutex_);
  Close();
  duplicate_ = ::fcntl(socket, F_DUPFD_CLOEXEC, 0);
  return duplicate_ >= 0 && !interrupted_;
}

void Interrupter::Interrupt() {
  std::lock_guard lock(mutex_);
  interrupted_ = true;
  // In SYN_SENT this ends the connect; afterwards every read and write.
  if (duplicate_ >= 0) ::shutdown(duplicate_, SHUT_RDWR);
}

bool Interrupter::interrupted() const {
  std::lock_guard lock(mutex_);
  return interrupted_;
}

bool Interrupter::IsQuiet() const {
  std::lock_guard lock(mutex_);
  if (duplicate_ < 0) return false;
  pollfd poll_entry{.fd = duplicate_, .events = POLLIN, .revents = 0};
  return ::poll(&poll_entry, 1, 0) == 0;
}

}  // namespace whimbrel::kube
