#pragma once

#include <chrono>
#include <map>
#include <mutex>
#include <optional>
#include <stop_token>
#include <string>
#include <vector>

#include "whimbrel/base/clock.h"
#include "whimbrel/base/error.h"
#include "whimbrel/base/secret.h"
#include "whimbrel/serve/http_endpoint.h"
#include "whimbrel/serve/metrics_registry.h"

namespace whimbrel::serve {

/// Whom a token belongs to (authentication.k8s.io/v1, UserInfo).
struct UserInfo {
  std::string username;
  std::string uid;
  std::vector<std::string> groups;
  std::map<std::string, std::vector<std::string>> extra;

  friend auto operator<=>(const UserInfo&, const UserInfo&) = default;
};

/// Asks the cluster. Thread-safe; an error means that it could not be asked.
class AccessReviewer {
 public:
  virtual ~AccessReviewer() = default;
  /// Nobody (nullopt): the token is not valid.
  virtual Result<std::optional<UserInfo>> Authenticate(const Secret& token,
                                                       std::stop_token stop) = 0;
  /// May this user `get` this path (a nonResourceURL)?
  virtual Result<bool> Authorize(const UserInfo& user, const std::string& path,
                                 std::stop_token stop) = 0;
};

/// Lets in who may read metrics, as kube-rbac-proxy and controller-runtime's
/// filters.WithAuthenticationAndAuthorization do: a bearer token that a TokenReview accepts
/// (remembered for a minute) of a user whom a SubjectAccessReview allows `get` on the path
/// (remembered for five minutes, a refusal for thirty seconds). Errors are not remembered. At most
/// 1,024 answers are kept, of tokens only a keyed hash. Thread-safe.
class MetricsAccess {
 public:
  explicit MetricsAccess(AccessReviewer& reviewer, const Clock& clock = Clock::System());

  /// Nothing: go on. Else the answer to give: 401, 403 or, where the cluster could not be asked,
  /// 500.
  [[nodiscard]] std::optional<Response> Refuse(const Request& request);

 private:
  struct Identity {
    std::optional<UserInfo> user;
    SteadyTime expires;
  };
  struct Verdict {
    bool allowed = false;
    SteadyTime expires;
  };

  Result<std::optional<UserInfo>> Authenticate(const Secret& token, std::stop_token stop);
  Result<bool> Authorize(const UserInfo& user, const std::string& path, std::stop_token stop);

  AccessReviewer& reviewer_;
  const Clock& clock_;
  const std::string hash_key_;  ///< Random: the hashes mean nothing outside of this process.
  std::mutex mutex_;
  std::map<std::string, Identity> identities_;  ///< By keyed hash of the token.
  std::map<std::pair<UserInfo, std::string>, Verdict> verdicts_;
};

/// Answers /metrics. Both must outlive the handler; no `access`: anybody may read.
[[nodiscard]] Handler MetricsHandler(const MetricsRegistry& registry, MetricsAccess* access);

}  // namespace whimbrel::serve
