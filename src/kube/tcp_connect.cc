#include "kube/tcp_connect.h"

#include <fcntl.h>
#include <netdb.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <sys/socket.h>

#include <algorithm>
#include <cerrno>
#include <system_error>
#include <utility>

#include "whimbrel/base/c_ptr.h"

namespace whimbrel::kube {
namespace {

using Addresses = CPtr<addrinfo, ::freeaddrinfo>;

std::string ErrnoText(int error) { return std::generic_category().message(error); }

Result<Addresses> Resolve(const std::string& host, int port) {
  addrinfo hints{};
  hints.ai_socktype = SOCK_STREAM;
  addrinfo* found = nullptr;
  const int error = ::getaddrinfo(host.c_str(), std::to_string(port).c_str(), &hints, &found);
  if (error != 0) {
    return Fail(ErrorKind::kUnavailable,
                "cannot resolve the host name " + host + ": " + ::gai_strerror(error));
  }
  return Addresses(found);
}

void SetOption(int socket, int level, int option, int value) {
  // Best effort: each of them only makes a connection that works better.
  ::setsockopt(socket, level, option, &value, sizeof(value));
}

void PrepareSocket(int socket, std::chrono::milliseconds io_timeout) {
  SetOption(socket, IPPROTO_TCP, TCP_NODELAY, 1);
  SetOption(socket, SOL_SOCKET, SO_KEEPALIVE, 1);
  SetOption(socket, IPPROTO_TCP, TCP_KEEPIDLE, 30);
  SetOption(socket, IPPROTO_TCP, TCP_KEEPINTVL, 10);
  SetOption(socket, IPPROTO_TCP, TCP_KEEPCNT, 3);
  SetOption(socket, IPPROTO_TCP, TCP_USER_TIMEOUT, 45'000);
  // OpenSSL blocks in the middle of a TLS record that does not arrive whole.
  timeval limit{};
  limit.tv_sec = static_cast<time_t>(io_timeout.count() / 1000);
  limit.tv_usec = static_cast<suseconds_t>((io_timeout.count() % 1000) * 1000);
  ::setsockopt(socket, SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof(limit));
  ::setsockopt(socket, SOL_SOCKET, SO_SNDTIMEO, &limit, sizeof(limit));
}

// 0, or the errno that says why there is no connection; ECANCELED after an interruption.
int AwaitConnect(int socket, SteadyTime deadline, const Interrupter& interrupter) {
  pollfd entry{.fd = socket, .events = POLLOUT, .revents = 0};
  int ready = 0;
  do {
    const auto left =
        std::chrono::ceil<std::chrono::milliseconds>(deadline - Clock::System().SteadyNow());
    if (left.count() <= 0) return ETIMEDOUT;
    ready = ::poll(&entry, 1, static_cast<int>(std::min<std::int64_t>(left.count(), 60'000)));
    if (interrupter.interrupted()) return ECANCELED;
  } while (ready == 0 || (ready < 0 && errno == EINTR));
  int error = 0;
  socklen_t size = sizeof(error);
  if (ready < 0 || ::getsockopt(socket, SOL_SOCKET, SO_ERROR, &error, &size) != 0) return errno;
  return error;
}

int ConnectTo(const addrinfo& address, SteadyTime deadline, std::chrono::milliseconds io_timeout,
              Interrupter& interrupter, FileDescriptor* connected) {
  FileDescriptor socket(::socket(address.ai_family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));
  if (!socket) return errno;
  PrepareSocket(socket.get(), io_timeout);
  int error = ::connect(socket.get(), address.ai_addr, address.ai_addrlen) == 0 ? 0 : errno;
  if (error == 0 || error == EINPROGRESS) {
    // Only now: to shut down a socket before its connect began has no effect.
    if (!interrupter.Attach(socket.get())) {
      error = interrupter.interrupted() ? ECANCELED : EMFILE;
    } else {
      error = AwaitConnect(socket.get(), deadline, interrupter);
    }
  }
  if (error != 0) return error;
  const int flags = ::fcntl(socket.get(), F_GETFL);
  ::fcntl(socket.get(), F_SETFL, flags & ~O_NONBLOCK);
  *connected = std::move(socket);
  return 0;
}

}  // namespace

Result<FileDescriptor> TcpConnect(const TcpConnectOptions& options, Interrupter& interrupter) {
  const Result<Addresses> addresses = Resolve(options.host, options.port);
  if (!addresses) return tl::make_unexpected(addresses.error());
  int left = 0;
  for (const addrinfo* address = addresses->get(); address; address = address->ai_next) ++left;
  int error = EHOSTUNREACH;
  for (const addrinfo* address = addresses->get(); address; address = address->ai_next, --left) {
    // A first address that swallows packets must leave time for the others.
    const SteadyTime now = Clock::System().SteadyNow();
    const SteadyTime deadline = now + (options.deadline - now) / left;
    FileDescriptor socket;
    error = ConnectTo(*address, deadline, options.io_timeout, interrupter, &socket);
    if (error == 0) return socket;
    if (error == ECANCELED) return Fail(ErrorKind::kCancelled, "the connection was interrupted");
  }
  return Fail(ErrorKind::kUnavailable, "cannot connect: " + ErrnoText(error));
}

}  // namespace whimbrel::kube
