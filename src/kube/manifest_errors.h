#pragma once

#include <string>
#include <vector>

#include "whimbrel/base/error.h"
#include "whimbrel/kube/api_error.h"
#include "whimbrel/kube/resource.h"

namespace whimbrel::kube {

// What the in-memory API server answers instead of an object, in a real server's words.

[[nodiscard]] tl::unexpected<ApiError> Refuse(ApiErrorReason reason, int code, std::string message);
/// `databasemigrations.whimbrel.dev "orders"`, as API errors begin.
[[nodiscard]] std::string Quoted(const Resource& resource, const std::string& name);
[[nodiscard]] tl::unexpected<ApiError> NotFound(const Resource& resource, const std::string& name);
/// The object is newer than the one that a write was computed from.
[[nodiscard]] tl::unexpected<ApiError> Modified(const Resource& resource, const std::string& name);
[[nodiscard]] tl::unexpected<ApiError> Cancelled();
/// `one`, or `[one, two]`.
[[nodiscard]] std::string Joined(const std::vector<std::string>& problems);

}  // namespace whimbrel::kube
