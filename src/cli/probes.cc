#include "cli/probes.h"

#include <chrono>
#include <optional>
#include <utility>

#include "whimbrel/base/log.h"

namespace whimbrel::cli {
namespace {

/// Longer than an orderly end after a lost lease; as kube-controller-manager has it.
constexpr std::chrono::seconds kLeaseTolerance{20};

}  // namespace

Probes::Probes(const kube::LeaderElector* elector) : elector_(elector) {
  checks_.AddHealthCheck("ping", [] { return std::optional<std::string>(); });
  if (elector_ != nullptr) {
    checks_.AddHealthCheck("leaderElection", [this]() -> std::optional<std::string> {
      const Result<void> checked = elector_->Check(kLeaseTolerance);
      if (checked) return std::nullopt;
      return checked.error().message;
    });
  }
  checks_.AddReadyCheck("informer-sync", [this]() -> std::optional<std::string> {
    if (Ready()) return std::nullopt;
    return "the resources have not been listed yet";
  });
}

Result<void> Probes::Listen(const std::string& address) {
  const Result<std::optional<serve::BindAddress>> parsed = serve::ParseBindAddress(address);
  if (!parsed) return tl::make_unexpected(parsed.error());
  if (!*parsed) return {};
  Result<std::unique_ptr<serve::HttpEndpoint>> endpoint =
      serve::HttpEndpoint::Start({.address = **parsed}, checks_.ToHandler());
  if (!endpoint) return tl::make_unexpected(endpoint.error());
  endpoint_ = *std::move(endpoint);
  log::Info("cli", "serving probes", {{"port", endpoint_->port()}});
  return {};
}

void Probes::Watch(const controller::Controller* controller) {
  const std::lock_guard lock(mutex_);
  controller_ = controller;
}

bool Probes::Ready() const {
  const std::lock_guard lock(mutex_);
  if (controller_ != nullptr) return controller_->synced();
  return elector_ != nullptr && !elector_->may_work();
}

}  // namespace whimbrel::cli
