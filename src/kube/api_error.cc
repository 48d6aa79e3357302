#include "whimbrel/kube/api_error.h"

namespace whimbrel::kube {

std::string_view ToString(ApiErrorReason reason) {
  switch (reason) {
    case ApiErrorReason::kNotFound:
      return "NotFound";
    case ApiErrorReason::kAlreadyExists:
      return "AlreadyExists";
    case ApiErrorReason::kConflict:
      return "Conflict";
    case ApiErrorReason::kInvalid:
      return "Invalid";
    case ApiErrorReason::kForbidden:
      return "Forbidden";
    case ApiErrorReason::kUnauthorized:
      return "Unauthorized";
    case ApiErrorReason::kExpired:
      return "Expired";
    case ApiErrorReason::kTooLargeResourceVersion:
      return "TooLargeResourceVersion";
    case ApiErrorReason::kTooManyRequests:
      return "TooManyRequests";
    case ApiErrorReason::kServerError:
      return "ServerError";
    case ApiErrorReason::kTransport:
      return "Transport";
    case ApiErrorReason::kCancelled:
      return "Cancelled";
    case ApiErrorReason::kMalformed:
      return "Malformed";
  }
  return "Unknown";
}

bool ApiError::IsTransient() const {
  switch (reason) {
    case ApiErrorReason::kTooLargeResourceVersion:
    case ApiErrorReason::kTooManyRequests:
    case ApiErrorReason::kServerError:
    case ApiErrorReason::kTransport:
      return true;
    default:
      return false;
  }
}

std::string ApiError::ToString() const {
  std::string text(kube::ToString(reason));
  if (code != 0) text += " (" + std::to_string(code) + ")";
  return message.empty() ? text : text + ": " + message;
}

}  // namespace whimbrel::kube
