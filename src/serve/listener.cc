#include "serve/listener.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/socket.h>

#include <cerrno>
#include <cstring>
#include <system_error>

namespace whimbrel::serve {
namespace {

/// A connection that finds no place is only tried again by its client after a second: too late for
/// a probe.
constexpr int kBacklog = SOMAXCONN;

// Large enough for both families; bind and getsockname take it by its common beginning.
struct SocketAddress {
  sockaddr_storage storage{};
  socklen_t size = 0;

  sockaddr* get() { return reinterpret_cast<sockaddr*>(&storage); }
};

template <class Native>
SocketAddress Store(const Native& native) {
  SocketAddress address;
  std::memcpy(&address.storage, &native, sizeof(native));
  address.size = sizeof(native);
  return address;
}

SocketAddress V4(const std::string& host, std::uint16_t port) {
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_port = htons(port);
  ::inet_pton(AF_INET, host.c_str(), &address.sin_addr);  // Empty: INADDR_ANY.
  return Store(address);
}

SocketAddress V6(const std::string& host, std::uint16_t port) {
  sockaddr_in6 address{};
  address.sin6_family = AF_INET6;
  address.sin6_port = htons(port);
  ::inet_pton(AF_INET6, host.c_str(), &address.sin6_addr);  // Empty: in6addr_any.
  return Store(address);
}

bool SetOption(const FileDescriptor& socket, int level, int option, int value) {
  return ::setsockopt(socket.get(), level, option, &value, sizeof(value)) == 0;
}

// The error is an errno.
Result<FileDescriptor, int> TryListen(SocketAddress address, bool both_families) {
  const int family = address.storage.ss_family;
  FileDescriptor socket(::socket(family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0));
  if (!socket) return tl::make_unexpected(errno);
  // Only lets a restart take a port whose old connections linger.
  SetOption(socket, SOL_SOCKET, SO_REUSEADDR, 1);
  if (family == AF_INET6) SetOption(socket, IPPROTO_IPV6, IPV6_V6ONLY, both_families ? 0 : 1);
  if (::bind(socket.get(), address.get(), address.size) != 0) return tl::make_unexpected(errno);
  if (::listen(socket.get(), kBacklog) != 0) return tl::make_unexpected(errno);
  return socket;
}

tl::unexpected<Error> CannotListen(const BindAddress& address, int error) {
  const std::string where = "cannot listen on " + ToString(address) + ": ";
  switch (error) {
    case EADDRINUSE:
      return Fail(ErrorKind::kAlreadyExists,
                  where + "another process has the port; stop it, or choose another port");
    case EACCES:
      return Fail(ErrorKind::kPermissionDenied,
                  where + "ports below 1024 need a privilege; choose a higher one");
    case EADDRNOTAVAIL:
      return Fail(ErrorKind::kInvalidArgument,
                  where + "this machine does not have the address; leave it out for all of them");
    default:
      return Fail(ErrorKind::kUnavailable, where + std::generic_category().message(error));
  }
}

}  // namespace

Result<FileDescriptor> Listen(const BindAddress& address) {
  const bool v6 = address.host.empty() || address.host.find(':') != std::string::npos;
  auto socket = v6 ? TryListen(V6(address.host, address.port), address.host.empty())
                   : TryListen(V4(address.host, address.port), false);
  const bool no_v6 = !socket && (socket.error() == EAFNOSUPPORT || socket.error() == EADDRNOTAVAIL);
  if (no_v6 && address.host.empty()) socket = TryListen(V4("", address.port), false);
  if (!socket) return CannotListen(address, socket.error());
  return *std::move(socket);
}

std::uint16_t PortOf(const FileDescriptor& listener) {
  SocketAddress address;
  address.size = sizeof(address.storage);
  if (::getsockname(listener.get(), address.get(), &address.size) != 0) return 0;
  // The port is at the same place in both families.
  static_assert(offsetof(sockaddr_in, sin_port) == offsetof(sockaddr_in6, sin6_port));
  sockaddr_in native{};
  std::memcpy(&native, &address.storage, sizeof(native));
  return ntohs(native.sin_port);
}

}  // namespace whimbrel::serve
