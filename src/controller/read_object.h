#pragma once

#include <nlohmann/json.hpp>
#include <stop_token>
#include <string>

#include "whimbrel/kube/object_client.h"

namespace whimbrel::controller {

/// The object, or a sentence why it cannot be had for now: it is not there, or reading it is not
/// allowed. Both end without anybody touching the resource, and both are for people to see.
using FoundObject = Result<kube::Json, std::string>;

/// An error only where the API server gave no answer to go by.
[[nodiscard]] kube::ApiResult<FoundObject> ReadObject(kube::ObjectClient& client,
                                                      const kube::Resource& resource,
                                                      const kube::ObjectKey& key,
                                                      std::stop_token stop);

}  // namespace whimbrel::controller
