#pragma once

#include <arpa/inet.h>
#include <netinet/in.h>
#include <poll.h>
#include <sys/socket.h>

#include <array>
#include <cstdint>
#include <string>
#include <string_view>

#include "support/eventually.h"
#include "support/loopback.h"
#include "whimbrel/base/file_descriptor.h"

namespace whimbrel::serve {

/// A TCP connection to 127.0.0.1 that says exactly what a test wants it to say.
class RawClient {
 public:
  explicit RawClient(std::uint16_t port) : socket_(::socket(AF_INET, SOCK_STREAM, 0)) {
    sockaddr_in address = testing::Loopback(port);
    if (::connect(socket_.get(), reinterpret_cast<sockaddr*>(&address), sizeof(address)) != 0) {
      socket_.Reset();
    }
  }

  [[nodiscard]] bool connected() const { return static_cast<bool>(socket_); }
  [[nodiscard]] int fd() const { return socket_.get(); }

  /// False: the server closed the connection.
  bool Send(std::string_view bytes) const {
    return ::send(socket_.get(), bytes.data(), bytes.size(), MSG_NOSIGNAL) ==
           static_cast<ssize_t>(bytes.size());
  }

  /// Everything until the server closes the connection; `(silence)` when it never does.
  [[nodiscard]] std::string ReadAll() const {
    std::string all;
    std::array<char, 4096> buffer{};
    while (true) {
      pollfd wait{.fd = socket_.get(), .events = POLLIN, .revents = 0};
      if (::poll(&wait, 1, static_cast<int>(testing::kDeadline / std::chrono::milliseconds(1))) < 1)
        return all + "(silence)";
      const ssize_t count = ::recv(socket_.get(), buffer.data(), buffer.size(), 0);
      if (count <= 0) return all;
      all.append(buffer.data(), static_cast<std::size_t>(count));
    }
  }

  /// Closes with a reset, as a client that dies with unread data does.
  void Reset() {
    const linger now{.l_onoff = 1, .l_linger = 0};
    ::setsockopt(socket_.get(), SOL_SOCKET, SO_LINGER, &now, sizeof(now));
    socket_.Reset();
  }

 private:
  FileDescriptor socket_;
};

inline std::string Get(std::uint16_t port, std::string_view target) {
  const RawClient client(port);
  client.Send("GET " + std::string(target) + " HTTP/1.1\r\nHost: x\r\n\r\n");
  return client.ReadAll();
}

/// What follows the empty line.
inline std::string BodyOf(const std::string& answer) {
  const std::size_t end = answer.find("\r\n\r\n");
  return end == std::string::npos ? "(no body)" : answer.substr(end + 4);
}

}  // namespace whimbrel::serve
