#include <poll.h>
#include <sys/socket.h>

#include <algorithm>
#include <cerrno>
#include <charconv>
#include <string>
#include <string_view>
#include <system_error>

#include "kube/proxy.h"

namespace whimbrel::kube {
namespace {

constexpr std::size_t kMaxHead = 16'384;

tl::unexpected<Error> Unavailable(const Proxy& proxy, const std::string& why) {
  return Fail(ErrorKind::kUnavailable,
              "the proxy " + proxy.host + ":" + std::to_string(proxy.port) + " " + why);
}

bool SendAll(int socket, std::string_view text) {
  while (!text.empty()) {
    const ssize_t sent = ::send(socket, text.data(), text.size(), MSG_NOSIGNAL);
    if (sent < 0 && errno == EINTR) continue;
    if (sent <= 0) return false;
    text.remove_prefix(static_cast<std::size_t>(sent));
  }
  return true;
}

// Waits for one byte; false: it does not come.
bool ReadByte(int socket, SteadyTime deadline, const Interrupter& interrupter, char* byte) {
  pollfd entry{.fd = socket, .events = POLLIN, .revents = 0};
  while (!interrupter.interrupted()) {
    const auto left =
        std::chrono::ceil<std::chrono::milliseconds>(deadline - Clock::System().SteadyNow());
    if (left.count() <= 0) return false;
    if (::poll(&entry, 1, static_cast<int>(std::min<std::int64_t>(left.count(), 60'000))) <= 0) {
      continue;
    }
    const ssize_t size = ::recv(socket, byte, 1, 0);
    if (size < 0 && errno == EINTR) continue;
    return size == 1;
  }
  return false;
}

// The code of a status line `HTTP/1.1 200 …`; 0 when it is none.
int StatusOf(std::string_view head) {
  const std::size_t space = head.find(' ');
  if (!head.starts_with("HTTP/1.") || space == std::string_view::npos) return 0;
  int code = 0;
  const std::string_view digits = head.substr(space + 1, 3);
  std::from_chars(digits.data(), digits.data() + digits.size(), code);
  return code;
}

}  // namespace

Result<void> OpenTunnel(int socket, const Proxy& proxy, const std::string& authority,
                        SteadyTime deadline, const Interrupter& interrupter) {
  std::string request = "CONNECT " + authority + " HTTP/1.1\r\nHost: " + authority + "\r\n";
  if (!proxy.authorization.empty()) {
    request += "Proxy-Authorization: " + std::string(proxy.authorization.Reveal()) + "\r\n";
  }
  request += "\r\n";
  if (!SendAll(socket, request)) return Unavailable(proxy, "closed the connection");
  // Byte by byte: what comes after the head is for TLS, not for us.
  std::string head;
  while (!head.ends_with("\r\n\r\n")) {
    char byte = 0;
    if (head.size() >= kMaxHead || !ReadByte(socket, deadline, interrupter, &byte)) {
      return Unavailable(proxy, "did not answer as a proxy does");
    }
    head += byte;
  }
  const int status = StatusOf(head);
  if (status >= 200 && status < 300) return {};
  if (status == 407) return Unavailable(proxy, "wants other credentials (407)");
  return Unavailable(
      proxy, "opened no tunnel to " + authority + " (status " + std::to_string(status) + ")");
}

}  // namespace whimbrel::kube
