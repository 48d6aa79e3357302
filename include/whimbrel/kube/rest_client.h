#pragma once

#include <memory>

#include "whimbrel/base/clock.h"
#include "whimbrel/base/metrics.h"
#include "whimbrel/kube/config.h"
#include "whimbrel/kube/object_client.h"

namespace whimbrel::kube {

struct RestClientOptions {
  std::string user_agent;
  double qps = 50;  ///< Client-side limit of requests other than watches; 0: none.
  int burst = 100;
  /// Gets `rest_client_*` (see metrics.h); outlives the client.
  MetricsSink* metrics = &MetricsSink::Null();
};

/// A real API server, over HTTP/1.1 and TLS 1.2 or newer. Keeps a small pool of connections; each
/// watch has its own. OpenSSL verifies the server against the configured authority alone. Redirects
/// are never followed, names that could be paths never sent. Repeats what may be repeated: 429 and
/// 5xx that carry Retry-After, and a GET whose connection broke before any answer
/// (reference/controller.md §9); a watch is for its caller to repeat. A stop interrupts everything
/// at once but the resolution of a host name. Error messages hold no token and no key.
///
/// From now on the process ignores SIGPIPE, unless it handles it. Fails with kInvalidArgument when
/// an address, a certificate or a key is not what it should be; nothing is sent yet.
[[nodiscard]] Result<std::unique_ptr<ObjectClient>> NewRestClient(Config config,
                                                                  RestClientOptions options);

}  // namespace whimbrel::kube
