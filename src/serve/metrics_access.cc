#include "whimbrel/serve/metrics_access.h"

#include <algorithm>

#include "serve/http_message.h"
#include "whimbrel/base/ascii.h"
#include "whimbrel/base/hash.h"
#include "whimbrel/base/log.h"

namespace whimbrel::serve {
namespace {

// Those of controller-runtime (pkg/metrics/filters).
constexpr std::chrono::minutes kRememberIdentity{1};
constexpr std::chrono::minutes kRememberAllowed{5};
constexpr std::chrono::seconds kRememberRefused{30};
constexpr std::size_t kMaxRemembered = 1024;

constexpr std::string_view kContentType = "text/plain; version=0.0.4; charset=utf-8";

// Empty: there is none (RFC 6750 §2.1; the scheme's case does not matter).
Secret BearerToken(const Secret& authorization) {
  constexpr std::string_view kScheme = "bearer ";
  std::string_view text = authorization.Reveal();
  if (text.size() <= kScheme.size()) return {};
  if (!std::ranges::equal(text.substr(0, kScheme.size()), kScheme, {}, &ToLower)) return {};
  text.remove_prefix(kScheme.size());
  text.remove_prefix(std::min(text.find_first_not_of(' '), text.size()));
  return Secret(std::string(text));
}

Response Unauthorized() {
  Response response = PlainResponse(401);
  response.www_authenticate = "Bearer";
  return response;
}

Response CannotAsk(const Error& error) {
  log::Error("serve", "cannot ask who may read metrics", {{"error", error.ToString()}});
  return PlainResponse(500);
}

// What is old goes first; should that not do, everything does.
template <class Map>
void MakeRoom(Map& map, SteadyTime now) {
  if (map.size() < kMaxRemembered) return;
  std::erase_if(map, [now](const auto& entry) { return entry.second.expires <= now; });
  if (map.size() >= kMaxRemembered) map.clear();
}

}  // namespace

MetricsAccess::MetricsAccess(AccessReviewer& reviewer, const Clock& clock)
    : reviewer_(reviewer), clock_(clock), hash_key_(NewUuid() + NewUuid()) {}

std::optional<Response> MetricsAccess::Refuse(const Request& request) {
  const Secret token = BearerToken(request.authorization);
  if (token.empty()) return Unauthorized();
  const Result<std::optional<UserInfo>> user = Authenticate(token, request.stop);
  if (!user) return CannotAsk(user.error());
  if (!*user) return Unauthorized();
  const Result<bool> allowed = Authorize(**user, request.path, request.stop);
  if (!allowed) return CannotAsk(allowed.error());
  if (*allowed) return std::nullopt;
  log::Info("serve", "metrics were refused", {{"user", (*user)->username}});
  return PlainResponse(403);
}

Result<std::optional<UserInfo>> MetricsAccess::Authenticate(const Secret& token,
                                                            std::stop_token stop) {
  const std::string hash = Sha256Hex(hash_key_ + std::string(token.Reveal()));
  {
    const std::lock_guard lock(mutex_);
    const auto known = identities_.find(hash);
    if (known != identities_.end() && clock_.SteadyNow() < known->second.expires) {
      return known->second.user;
    }
  }
  Result<std::optional<UserInfo>> user = reviewer_.Authenticate(token, std::move(stop));
  if (!user) return user;
  const SteadyTime now = clock_.SteadyNow();
  const std::lock_guard lock(mutex_);
  MakeRoom(identities_, now);
  identities_.insert_or_assign(hash, Identity{*user, now + kRememberIdentity});
  return user;
}

Result<bool> MetricsAccess::Authorize(const UserInfo& user, const std::string& path,
                                      std::stop_token stop) {
  const std::pair<UserInfo, std::string> question(user, path);
  {
    const std::lock_guard lock(mutex_);
    const auto known = verdicts_.find(question);
    if (known != verdicts_.end() && clock_.SteadyNow() < known->second.expires) {
      return known->second.allowed;
    }
  }
  const Result<bool> allowed = reviewer_.Authorize(user, path, std::move(stop));
  if (!allowed) return allowed;
  const SteadyTime now = clock_.SteadyNow();
  const Duration keep = *allowed ? Duration(kRememberAllowed) : Duration(kRememberRefused);
  const std::lock_guard lock(mutex_);
  MakeRoom(verdicts_, now);
  verdicts_.insert_or_assign(question, Verdict{*allowed, now + keep});
  return allowed;
}

Handler MetricsHandler(const MetricsRegistry& registry, MetricsAccess* access) {
  return [&registry, access](const Request& request) {
    if (request.path != "/metrics") return PlainResponse(404);
    if (access != nullptr) {
      if (std::optional<Response> refused = access->Refuse(request)) return *std::move(refused);
    }
    return Response{.body = registry.Exposition(), .content_type = std::string(kContentType)};
  };
}

}  // namespace whimbrel::serve
