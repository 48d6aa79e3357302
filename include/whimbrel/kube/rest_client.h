#pragma once

#include <memory>

#include "whimbrel/base/clock.h"
#include "whimbrel/kube/config.h"
#include "whimbrel/kube/object_client.h"

namespace whimbrel::kube {

struct RestClientOptions {
  std::string user_agent;
  double qps = 50;  ///< Client-side limit of requests other than watches.
  int burst = 100;
};

/// A real API server, over HTTP/1.1 and TLS 1.2 or newer with cpp-httplib. Keeps a small pool of
/// connections; each watch has its own. TLS is verified by OpenSSL against the configured CA alone.
/// Redirects are never followed. Retries what may be retried: 429 and 5xx that carry Retry-After,
/// and transport errors of GET (reference/controller.md §9).
[[nodiscard]] Result<std::unique_ptr<ObjectClient>> NewRestClient(Config config,
                                                                  RestClientOptions options);

}  // namespace whimbrel::kube
