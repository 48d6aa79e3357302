#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <limits>
#include <memory>
#include <string>

#include "support/api_server.h"

namespace whimbrel::testing {

/// A request on its way to the API server.
struct ApiRequest {
  std::string method;
  std::string target;  ///< Path and query.
  std::string body;

  [[nodiscard]] bool IsWatch() const;
  /// A write of a status subresource.
  [[nodiscard]] bool IsStatusWrite() const;
};

/// What becomes of it.
struct ApiFault {
  std::chrono::milliseconds delay{0};  ///< Before anything else.
  /// The status that is answered instead of asking the server: 500, 429 or 409, say; 0: it is
  /// asked.
  int refuse_with = 0;
  int retry_after_seconds = 0;  ///< Sent with a refusal when positive.
  /// So many bytes of the answer pass, then the connection is reset: a write has taken its effect
  /// then and the client does not know, a watch breaks off in the middle of an event.
  std::size_t cut_after = std::numeric_limits<std::size_t>::max();
};

/// An HTTP/1.1 proxy on 127.0.0.1 before an API server that fails on purpose, request by request.
/// Clients speak to it without TLS and act as the administrator: give them ApiServer::KubeconfigFor
/// url(). While the server itself does not answer, connections are reset. Thread-safe.
class ApiFaultProxy {
 public:
  /// Called for each request before it goes on, on a thread of its connection; several at once.
  using Judge = std::function<ApiFault(const ApiRequest&)>;

  ApiFaultProxy(const ApiServer& server, Judge judge);
  ~ApiFaultProxy();
  ApiFaultProxy(const ApiFaultProxy&) = delete;
  ApiFaultProxy& operator=(const ApiFaultProxy&) = delete;

  [[nodiscard]] std::string url() const;
  /// Resets every connection of now.
  void Cut();

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace whimbrel::testing
