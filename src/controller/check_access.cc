#include "controller/check_access.h"

#include <nlohmann/json.hpp>
#include <utility>

#include "whimbrel/base/log.h"
#include "whimbrel/controller/api.h"

namespace whimbrel::controller {
namespace {

using kube::ApiError;
using kube::ApiErrorReason;
using kube::Resource;

/// As the reflectors, which ask the same questions afterwards.
constexpr Backoff kRetry{.initial = std::chrono::milliseconds(800),
                         .max = std::chrono::seconds(30)};

Error Stopped() {
  return {.kind = ErrorKind::kCancelled, .message = "stopped while asking the API server"};
}

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
      return Stopped();
    default:
      return {.kind = ErrorKind::kUnavailable,
              .message = "the API server cannot be asked: " + error.ToString()};
  }
}

/// Lists until the first object: one page is answer enough.
kube::ApiResult<void> ListOne(kube::ObjectClient& client, const Resource& resource,
                              const std::string& ns, const std::stop_token& stop) {
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
  return tl::make_unexpected(listed.error());
}

struct Question {
  kube::ObjectClient& client;
  const Resource& resource;
  const std::string& ns;
};

Result<void> AskUntilAnswered(const Question& question, const Clock& clock, Random& random,
                              const std::stop_token& stop) {
  for (int attempt = 0;; ++attempt) {
    const kube::ApiResult<void> listed =
        ListOne(question.client, question.resource, question.ns, stop);
    if (listed) return {};
    const ApiError& error = listed.error();
    if (!error.IsTransient()) {
      return tl::make_unexpected(Explain(question.resource, question.ns, error));
    }
    log::Warning("controller", "the API server does not answer yet; asking again",
                 {{"resource", question.resource.plural}, {"error", error.ToString()}});
    // At least the backoff, as client-go waits: the server may just be starting.
    const auto delay =
        std::chrono::duration_cast<Duration>(kRetry.Ceiling(attempt) * (1 + random.Uniform()));
    if (!clock.SleepFor(delay, stop)) return tl::make_unexpected(Stopped());
  }
}

}  // namespace

Result<void> CheckAccess(kube::ObjectClient& client, const std::vector<std::string>& namespaces,
                         bool jobs, const Clock& clock, Random& random, std::stop_token stop) {
  std::vector<const Resource*> resources = {&DatabaseMigrations(), &kube::ConfigMaps()};
  if (jobs) resources.insert(resources.end(), {&kube::Jobs(), &kube::Pods()});
  for (const std::string& ns : namespaces) {
    for (const Resource* resource : resources) {
      const Question question{client, *resource, ns};
      if (Result<void> allowed = AskUntilAnswered(question, clock, random, stop); !allowed) {
        return allowed;
      }
    }
  }
  return {};
}

}  // namespace whimbrel::controller
