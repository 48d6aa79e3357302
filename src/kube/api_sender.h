#pragma once

#include <functional>
#include <mutex>
#include <set>
#include <stop_token>
#include <string>
#include <string_view>

#include "kube/rest_client_parts.h"
#include "kube/token_bucket.h"
#include "whimbrel/kube/api_error.h"

namespace whimbrel::kube {

/// Sends API requests: with credentials and headers, under the client's own limit, again where that
/// is allowed, and with whatever is no success turned into an ApiError. Thread-safe.
class ApiSender {
 public:
  /// Takes the body of a success piece by piece; false ends the exchange, which is kMalformed then
  /// unless the caller knows better.
  using Consumer = std::function<bool(std::string_view bytes)>;

  ApiSender(RestClientParts parts, const Clock& clock);

  ApiResult<void> Send(HttpRequest request, const Consumer& consumer, std::stop_token stop);
  /// The whole body of the answer, of at most kMaxObjectBytes.
  ApiResult<std::string> Fetch(HttpRequest request, std::stop_token stop);

 private:
  struct Failure {
    ApiError error;
    std::optional<Duration> retry;  // The wait before the next attempt; empty: there is none.
  };

  Result<void, Failure> Attempt(const HttpRequest& request, const BearerToken& token, int attempt,
                                const Consumer& consumer, const std::stop_token& stop);
  ApiResult<BearerToken> Token(const std::stop_token& stop);
  bool HasOtherThan(const BearerToken& refused, const std::stop_token& stop);
  void AddHeaders(const BearerToken& token, HttpRequest* request) const;
  void CountRequest(const HttpRequest& request, int status, SteadyTime begin) const;
  bool AwaitTurn(std::string_view verb, const std::stop_token& stop);
  void LogWarnings(const HttpHead& head);

  RestClientParts parts_;
  const Clock& clock_;

  std::mutex mutex_;  // For what follows.
  TokenBucket limit_;
  std::set<std::string> logged_warnings_;
};

}  // namespace whimbrel::kube
