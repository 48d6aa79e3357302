#include "kube/manifest_errors.h"

#include <utility>

namespace whimbrel::kube {

tl::unexpected<ApiError> Refuse(ApiErrorReason reason, int code, std::string message) {
  return tl::make_unexpected(
      ApiError{.reason = reason, .code = code, .message = std::move(message)});
}

std::string Quoted(const Resource& resource, const std::string& name) {
  return resource.plural + (resource.group.empty() ? "" : "." + resource.group) + " \"" + name +
         "\"";
}

tl::unexpected<ApiError> NotFound(const Resource& resource, const std::string& name) {
  return Refuse(ApiErrorReason::kNotFound, 404, Quoted(resource, name) + " not found");
}

tl::unexpected<ApiError> Cancelled() { return Refuse(ApiErrorReason::kCancelled, 0, "stopped"); }

tl::unexpected<ApiError> Modified(const Resource& resource, const std::string& name) {
  return Refuse(ApiErrorReason::kConflict, 409,
                "Operation cannot be fulfilled on " + Quoted(resource, name) +
                    ": the object has been modified; please apply your changes to the latest "
                    "version and try again");
}

std::string Joined(const std::vector<std::string>& problems) {
  std::string text;
  for (const std::string& problem : problems) text += (text.empty() ? "" : ", ") + problem;
  return problems.size() == 1 ? text : "[" + text + "]";
}

}  // namespace whimbrel::kube
