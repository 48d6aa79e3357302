#include "controller/check_access.h"

#include <nlohmann/json.hpp>
#include <utility>

#include "whimbrel/controller/api.h"

namespace whimbrel::controller {
namespace {

using kube::ApiError;
using kube::ApiErrorReason;
using kube::Resource;

Error Explain(const Resource& resource, const std::string& ns, const ApiError& error) {
  const std::string scope = ns.empty() ? "in all namespaces" : "in namespace " + ns;
  switch (error.reason) {
    case ApiErrorReason::kNotFound:
      return {.kind = ErrorKind::kNotFound,
              .message =
                  "this cluster does not know the kind DatabaseMigration; install it first: "
                  "kubectl apply -f crds/"};
    case ApiErrorReason::kForbidden:
      return {.kind = ErrorKind::kPermissionDenied,
              .message = "the API server forbids to list " + resource.plural + " " + scope +
                         "; grant get, list and watch, or name the namespaces to look at (" +
                         error.message + ")"};
    case ApiErrorReason::kUnauthorized:
      return {.kind = ErrorKind::kUnauthenticated,
              .message = "the API server does not accept the credentials (" + error.message + ")"};
    case ApiErrorReason::kCancelled:
      return {.kind = ErrorKind::kCancelled, .message = "stopped while asking the API server"};
    default:
      return {.kind = ErrorKind::kUnavailable,
              .message = "the API server cannot be asked: " + error.ToString()};
  }
}

/// Lists until the first object: one page is answer enough.
Result<void> CheckList(kube::ObjectClient& client, const Resource& resource, const std::string& ns,
                       std::stop_token stop) {
  std::stop_source enough;
  const std::stop_callback forward(stop, [&] { enough.request_stop(); });
  bool served = false;
  const kube::ApiResult<std::string> listed = client.List(
      resource, {.ns = ns, .metadata_only = true, .limit = 1},
      [&](kube::Json&&) {
        served = true;
        enough.request_stop();
      },
      enough.get_token());
  if (listed || served) return {};
  return tl::make_unexpected(Explain(resource, ns, listed.error()));
}

}  // namespace

Result<void> CheckAccess(kube::ObjectClient& client, const std::vector<std::string>& namespaces,
                         bool jobs, std::stop_token stop) {
  std::vector<const Resource*> resources = {&DatabaseMigrations(), &kube::ConfigMaps()};
  if (jobs) resources.insert(resources.end(), {&kube::Jobs(), &kube::Pods()});
  for (const std::string& ns : namespaces) {
    for (const Resource* resource : resources) {
      if (Result<void> checked = CheckList(client, *resource, ns, stop); !checked) return checked;
    }
  }
  return {};
}

}  // namespace whimbrel::controller
