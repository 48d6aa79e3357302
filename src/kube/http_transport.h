#pragma once

#include <chrono>
#include <functional>
#include <memory>
#include <optional>
#include <stop_token>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "kube/proxy.h"
#include "kube/server_url.h"
#include "kube/tls_context.h"
#include "whimbrel/base/clock.h"
#include "whimbrel/base/error.h"

namespace whimbrel::kube {

struct HttpRequest {
  std::string method;
  std::string target;  ///< Path and query below the server's prefix, encoded.
  std::vector<std::pair<std::string, std::string>> headers;
  std::string body;
  std::chrono::milliseconds timeout{30'000};  ///< For the whole exchange.
  /// A connection for this exchange alone, which may last and is not kept: a watch.
  bool own_connection = false;
};

struct HttpHead {
  int status = 0;
  std::optional<std::chrono::seconds> retry_after;
  std::vector<std::string> warnings;  ///< The `Warning` headers, as they came.
};

/// Takes an answer as it arrives, on the thread that asked. False ends the exchange.
class HttpReceiver {
 public:
  virtual ~HttpReceiver() = default;
  virtual bool OnHead(const HttpHead& head) = 0;
  virtual bool OnBody(std::string_view bytes) = 0;
};

struct TransportError {
  enum class Kind {
    kConnect,    ///< No connection: name resolution, TCP or TLS. Nothing was sent.
    kBroken,     ///< The connection ended, or what came is not HTTP, before the answer's end.
    kTimeout,    ///< Our own limit of time.
    kCancelled,  ///< The stop token.
    kAbandoned,  ///< The receiver returned false.
  };
  Kind kind = Kind::kConnect;
  std::string message;
  bool reused_connection = false;  ///< The server may simply have closed it while it was idle.
  bool answered = false;           ///< OnHead was called.
};

/// HTTP/1.1 exchanges with one server. The seam behind which the HTTP library can be replaced;
/// tests put scripted answers here. Thread-safe.
class HttpTransport {
 public:
  virtual ~HttpTransport() = default;
  /// Never follows a redirect, never retries, never decompresses. An error whatever the status is
  /// only when the exchange itself failed. Returns within milliseconds after `stop` was requested.
  virtual Result<void, TransportError> Exchange(const HttpRequest& request, HttpReceiver& receiver,
                                                std::stop_token stop) = 0;
};

struct HttpTransportOptions {
  ServerUrl server;
  /// For a https:// server: the context for the next connection. When it changes, idle connections
  /// of earlier contexts are closed; what goes on (a watch) goes on.
  std::function<std::shared_ptr<const TlsContext>()> tls = {};
  std::string server_name = {};  ///< For SNI; empty: the server's host.
  std::optional<Proxy> proxy = std::nullopt;
};

/// Over cpp-httplib. Ignores SIGPIPE for the whole process, unless somebody handles it: OpenSSL
/// writes to sockets without MSG_NOSIGNAL.
[[nodiscard]] std::unique_ptr<HttpTransport> NewHttpTransport(HttpTransportOptions options);

}  // namespace whimbrel::kube
