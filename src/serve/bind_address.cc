#include "whimbrel/serve/bind_address.h"

#include <arpa/inet.h>

#include <charconv>

namespace whimbrel::serve {
namespace {

bool IsIpAddress(const std::string& host) {
  unsigned char buffer[sizeof(in6_addr)];
  return ::inet_pton(AF_INET, host.c_str(), buffer) == 1 ||
         ::inet_pton(AF_INET6, host.c_str(), buffer) == 1;
}

std::optional<std::uint16_t> ParsePort(std::string_view text) {
  std::uint16_t port = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), port);
  if (error != std::errc() || end != text.data() + text.size()) return std::nullopt;
  return port;
}

tl::unexpected<Error> Refuse(std::string_view text, const char* why) {
  return Fail(ErrorKind::kInvalidArgument,
              "'" + std::string(text) + "' is no address to listen on: " + why +
                  "; write ':8081', '127.0.0.1:8081' or '[::1]:8081', or '0' for none");
}

}  // namespace

Result<std::optional<BindAddress>> ParseBindAddress(std::string_view text) {
  if (text == "0") return std::nullopt;
  const std::size_t colon = text.rfind(':');
  if (colon == std::string_view::npos) return Refuse(text, "it has no port");
  const std::optional<std::uint16_t> port = ParsePort(text.substr(colon + 1));
  if (!port) return Refuse(text, "the port is not a number from 0 to 65535");
  std::string_view host = text.substr(0, colon);
  const bool bracketed = host.size() > 2 && host.front() == '[' && host.back() == ']';
  if (bracketed) host = host.substr(1, host.size() - 2);
  BindAddress address{.host = std::string(host), .port = *port};
  if (host.empty()) return address;
  if (!IsIpAddress(address.host)) return Refuse(text, "the host is not an IP address");
  if ((host.find(':') != std::string_view::npos) != bracketed)
    return Refuse(text, "IPv6 addresses stand in brackets");
  return address;
}

std::string ToString(const BindAddress& address) {
  const bool v6 = address.host.find(':') != std::string::npos;
  return (v6 ? "[" + address.host + "]" : address.host) + ":" + std::to_string(address.port);
}

}  // namespace whimbrel::serve
