#include "cli/controller_command.h"

#include <unistd.h>

#include <array>
#include <chrono>
#include <ostream>

#include "cli/version.h"
#include "whimbrel/base/log.h"
#include "whimbrel/controller/controller.h"
#include "whimbrel/controller/crd.h"
#include "whimbrel/engine/in_process_runner.h"
#include "whimbrel/kube/config.h"
#include "whimbrel/kube/manifest_client.h"
#include "whimbrel/kube/rest_client.h"

namespace whimbrel::cli {

namespace {

/// How often folders are read again: the kubelet's file check for static pods takes 20 s; a person
/// at a VM waits less gladly.
constexpr std::chrono::seconds kReloadInterval{5};

std::string HostName() {
  std::array<char, 256> name{};
  return gethostname(name.data(), name.size() - 1) == 0 ? std::string(name.data()) : "whimbrel";
}

controller::ControllerOptions ToOptions(const ControllerCommandOptions& options) {
  return {.namespaces = options.namespaces,
          .resync = std::chrono::seconds(options.resync_seconds),
          .source_timeout = std::chrono::seconds(options.source_timeout_seconds),
          .trust = options.manifests.empty() ? report::Trust::kCluster : report::Trust::kLocal,
          .instance = HostName(),
          .jobs_in_process = !options.manifests.empty()};
}

Result<std::unique_ptr<kube::ObjectClient>> ConnectToCluster(
    const ControllerCommandOptions& options) {
  Result<kube::Config> config =
      kube::LoadConfig(options.kubeconfig, options.context, kube::ConfigEnvironment::Process());
  if (!config) return tl::make_unexpected(config.error());
  log::Info("cli", "using API server", {{"server", config->server}});
  return kube::NewRestClient(
      std::move(*config), {.user_agent = UserAgent(), .qps = options.qps, .burst = options.burst});
}

/// Waits for the stop; in between, folders are read again.
void Serve(kube::ManifestClient* manifests, const std::stop_token& stop) {
  const Clock& clock = Clock::System();
  if (manifests == nullptr) {
    clock.SleepFor(Duration::max(), stop);
    return;
  }
  while (clock.SleepFor(kReloadInterval, stop)) {
    if (Result<void> loaded = manifests->Reload(); !loaded) {
      log::Error("cli", "manifests not loaded; going on with the last good ones",
                 {{"error", loaded.error().ToString()}});
    }
  }
}

ExitCode RunOver(kube::ObjectClient& client, kube::ManifestClient* manifests,
                 const ControllerCommandOptions& options, const std::stop_token& stop,
                 std::ostream& err) {
  auto runner =
      engine::NewInProcessRunner({.max_concurrent_migrations = options.max_concurrent_migrations});
  controller::Controller controller(client, *runner, ToOptions(options));
  if (Result<void> started = controller.Start(stop); !started) {
    if (stop.stop_requested()) return ExitCode::kReady;
    err << "whimbrel: " << started.error().ToString() << "\n";
    return started.error().kind == ErrorKind::kUnavailable ? ExitCode::kRetryable
                                                           : ExitCode::kUsage;
  }
  log::Info("cli", "controller started", {{"version", Version()}});
  Serve(manifests, stop);
  controller.Stop();
  log::Info("cli", "controller stopped");
  return ExitCode::kReady;
}

}  // namespace

ExitCode RunController(const ControllerCommandOptions& options, std::stop_token stop,
                       std::ostream& err) {
  const auto fail = [&](const Error& error) {
    err << "whimbrel: " << error.ToString() << "\n";
    return ExitCode::kUsage;
  };
  if (options.manifests.empty()) {
    auto client = ConnectToCluster(options);
    return client ? RunOver(**client, nullptr, options, stop, err) : fail(client.error());
  }
  Result<kube::ServedResource> served = controller::ServedDatabaseMigrations();
  if (!served) return fail(served.error());
  auto client = kube::ManifestClient::Load(options.manifests, "default", {std::move(*served)});
  return client ? RunOver(**client, client->get(), options, stop, err) : fail(client.error());
}

}  // namespace whimbrel::cli
