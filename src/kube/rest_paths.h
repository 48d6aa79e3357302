#pragma once

#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "whimbrel/kube/resource.h"

namespace whimbrel::kube {

/// `/api/v1/…` or `/apis/group/version/…`, with or without a namespace, a name and a subresource;
/// each part percent-encoded.
[[nodiscard]] std::string ResourcePath(const Resource& resource, std::string_view ns,
                                       std::string_view name = {},
                                       std::string_view subresource = {});

/// `?a=b&c=d`, encoded once; parameters with an empty value are left out.
[[nodiscard]] std::string Query(
    const std::vector<std::pair<std::string_view, std::string>>& parameters);

}  // namespace whimbrel::kube
