#pragma once

#include <cstddef>
#include <memory>
#include <span>
#include <string_view>

#include "whimbrel/base/file_descriptor.h"

struct ssl_ctx_st;

namespace whimbrel::serve {

/// What became of one attempt to read or write.
struct Transfer {
  enum class Outcome {
    kMoved,      ///< `bytes` of them, at least one.
    kWantRead,   ///< Again when the socket can be read; a TLS write may want that too.
    kWantWrite,  ///< Again when the socket can be written.
    kClosed,     ///< The other side closed, or the connection is broken.
  };
  Outcome outcome = Outcome::kClosed;
  std::size_t bytes = 0;
};

/// The bytes of one accepted connection; never blocks. The calling thread must not be killed by
/// SIGPIPE.
class Stream {
 public:
  virtual ~Stream() = default;
  virtual Transfer Read(std::span<char> buffer) = 0;
  virtual Transfer Write(std::string_view bytes) = 0;
  /// Says that nothing more will be written.
  virtual void EndWrite() = 0;
  [[nodiscard]] virtual int fd() const = 0;
};

[[nodiscard]] std::unique_ptr<Stream> NewPlainStream(FileDescriptor socket);
/// Null when OpenSSL has no memory. The handshake happens in the first reads.
[[nodiscard]] std::unique_ptr<Stream> NewTlsStream(FileDescriptor socket,
                                                   const std::shared_ptr<ssl_ctx_st>& context);

}  // namespace whimbrel::serve
