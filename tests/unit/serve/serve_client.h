#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "whimbrel/base/file_descriptor.h"

namespace whimbrel::serve {

/// A TCP connection to 127.0.0.1 that says exactly what a test wants it to say.
class RawClient {
 public:
  explicit RawClient(std::uint16_t port);

  [[nodiscard]] bool connected() const { return static_cast<bool>(socket_); }
  /// False: the server closed it.
  bool Send(std::string_view bytes) const;
  /// Everything until the server closes; within a minute.
  [[nodiscard]] std::string ReadAll() const;
  /// The server closed it, without a byte.
  [[nodiscard]] bool WasClosed() const { return ReadAll().empty(); }

 private:
  FileDescriptor socket_;
};

/// The whole answer to `GET target` without a header beside Host.
[[nodiscard]] std::string Get(std::uint16_t port, std::string_view target);

/// What follows the empty line.
[[nodiscard]] std::string BodyOf(std::string_view answer);

}  // namespace whimbrel::serve
