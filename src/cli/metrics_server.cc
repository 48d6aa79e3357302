#include "cli/metrics_server.h"

#include <optional>
#include <span>
#include <utility>
#include <vector>

#include "whimbrel/base/log.h"
#include "whimbrel/kube/metrics.h"
#include "whimbrel/serve/metrics_access.h"

namespace whimbrel::cli {
namespace {

std::vector<MetricDescription> AllMetrics() {
  std::vector<MetricDescription> all;
  for (const std::span<const MetricDescription> some :
       {kube::RestClientMetrics(), kube::WorkQueueMetrics(), kube::LeaderElectionMetrics()}) {
    all.insert(all.end(), some.begin(), some.end());
  }
  return all;
}

}  // namespace

MetricsServer::MetricsServer() : registry_(AllMetrics()) {}

Result<void> MetricsServer::Listen(const std::string& address) {
  const Result<std::optional<serve::BindAddress>> parsed = serve::ParseBindAddress(address);
  if (!parsed) return tl::make_unexpected(parsed.error());
  if (!*parsed) return {};
  Result<std::unique_ptr<serve::HttpEndpoint>> endpoint = serve::HttpEndpoint::Start(
      {.address = **parsed}, serve::MetricsHandler(registry_, /*access=*/nullptr));
  if (!endpoint) return tl::make_unexpected(endpoint.error());
  endpoint_ = *std::move(endpoint);
  log::Info("cli", "serving metrics", {{"port", endpoint_->port()}});
  return {};
}

}  // namespace whimbrel::cli
