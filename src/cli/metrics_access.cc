#include "cli/metrics_access.h"

#include <nlohmann/json.hpp>
#include <optional>
#include <string>
#include <utility>

namespace whimbrel::cli {
namespace {

using kube::Json;
using serve::UserInfo;

Error FromApiError(const kube::ApiError& error) {
  const bool forbidden = error.reason == kube::ApiErrorReason::kForbidden;
  return {
      .kind = forbidden ? ErrorKind::kPermissionDenied : ErrorKind::kUnavailable,
      .message = error.ToString() +
                 (forbidden ? "; bind our account to the ClusterRole system:auth-delegator" : "")};
}

// The server writes lists and maps only where there is something in them.
UserInfo ReadUser(const Json& user) {
  return {.username = user.value("username", ""),
          .uid = user.value("uid", ""),
          .groups = user.value("groups", std::vector<std::string>()),
          .extra = user.value("extra", std::map<std::string, std::vector<std::string>>())};
}

Json Review(const kube::Resource& resource, Json spec) {
  return {
      {"apiVersion", resource.ApiVersion()}, {"kind", resource.kind}, {"spec", std::move(spec)}};
}

class ClusterReviewer final : public serve::AccessReviewer {
 public:
  explicit ClusterReviewer(kube::ObjectClient& client) : client_(client) {}

  Result<std::optional<UserInfo>> Authenticate(const Secret& token, std::stop_token stop) override {
    const Result<Json> status =
        Ask(kube::TokenReviews(), {{"token", std::string(token.Reveal())}}, std::move(stop));
    if (!status) return tl::make_unexpected(status.error());
    return Read([&]() -> std::optional<UserInfo> {
      if (!status->value("authenticated", false)) return std::nullopt;
      return ReadUser(status->at("user"));
    });
  }

  Result<bool> Authorize(const UserInfo& user, const std::string& path,
                         std::stop_token stop) override {
    const Result<Json> status = Ask(kube::SubjectAccessReviews(),
                                    {{"user", user.username},
                                     {"uid", user.uid},
                                     {"groups", user.groups},
                                     {"extra", user.extra},
                                     {"nonResourceAttributes", {{"path", path}, {"verb", "get"}}}},
                                    std::move(stop));
    if (!status) return tl::make_unexpected(status.error());
    return Read([&] { return status->value("allowed", false); });
  }

 private:
  Result<Json> Ask(const kube::Resource& resource, Json spec, std::stop_token stop) {
    kube::ApiResult<Json> review =
        client_.Create(resource, Review(resource, std::move(spec)), std::move(stop));
    if (!review) return tl::make_unexpected(FromApiError(review.error()));
    const auto status = review->find("status");
    return status == review->end() ? Json::object() : std::move(*status);
  }

  template <class Reader>
  static auto Read(Reader reader) -> Result<decltype(reader())> {
    try {
      return reader();
    } catch (const Json::exception& error) {
      return Fail(ErrorKind::kInternal,
                  std::string("the API server's review cannot be read: ") + error.what());
    }
  }

  kube::ObjectClient& client_;
};

}  // namespace

std::unique_ptr<serve::AccessReviewer> NewClusterReviewer(kube::ObjectClient& client) {
  return std::make_unique<ClusterReviewer>(client);
}

}  // namespace whimbrel::cli
