#include "cli/metrics_server.h"

#include <chrono>
#include <filesystem>
#include <optional>
#include <utility>

#include "cli/metrics_access.h"
#include "cli/version.h"
#include "whimbrel/base/log.h"
#include "whimbrel/controller/metric_descriptions.h"
#include "whimbrel/kube/rest_client.h"
#include "whimbrel/serve/tls_identity.h"

namespace whimbrel::cli {
namespace {

/// Reviews a second, and at once: whoever sends wrong tokens must not load the API server.
constexpr double kReviewQps = 10;
constexpr int kReviewBurst = 20;

/// For a scraper to take the answer: Prometheus' own default. 10,000 resources are 12 MB.
constexpr std::chrono::seconds kScrapeTime{10};

/// Null: plain HTTP.
Result<std::shared_ptr<serve::TlsIdentity>> IdentityOf(const MetricsFlags& flags) {
  if (!flags.secure) return nullptr;
  if (flags.certificate_folder.empty()) return serve::TlsIdentity::SelfSigned();
  const std::filesystem::path folder = flags.certificate_folder;
  return serve::TlsIdentity::FromFiles(folder / "tls.crt", folder / "tls.key");
}

}  // namespace

MetricsServer::MetricsServer() : registry_(controller::ControllerMetrics()) {
  registry_.Gauge("whimbrel_build_info", {{"version", Version()}}, 1);
  registry_.Gauge("whimbrel_leader", {}, 0);
}

Result<void> MetricsServer::Listen(const MetricsFlags& flags, const kube::Config* cluster) {
  const Result<std::optional<serve::BindAddress>> address =
      serve::ParseBindAddress(flags.bind_address);
  if (!address) return tl::make_unexpected(address.error());
  if (!*address) return {};
  Result<std::shared_ptr<serve::TlsIdentity>> identity = IdentityOf(flags);
  if (!identity) return tl::make_unexpected(identity.error());
  if (flags.auth && cluster != nullptr) {
    if (Result<void> asked = AskForTokens(*cluster); !asked) return asked;
  }
  Result<std::unique_ptr<serve::HttpEndpoint>> endpoint = serve::HttpEndpoint::Start(
      {.address = **address, .tls = *std::move(identity), .deadline = kScrapeTime},
      serve::MetricsHandler(registry_, access_.get()));
  if (!endpoint) return tl::make_unexpected(endpoint.error());
  endpoint_ = *std::move(endpoint);
  log::Info("cli", "serving metrics", {{"port", endpoint_->port()}});
  return {};
}

// By a connection of its own: a replica that stands by may ask too, and neither the work nor the
// lease waits for what scrapers cause.
Result<void> MetricsServer::AskForTokens(const kube::Config& cluster) {
  auto client = kube::NewRestClient(cluster, {.user_agent = UserAgent() + " metrics",
                                              .qps = kReviewQps,
                                              .burst = kReviewBurst,
                                              .metrics = &registry_});
  if (!client) return tl::make_unexpected(client.error());
  client_ = *std::move(client);
  reviewer_ = NewClusterReviewer(*client_);
  access_ = std::make_unique<serve::MetricsAccess>(*reviewer_);
  return {};
}

}  // namespace whimbrel::cli
