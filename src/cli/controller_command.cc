#include "cli/controller_command.h"

#include <unistd.h>

#include <array>
#include <chrono>
#include <ostream>

#include "cli/exit_deadline.h"
#include "cli/leadership.h"
#include "cli/version.h"
#include "whimbrel/base/log.h"
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
          .jobs_in_process = !options.manifests.empty(),
          .runner = options.runner};
}

kube::LeaderElectionOptions ToElectionOptions(const LeaderElectFlags& flags,
                                              const kube::Config& config) {
  return {.lease = {.ns = flags.resource_namespace.empty() ? config.ns : flags.resource_namespace,
                    .name = flags.resource_name},
          .identity = kube::NewLeaderIdentity(HostName()),
          .lease_duration = std::chrono::floor<std::chrono::seconds>(flags.lease_duration),
          .renew_deadline = flags.renew_deadline,
          .retry_period = flags.retry_period};
}

ExitCode Refuse(const Error& error, std::ostream& err) {
  err << "whimbrel: " << error.ToString() << "\n";
  return ExitCode::kUsage;
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

/// A replica of several: works while it leads, and hands over once all work has ended.
ExitCode RunAsLeader(Leadership& leadership, const ControllerCommandOptions& options,
                     const std::stop_token& stop, std::ostream& err) {
  kube::LeaderElector& elector = leadership.elector();
  std::stop_source end;
  const std::stop_callback asked(stop, [&] { end.request_stop(); });
  const std::stop_callback lost(elector.lost(), [&] { end.request_stop(); });
  ExitCode code = ExitCode::kReady;
  if (elector.WaitUntilLeading(end.get_token())) {
    code = RunOver(leadership.client(), nullptr, options, end.get_token(), err);
  }
  // As controller-runtime: a new process begins as a candidate, and nothing of this one is left.
  if (elector.lost().stop_requested()) return ExitCode::kRetryable;
  elector.Release();
  return code;
}

ExitCode RunOverCluster(const ControllerCommandOptions& options, const std::stop_token& stop,
                        std::ostream& err) {
  const Result<kube::Config> config =
      kube::LoadConfig(options.kubeconfig, options.context, kube::ConfigEnvironment::Process());
  if (!config) return Refuse(config.error(), err);
  log::Info("cli", "using API server", {{"server", config->server}});
  const auto client = kube::NewRestClient(
      *config, {.user_agent = UserAgent(), .qps = options.qps, .burst = options.burst});
  if (!client) return Refuse(client.error(), err);
  if (!options.leader_elect.enabled) return RunOver(**client, nullptr, options, stop, err);

  kube::LeaderElectionOptions election = ToElectionOptions(options.leader_elect, *config);
  if (Result<void> valid = kube::CheckLeaderElectionOptions(election); !valid) {
    return Refuse(valid.error(), err);
  }
  // A renewal waits neither for the other requests nor for their limit.
  auto connection =
      kube::NewRestClient(*config, {.user_agent = UserAgent() + " leader-election", .qps = 0});
  if (!connection) return Refuse(connection.error(), err);
  Leadership leadership(*std::move(connection), std::move(election), **client, MetricsSink::Null());
  return RunAsLeader(leadership, options, stop, err);
}

ExitCode RunOverManifests(const ControllerCommandOptions& options, const std::stop_token& stop,
                          std::ostream& err) {
  Result<kube::ServedResource> served = controller::ServedDatabaseMigrations();
  if (!served) return Refuse(served.error(), err);
  const auto client =
      kube::ManifestClient::Load(options.manifests, "default", {std::move(*served)});
  if (!client) return Refuse(client.error(), err);
  return RunOver(**client, client->get(), options, stop, err);
}

}  // namespace

ExitCode RunController(const ControllerCommandOptions& options, std::stop_token stop,
                       std::ostream& err) {
  const std::chrono::seconds grace(options.graceful_shutdown_timeout_seconds);
  const ExitDeadline deadline(
      stop, [grace] { return Clock::System().SteadyNow() + grace; },
      "the orderly end took longer than --graceful-shutdown-timeout-seconds");
  return options.manifests.empty() ? RunOverCluster(options, stop, err)
                                   : RunOverManifests(options, stop, err);
}

}  // namespace whimbrel::cli
