#pragma once

#include <string>
#include <string_view>

#include "kube/interrupter.h"
#include "whimbrel/base/clock.h"
#include "whimbrel/base/error.h"
#include "whimbrel/base/secret.h"
#include "whimbrel/kube/config.h"

namespace whimbrel::kube {

/// An HTTP proxy that opens tunnels (CONNECT, RFC 9110 §9.3.6).
struct Proxy {
  std::string host;
  int port = 80;
  Secret authorization;  ///< Of `Proxy-Authorization`; empty: none.
};

/// Reads `http://[user:password@]host[:port]`; `where` it stands is for the error, which never
/// holds the URL: it may carry a password. Proxies that are spoken to over TLS or SOCKS are
/// refused.
[[nodiscard]] Result<Proxy> ParseProxy(std::string_view url, const std::string& where);

/// The proxy that the environment names for a server, as Go's net/http chooses it: HTTPS_PROXY or
/// HTTP_PROXY, unless NO_PROXY (names with their subdomains, addresses, networks, each with an
/// optional port, or `*`) has the server, or it is this machine. Empty: none.
[[nodiscard]] std::string ProxyFromEnvironment(const std::string& server_url,
                                               const ConfigEnvironment& environment);

/// Asks the proxy at the other end of `socket` for a tunnel to `authority` (`host:port`).
[[nodiscard]] Result<void> OpenTunnel(int socket, const Proxy& proxy, const std::string& authority,
                                      SteadyTime deadline, const Interrupter& interrupter);

}  // namespace whimbrel::kube
