#pragma once

#include <stop_token>
#include <string>

#include "controller/observed.h"
#include "whimbrel/kube/object_client.h"

namespace whimbrel::controller {

/// Reads, anew for each attempt, the Secret of the login and what TLS needs. An Obstacle
/// (SecretNotFound) names what is missing and never a value.
[[nodiscard]] kube::ApiResult<CredentialsState> ReadCredentials(kube::ObjectClient& client,
                                                                const std::string& ns,
                                                                const DatabaseSpec& database,
                                                                std::stop_token stop);

}  // namespace whimbrel::controller
