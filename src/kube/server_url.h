#pragma once

#include <string>
#include <string_view>

#include "whimbrel/base/error.h"

namespace whimbrel::kube {

/// Where an API server listens: `https://host:port[/prefix]`.
struct ServerUrl {
  bool tls = true;
  std::string host;  ///< Name or address; IPv6 without its brackets.
  int port = 443;
  std::string prefix;  ///< Empty, or `/…` without a slash at its end.

  /// `host:port` as a Host header and an error message show it.
  [[nodiscard]] std::string Authority() const;
};

[[nodiscard]] Result<ServerUrl> ParseServerUrl(std::string_view text);

/// RFC 3986 §2.1: every byte outside the unreserved ones, so that a name cannot become a path.
[[nodiscard]] std::string PercentEncode(std::string_view text);

}  // namespace whimbrel::kube
