#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <stop_token>
#include <string>

#include "whimbrel/base/error.h"
#include "whimbrel/base/secret.h"
#include "whimbrel/serve/bind_address.h"

namespace whimbrel::serve {

class TlsIdentity;

/// What a handler gets to know of a request. HEAD arrives as GET.
struct Request {
  std::string path;      ///< Percent-decoded, begins with a slash.
  std::string query;     ///< After the question mark, as it was sent.
  Secret authorization;  ///< Of the header `Authorization`; empty: there was none.
  std::stop_token stop;  ///< The endpoint stops: a handler that waits for others ends then.
};

struct Response {
  int status = 200;
  std::string body;
  std::string content_type = "text/plain; charset=utf-8";
  std::string www_authenticate;  ///< Empty: no such header.
};

/// Called on one of the endpoint's threads, several at once. An exception becomes a 500.
using Handler = std::function<Response(const Request&)>;

struct EndpointOptions {
  BindAddress address;
  std::shared_ptr<TlsIdentity> tls;  ///< Absent: plain HTTP.
  /// From accept to the last byte of the answer, without the handler's own time. The kubelet's
  /// probes wait for one second.
  std::chrono::milliseconds deadline{2000};
  std::size_t max_connections = 64;  ///< One more pushes out the one that has waited longest.
  int handlers = 2;                  ///< Threads that call the handler.
};

/// A small HTTP/1.1 server for what a cluster asks of a controller: probes and metrics. GET and
/// HEAD only, requests of at most 8 KiB, one request per connection. It never waits for a client:
/// one thread polls all sockets, so silent and slow ones delay nobody. Thread-safe.
class HttpEndpoint {
  class Impl;

 public:
  /// Listens; answers when this returns. kAlreadyExists: the port is taken; kPermissionDenied: the
  /// port needs a privilege; kInvalidArgument: the machine does not have the address.
  static Result<std::unique_ptr<HttpEndpoint>> Start(EndpointOptions options, Handler handler);
  /// For Start.
  explicit HttpEndpoint(std::unique_ptr<Impl> impl);
  /// Stops first.
  ~HttpEndpoint();
  HttpEndpoint(const HttpEndpoint&) = delete;
  HttpEndpoint& operator=(const HttpEndpoint&) = delete;

  [[nodiscard]] std::uint16_t port() const;

  /// Closes the port and every connection, and returns when no handler runs any more. Idempotent.
  void Stop();

 private:
  std::unique_ptr<Impl> impl_;
};

}  // namespace whimbrel::serve
