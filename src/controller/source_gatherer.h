#pragma once

#include <stop_token>
#include <string>

#include "controller/observed.h"
#include "whimbrel/kube/object_client.h"

namespace whimbrel::controller {

/// Reads the files that `source` names: data and binaryData of the ConfigMaps of `ns`, an archive
/// in one of them, and inline SQL. An Obstacle names every ConfigMap and key that is missing, or
/// the file that cannot be; an error means that the API server gave no answer to go by.
[[nodiscard]] kube::ApiResult<SourceState> GatherSource(kube::ObjectClient& client,
                                                        const std::string& ns,
                                                        const SourceSpec& source,
                                                        std::stop_token stop);

}  // namespace whimbrel::controller
