#pragma once

#include <chrono>
#include <optional>
#include <string>
#include <string_view>

#include "whimbrel/base/error.h"

namespace whimbrel::kube {

/// What a caller may do about a failed API request. From `Status.reason` first and the HTTP code
/// second, as apimachinery/pkg/api/errors does.
enum class ApiErrorReason {
  kNotFound,
  kAlreadyExists,
  kConflict,  ///< 409: read again, compute again, write again.
  kInvalid,   ///< 400, 422 and other 4xx: the same request fails again; for the user.
  kForbidden,
  kUnauthorized,
  kExpired,                  ///< 410: the resourceVersion or continue token is too old; list again.
  kTooLargeResourceVersion,  ///< 504 with that cause: the server is behind; try again.
  kTooManyRequests,
  kServerError,  ///< 5xx.
  kTransport,    ///< No answer: DNS, connect, TLS, reset, timeout.
  kCancelled,    ///< We were asked to stop.
  kMalformed,    ///< The answer makes no sense, or is over a limit.
};

[[nodiscard]] std::string_view ToString(ApiErrorReason reason);

/// A failed API request. `message` is the server's own where it sent one, redacted and bounded.
struct ApiError {
  ApiErrorReason reason = ApiErrorReason::kTransport;
  int code = 0;  ///< HTTP status; 0 without an answer.
  std::string message;
  std::optional<std::chrono::seconds> retry_after = std::nullopt;  ///< What the server asked for.

  [[nodiscard]] std::string ToString() const;
  [[nodiscard]] bool IsNotFound() const { return reason == ApiErrorReason::kNotFound; }
  [[nodiscard]] bool IsConflict() const { return reason == ApiErrorReason::kConflict; }
  /// The same request may well succeed later, and nobody has to mend anything for that: no answer,
  /// 429, 5xx.
  [[nodiscard]] bool IsTransient() const;
};

template <class T>
using ApiResult = Result<T, ApiError>;

}  // namespace whimbrel::kube
