#include "kube/proxy.h"

#include <arpa/inet.h>

#include <algorithm>
#include <array>
#include <cctype>
#include <charconv>
#include <cstdint>
#include <initializer_list>
#include <optional>
#include <vector>

#include "kube/server_url.h"
#include "whimbrel/base/hash.h"

namespace whimbrel::kube {
namespace {

// An IPv4 address as the IPv6 address that maps it, so that there is one kind only.
using Address = std::array<std::uint8_t, 16>;
constexpr int kMappedBits = 96;

std::optional<Address> ParseAddress(const std::string& text) {
  Address address{};
  if (::inet_pton(AF_INET6, text.c_str(), address.data()) == 1) return address;
  address = {};
  address[10] = address[11] = 0xff;
  if (::inet_pton(AF_INET, text.c_str(), address.data() + 12) == 1) return address;
  return std::nullopt;
}

std::optional<int> ParseNumber(std::string_view text) {
  int number = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (error != std::errc() || end != text.data() + text.size()) return std::nullopt;
  return number;
}

bool InNetwork(const Address& address, const std::string& network, int bits) {
  const std::optional<Address> base = ParseAddress(network);
  if (!base) return false;
  if (network.find(':') == std::string::npos) bits += kMappedBits;
  if (bits < 0 || bits > 128) return false;
  for (int bit = 0; bit < bits; ++bit) {
    const int mask = 0x80 >> (bit % 8);
    if (((address[bit / 8] ^ (*base)[bit / 8]) & mask) != 0) return false;
  }
  return true;
}

bool IsThisMachine(const std::string& host, const std::optional<Address>& address) {
  if (host == "localhost") return true;
  return address && (InNetwork(*address, "127.0.0.0", 8) || InNetwork(*address, "::1", 128));
}

std::string Lower(std::string_view text) {
  std::string lower(text);
  std::transform(lower.begin(), lower.end(), lower.begin(),
                 [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
  return lower;
}

// `name:port`, `address:port` or `[address]:port`: takes the port off.
std::optional<int> TakePort(std::string* entry) {
  const std::size_t colon = entry->rfind(':');
  const bool bracketed = entry->starts_with('[');
  const bool has_port = colon != std::string::npos &&
                        (bracketed ? entry->at(colon - 1) == ']' : entry->find(':') == colon);
  std::optional<int> port;
  if (has_port) {
    port = ParseNumber(std::string_view(*entry).substr(colon + 1));
    entry->erase(colon);
  }
  if (bracketed && entry->ends_with(']')) *entry = entry->substr(1, entry->size() - 2);
  return port;
}

// One entry of NO_PROXY, in lower case.
bool Matches(std::string entry, const std::string& host, int port,
             const std::optional<Address>& address) {
  if (entry == "*") return true;
  if (const std::size_t slash = entry.find('/'); slash != std::string::npos) {
    const std::optional<int> bits = ParseNumber(std::string_view(entry).substr(slash + 1));
    return address && bits && InNetwork(*address, entry.substr(0, slash), *bits);
  }
  const std::optional<int> only_port = TakePort(&entry);
  if (only_port && *only_port != port) return false;
  if (const std::optional<Address> other = ParseAddress(entry)) return address == other;
  if (entry.starts_with("*.")) entry.erase(0, 1);
  if (entry.starts_with('.')) return host.ends_with(entry);
  return !entry.empty() && (host == entry || host.ends_with("." + entry));
}

bool IsExempt(std::string_view no_proxy, const std::string& host, int port) {
  const std::optional<Address> address = ParseAddress(host);
  if (IsThisMachine(host, address)) return true;
  const std::string list = Lower(no_proxy);
  for (std::size_t begin = 0; begin < list.size();) {
    const std::size_t end = std::min(list.find(',', begin), list.size());
    std::string entry = list.substr(begin, end - begin);
    std::erase_if(entry, [](unsigned char c) { return std::isspace(c) != 0; });
    if (Matches(std::move(entry), host, port, address)) return true;
    begin = end + 1;
  }
  return false;
}

std::string FirstOf(const ConfigEnvironment& environment,
                    std::initializer_list<const char*> names) {
  for (const char* name : names) {
    if (const auto value = environment.variable(name); value && !value->empty()) return *value;
  }
  return {};
}

std::string PercentDecode(std::string_view text) {
  std::string decoded;
  for (std::size_t i = 0; i < text.size(); ++i) {
    int byte = 0;
    const std::string_view digits = text.substr(std::min(i + 1, text.size()), 2);
    const auto [end, error] =
        std::from_chars(digits.data(), digits.data() + digits.size(), byte, 16);
    const bool escaped = text[i] == '%' && digits.size() == 2 && error == std::errc() &&
                         end == digits.data() + digits.size();
    decoded += escaped ? static_cast<char>(byte) : text[i];
    if (escaped) i += 2;
  }
  return decoded;
}

}  // namespace

Result<Proxy> ParseProxy(std::string_view url, const std::string& where) {
  const auto refuse = [&](const std::string& why) {
    return Fail(ErrorKind::kInvalidArgument, where + " " + why + "; expected http://host:port");
  };
  const std::size_t scheme_end = url.find("://");
  const std::string scheme = Lower(url.substr(0, std::min(scheme_end, url.size())));
  if (scheme_end == std::string_view::npos) return refuse("is not the URL of a proxy");
  if (scheme != "http") {
    return refuse("is a proxy of the kind " + scheme.substr(0, 16) +
                  "://, which Whimbrel does not support");
  }
  std::string_view rest = url.substr(scheme_end + 3);
  rest = rest.substr(0, rest.find('/'));
  Proxy proxy;
  if (const std::size_t at = rest.rfind('@'); at != std::string_view::npos) {
    proxy.authorization = Secret("Basic " + Base64Encode(PercentDecode(rest.substr(0, at))));
    rest.remove_prefix(at + 1);
  }
  const Result<ServerUrl> address = ParseServerUrl("http://" + std::string(rest));
  if (!address) return refuse("has no valid host and port");
  proxy.host = address->host;
  proxy.port = address->port;
  return proxy;
}

std::string ProxyFromEnvironment(const std::string& server_url,
                                 const ConfigEnvironment& environment) {
  const Result<ServerUrl> server = ParseServerUrl(server_url);
  if (!server) return {};  // Whoever connects will say so.
  std::string proxy = server->tls ? FirstOf(environment, {"HTTPS_PROXY", "https_proxy"})
                                  : FirstOf(environment, {"HTTP_PROXY", "http_proxy"});
  if (proxy.empty()) return {};
  const std::string no_proxy = FirstOf(environment, {"NO_PROXY", "no_proxy"});
  if (IsExempt(no_proxy, Lower(server->host), server->port)) return {};
  return proxy.find("://") == std::string::npos ? "http://" + proxy : proxy;
}

}  // namespace whimbrel::kube
