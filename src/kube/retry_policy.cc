#include "kube/retry_policy.h"

namespace whimbrel::kube {

std::optional<Duration> RetryAfterAnswer(int attempt, std::string_view method,
                                         const ApiError& error) {
  constexpr int kMaxRetries = 10;
  constexpr int kMaxUnaskedRetries = 2;
  constexpr std::chrono::milliseconds kUnaskedWait{100};
  const bool may_repeat = error.code == 429 || error.code >= 500;
  if (!may_repeat || attempt >= kMaxRetries) return std::nullopt;
  if (error.retry_after) return *error.retry_after;
  // It is behind, not out of order: whoever asked decides.
  if (error.reason == ApiErrorReason::kTooLargeResourceVersion) return std::nullopt;
  if (method != "GET" || attempt >= kMaxUnaskedRetries) return std::nullopt;
  return kUnaskedWait * (1 << attempt);
}

std::optional<Duration> RetryAfterTransportError(int attempt, std::string_view method,
                                                 const TransportError& error) {
  constexpr int kMaxRetries = 3;
  const bool broken_unanswered = error.kind == TransportError::Kind::kBroken && !error.answered;
  if (method != "GET" || !broken_unanswered || attempt >= kMaxRetries) return std::nullopt;
  // A connection that was idle has most likely been closed meanwhile; the server itself is fine.
  if (error.reused_connection) return Duration::zero();
  return std::chrono::seconds(1);
}

}  // namespace whimbrel::kube
