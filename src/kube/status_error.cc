#include "kube/status_error.h"

#include <algorithm>
#include <array>
#include <nlohmann/json.hpp>
#include <string>
#include <utility>

#include "whimbrel/base/redact.h"

namespace whimbrel::kube {
namespace {

using Json = nlohmann::json;
using Reason = ApiErrorReason;

constexpr std::size_t kMaxMessage = 2048;  // An object with every field wrong fits.

constexpr std::array<std::pair<std::string_view, Reason>, 16> kReasons{{
    {"NotFound", Reason::kNotFound},
    {"AlreadyExists", Reason::kAlreadyExists},
    {"Conflict", Reason::kConflict},
    {"Invalid", Reason::kInvalid},
    {"BadRequest", Reason::kInvalid},
    {"MethodNotAllowed", Reason::kInvalid},
    {"NotAcceptable", Reason::kInvalid},
    {"UnsupportedMediaType", Reason::kInvalid},
    {"RequestEntityTooLarge", Reason::kInvalid},
    {"Forbidden", Reason::kForbidden},
    {"Unauthorized", Reason::kUnauthorized},
    {"Expired", Reason::kExpired},
    {"Gone", Reason::kExpired},
    {"TooManyRequests", Reason::kTooManyRequests},
    {"InternalError", Reason::kServerError},
    {"ServiceUnavailable", Reason::kServerError},
}};

Reason FromCode(int code) {
  switch (code) {
    case 401:
      return Reason::kUnauthorized;
    case 403:
      return Reason::kForbidden;
    case 404:
      return Reason::kNotFound;
    case 409:
      return Reason::kConflict;
    case 410:
      return Reason::kExpired;
    case 429:
      return Reason::kTooManyRequests;
    default:
      break;
  }
  if (code >= 500) return Reason::kServerError;
  return code >= 400 ? Reason::kInvalid : Reason::kMalformed;
}

std::string TextAt(const Json& object, const char* key) {
  if (!object.is_object()) return {};
  const auto it = object.find(key);
  return it != object.end() && it->is_string() ? it->get<std::string>() : std::string();
}

bool HasCause(const Json& details, std::string_view reason) {
  if (!details.is_object() || !details.contains("causes")) return false;
  const Json& causes = details.at("causes");
  return causes.is_array() && std::any_of(causes.begin(), causes.end(), [&](const Json& cause) {
           return TextAt(cause, "reason") == reason;
         });
}

// Those that say nothing of their own (Timeout, ServerTimeout, Unknown, …) go by their code.
Reason Classify(const Json& status, const Json& details, int code) {
  if (HasCause(details, "ResourceVersionTooLarge")) return Reason::kTooLargeResourceVersion;
  const std::string reason = TextAt(status, "reason");
  const auto known = std::find_if(kReasons.begin(), kReasons.end(),
                                  [&](const auto& entry) { return entry.first == reason; });
  return known == kReasons.end() ? FromCode(code) : known->second;
}

std::string Bounded(std::string_view text) { return TruncateUtf8(Redact(text), kMaxMessage); }

}  // namespace

ApiError ErrorFromStatus(const Json& status, int http_code) {
  ApiError error{.reason = FromCode(http_code), .code = http_code};
  if (!status.is_object()) return error;
  if (const auto code = status.find("code"); code != status.end() && code->is_number_integer()) {
    error.code = code->get<int>();
  }
  const auto found = status.find("details");
  const Json details = found == status.end() ? Json() : *found;
  error.reason = Classify(status, details, error.code);
  error.message = Bounded(TextAt(status, "message"));
  if (details.is_object()) {
    const auto seconds = details.find("retryAfterSeconds");
    if (seconds != details.end() && seconds->is_number_integer() && seconds->get<int>() > 0) {
      error.retry_after = std::chrono::seconds(seconds->get<int>());
    }
  }
  return error;
}

ApiError ErrorFromResponse(const HttpHead& head, std::string_view body) {
  const Json status = Json::parse(body, nullptr, /*allow_exceptions=*/false);
  ApiError error;
  if (status.is_object() && TextAt(status, "kind") == "Status") {
    error = ErrorFromStatus(status, head.status);
  } else {
    error = {.reason = FromCode(head.status), .code = head.status, .message = Bounded(body)};
  }
  if (head.retry_after) error.retry_after = head.retry_after;
  return error;
}

ApiError ErrorFromTransport(const TransportError& error, std::string_view server) {
  if (error.kind == TransportError::Kind::kCancelled) {
    return {.reason = Reason::kCancelled, .message = error.message};
  }
  return {.reason = Reason::kTransport,
          .message = "API server " + std::string(server) + ": " + error.message};
}

}  // namespace whimbrel::kube
