#pragma once

#include <nlohmann/json_fwd.hpp>
#include <string_view>

#include "kube/http_transport.h"
#include "whimbrel/kube/api_error.h"

namespace whimbrel::kube {

/// From a metav1.Status object: its reason decides, then the HTTP code (apimachinery errors.go).
/// `http_code` counts where the object names none.
[[nodiscard]] ApiError ErrorFromStatus(const nlohmann::json& status, int http_code);

/// From an answer that is no success; its body should be a Status but need not be (proxies).
[[nodiscard]] ApiError ErrorFromResponse(const HttpHead& head, std::string_view body);

/// From an exchange that failed; a cancelled one is kCancelled.
[[nodiscard]] ApiError ErrorFromTransport(const TransportError& error, std::string_view server);

}  // namespace whimbrel::kube
