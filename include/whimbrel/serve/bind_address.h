#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "whimbrel/base/error.h"

namespace whimbrel::serve {

/// Where an endpoint listens.
struct BindAddress {
  std::string host;        ///< IP address, IPv6 without brackets; empty: all, IPv4 and IPv6.
  std::uint16_t port = 0;  ///< 0: a free one, which the endpoint then names.

  friend bool operator==(const BindAddress&, const BindAddress&) = default;
};

/// Reads what controller-runtime's flags take: `:8081`, `127.0.0.1:0`, `[::1]:8443`; `0` turns the
/// endpoint off (nullopt). Host names are refused: what they mean may change while we listen.
[[nodiscard]] Result<std::optional<BindAddress>> ParseBindAddress(std::string_view text);

/// As it is typed: `:8081`, `[::1]:8443`.
[[nodiscard]] std::string ToString(const BindAddress& address);

}  // namespace whimbrel::serve
