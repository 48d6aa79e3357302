#include "support/free_port.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <sys/un.h>

#include <algorithm>
#include <cstddef>
#include <random>
#include <stdexcept>
#include <string>

namespace whimbrel::testing {
namespace {

// An abstract Unix socket is a lock that the kernel drops when its process ends, however it ends.
FileDescriptor Reserve(std::uint16_t port) {
  FileDescriptor fd(socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0));
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  const std::string name = "whimbrel-test-port-" + std::to_string(port);
  std::copy(name.begin(), name.end(), address.sun_path + 1);
  const auto size = static_cast<socklen_t>(offsetof(sockaddr_un, sun_path) + 1 + name.size());
  if (bind(fd.get(), reinterpret_cast<const sockaddr*>(&address), size) != 0) fd.Reset();
  return fd;
}

bool NobodyListens(std::uint16_t port) {
  const FileDescriptor fd(socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
  const int on = 1;
  setsockopt(fd.get(), SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_port = htons(port);
  address.sin_addr.s_addr = htonl(INADDR_ANY);
  return bind(fd.get(), reinterpret_cast<const sockaddr*>(&address), sizeof address) == 0;
}

}  // namespace

FreePort::FreePort() {
  std::random_device random;
  std::uniform_int_distribution<int> any(20000, 31999);
  for (int tries = 0; tries < 1000; ++tries) {
    const auto candidate = static_cast<std::uint16_t>(any(random));
    reservation_ = Reserve(candidate);
    if (reservation_ && NobodyListens(candidate)) {
      number_ = candidate;
      return;
    }
  }
  throw std::runtime_error("found no free TCP port between 20000 and 31999");
}

}  // namespace whimbrel::testing
