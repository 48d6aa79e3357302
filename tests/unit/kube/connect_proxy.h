#pragma once

#include <poll.h>

#include <array>
#include <atomic>
#include <mutex>
#include <string>

#include "socket_server.h"
#include "support/loopback.h"
#include "whimbrel/base/file_descriptor.h"

namespace whimbrel::kube {

/// An HTTP proxy on 127.0.0.1 that opens every tunnel to one port of this machine, whatever host is
/// asked for.
class ConnectProxy {
 public:
  explicit ConnectProxy(int target) : target_(target) {}

  [[nodiscard]] int port() const { return server_.port(); }
  [[nodiscard]] int accepted() const { return server_.accepted(); }
  /// The head of the last request.
  [[nodiscard]] std::string request() const {
    const std::lock_guard lock(mutex_);
    return request_;
  }

 private:
  void Serve(SocketServer::Connection& client) {
    const auto request = client.ReadRequest();
    if (!request) return;
    {
      const std::lock_guard lock(mutex_);
      request_ = *request;
    }
    const FileDescriptor upstream(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
    sockaddr_in address = testing::Loopback(static_cast<std::uint16_t>(target_));
    if (::connect(upstream.get(), reinterpret_cast<sockaddr*>(&address), sizeof(address)) != 0) {
      client.Write("HTTP/1.1 502 Bad Gateway\r\nContent-Length: 0\r\n\r\n");
      return;
    }
    // Something after the code, and a header: both are allowed.
    client.Write("HTTP/1.1 200 Connection established\r\nVia: 1.1 test\r\n\r\n");
    while (Relay(client.fd(), upstream.get())) {
    }
  }

  // Until one side closes.
  static bool Relay(int one, int other) {
    std::array<pollfd, 2> ends{pollfd{.fd = one, .events = POLLIN, .revents = 0},
                               pollfd{.fd = other, .events = POLLIN, .revents = 0}};
    if (::poll(ends.data(), ends.size(), -1) <= 0) return false;
    for (std::size_t i = 0; i < 2; ++i) {
      if (ends[i].revents == 0) continue;
      std::array<char, 16'384> buffer;
      const ssize_t size = ::recv(ends[i].fd, buffer.data(), buffer.size(), 0);
      if (size <= 0) return false;
      if (::send(ends[1 - i].fd, buffer.data(), size, MSG_NOSIGNAL) != size) return false;
    }
    return true;
  }

  const int target_;
  mutable std::mutex mutex_;
  std::string request_;
  SocketServer server_{[this](SocketServer::Connection& client) { Serve(client); }};
};

}  // namespace whimbrel::kube
