#include "kube/server_url.h"

#include <algorithm>
#include <charconv>

namespace whimbrel::kube {
namespace {

bool IsUnreserved(unsigned char c) {
  return ('a' <= c && c <= 'z') || ('A' <= c && c <= 'Z') || ('0' <= c && c <= '9') || c == '-' ||
         c == '.' || c == '_' || c == '~';
}

tl::unexpected<Error> BadUrl(std::string_view why) {
  return Fail(ErrorKind::kInvalidArgument,
              "the API server's address " + std::string(why) + "; expected https://host:port");
}

bool TakePrefix(std::string_view* text, std::string_view prefix) {
  if (!text->starts_with(prefix)) return false;
  text->remove_prefix(prefix.size());
  return true;
}

Result<int> ParsePort(std::string_view text) {
  int port = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), port);
  if (error != std::errc() || end != text.data() + text.size() || port < 1 || port > 65535) {
    return BadUrl("has a port that is not a number from 1 to 65535");
  }
  return port;
}

}  // namespace

std::string ServerUrl::Authority() const {
  const bool is_ipv6 = host.find(':') != std::string::npos;
  return (is_ipv6 ? "[" + host + "]" : host) + ":" + std::to_string(port);
}

Result<ServerUrl> ParseServerUrl(std::string_view text) {
  ServerUrl url;
  if (TakePrefix(&text, "http://")) {
    url.tls = false;
    url.port = 80;
  } else if (!TakePrefix(&text, "https://")) {
    return BadUrl("does not begin with https:// or http://");
  }
  if (text.find_first_of("@?#") != std::string_view::npos) {
    return BadUrl("holds a user name, a query or a fragment");
  }
  if (std::any_of(text.begin(), text.end(), [](char c) { return c <= ' ' || c == '\x7f'; })) {
    return BadUrl("holds white space or a control character");
  }
  const std::size_t slash = std::min(text.find('/'), text.size());
  std::string_view authority = text.substr(0, slash);
  std::string_view prefix = text.substr(slash);
  while (prefix.ends_with('/')) prefix.remove_suffix(1);
  url.prefix = prefix;

  if (authority.starts_with('[')) {
    const std::size_t bracket = authority.find(']');
    if (bracket == std::string_view::npos) return BadUrl("lacks the ] of an IPv6 address");
    url.host = authority.substr(1, bracket - 1);
    authority.remove_prefix(bracket + 1);
  } else {
    const std::size_t colon = std::min(authority.find(':'), authority.size());
    url.host = authority.substr(0, colon);
    authority.remove_prefix(colon);
  }
  if (url.host.empty()) return BadUrl("names no host");
  if (authority.empty()) return url;
  if (!TakePrefix(&authority, ":")) return BadUrl("has something after its ]");
  const Result<int> port = ParsePort(authority);
  if (!port) return tl::make_unexpected(port.error());
  url.port = *port;
  return url;
}

std::string PercentEncode(std::string_view text) {
  constexpr char kHex[] = "0123456789ABCDEF";
  std::string encoded;
  encoded.reserve(text.size());
  for (const char c : text) {
    const auto byte = static_cast<unsigned char>(c);
    if (IsUnreserved(byte)) {
      encoded += c;
    } else {
      encoded += '%';
      encoded += kHex[byte >> 4];
      encoded += kHex[byte & 15];
    }
  }
  return encoded;
}

}  // namespace whimbrel::kube
