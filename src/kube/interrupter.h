#pragma once

#include <mutex>

#include "whimbrel/base/file_descriptor.h"

namespace whimbrel::kube {

/// Lets any thread break off what another one does on a socket, at any time and at once: connect,
/// TLS handshake, read and write alike. It keeps a duplicate of the descriptor, so that the kernel
/// cannot give its number to another file in the meantime. Thread-safe.
class Interrupter {
 public:
  Interrupter() = default;

  /// From now on Interrupt() acts on this socket, whose connect has begun. False: it was called
  /// already, or there are no descriptors left.
  bool Attach(int socket);
  void Interrupt();
  [[nodiscard]] bool interrupted() const;
  /// Nothing waits to be read: no data, no end of the connection. False without a socket.
  [[nodiscard]] bool IsQuiet() const;

 private:
  mutable std::mutex mutex_;
  FileDescriptor duplicate_;
  bool interrupted_ = false;
};

}  // namespace whimbrel::kube
