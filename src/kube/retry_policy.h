#pragma once

#include <optional>
#include <string_view>

#include "kube/http_transport.h"
#include "whimbrel/base/clock.h"
#include "whimbrel/kube/api_error.h"

namespace whimbrel::kube {

/// What may be sent again (client-go rest/request.go, with_retry.go): what the server says it did
/// not take (429, or 5xx with Retry-After) after the time it asks for, ten times at most; a GET
/// whose connection broke before any answer, three times. Beyond client-go: a GET that was answered
/// with 429 or 5xx without Retry-After, twice, so that a pass of many reads does not begin anew for
/// one of them. `attempt` counts from 0. The wait before the next attempt, or nullopt.
[[nodiscard]] std::optional<Duration> RetryAfterAnswer(int attempt, std::string_view method,
                                                       const ApiError& error);
[[nodiscard]] std::optional<Duration> RetryAfterTransportError(int attempt, std::string_view method,
                                                               const TransportError& error);

}  // namespace whimbrel::kube
