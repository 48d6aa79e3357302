#include "cli/controller_command.h"

#include <malloc.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <chrono>
#include <ostream>

#include "cli/exit_deadline.h"
#include "cli/leadership.h"
#include "cli/metrics_server.h"
#include "cli/probes.h"
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

/// Where kubebuilder's manifests look for probes.
constexpr const char* kProbeAddress = ":8081";

/// By default glibc has eight a core, each of which keeps what the busiest moment of its threads
/// took.
constexpr int kMallocArenas = 2;

std::string HostName() {
  std::array<char, 256> name{};
  return gethostname(name.data(), name.size() - 1) == 0 ? std::string(name.data()) : "whimbrel";
}

/// Each is listed and watched by itself, once.
std::vector<std::string> Unique(std::vector<std::string> names) {
  std::sort(names.begin(), names.end());
  names.erase(std::unique(names.begin(), names.end()), names.end());
  return names;
}

controller::ControllerOptions ToOptions(const ControllerCommandOptions& options) {
  return {.namespaces = Unique(options.namespaces),
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

/// Waits for the stop; in between, folders are read again.
void WaitFor(const std::stop_token& stop, kube::ManifestClient* manifests) {
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

class ControllerCommand {
 public:
  ControllerCommand(const ControllerCommandOptions& options, std::stop_token stop,
                    std::ostream& err)
      : options_(options), stop_(std::move(stop)), err_(err) {}

  ExitCode OverCluster();
  ExitCode OverManifests();

 private:
  ExitCode AsOneOfSeveral(kube::ObjectClient& client, const kube::Config& config);
  ExitCode AsTheOnlyOne(kube::ObjectClient& client, kube::ManifestClient* manifests);
  ExitCode Work(kube::ObjectClient& client, kube::ManifestClient* manifests, Probes& probes,
                const std::stop_token& stop);
  Result<void> ListenOn(Probes& probes) {
    return probes.Listen(options_.health_probe_bind_address.value_or(
        options_.manifests.empty() ? kProbeAddress : "0"));
  }
  ExitCode Refuse(const Error& error) {
    err_ << "whimbrel: " << error.ToString() << "\n";
    return error.kind == ErrorKind::kUnavailable ? ExitCode::kRetryable : ExitCode::kUsage;
  }

  const ControllerCommandOptions& options_;
  const std::stop_token stop_;
  std::ostream& err_;
  MetricsServer metrics_;
};

ExitCode ControllerCommand::OverCluster() {
  const Result<kube::Config> config =
      kube::LoadConfig(options_.kubeconfig, options_.context, kube::ConfigEnvironment::Process());
  if (!config) return Refuse(config.error());
  log::Info("cli", "using API server", {{"server", config->server}});
  // Before anything else, so that scrapers see all of it.
  if (Result<void> listening = metrics_.Listen(options_.metrics, &*config); !listening) {
    return Refuse(listening.error());
  }
  const auto client = kube::NewRestClient(*config, {.user_agent = UserAgent(),
                                                    .qps = options_.qps,
                                                    .burst = options_.burst,
                                                    .metrics = &metrics_.sink()});
  if (!client) return Refuse(client.error());
  return options_.leader_elect.enabled ? AsOneOfSeveral(**client, *config)
                                       : AsTheOnlyOne(**client, nullptr);
}

ExitCode ControllerCommand::OverManifests() {
  Result<kube::ServedResource> served = controller::ServedDatabaseMigrations();
  if (!served) return Refuse(served.error());
  if (Result<void> listening = metrics_.Listen(options_.metrics, nullptr); !listening) {
    return Refuse(listening.error());
  }
  const auto client =
      kube::ManifestClient::Load(options_.manifests, "default", {std::move(*served)});
  if (!client) return Refuse(client.error());
  return AsTheOnlyOne(**client, client->get());
}

ExitCode ControllerCommand::AsTheOnlyOne(kube::ObjectClient& client,
                                         kube::ManifestClient* manifests) {
  Probes probes(nullptr);
  if (Result<void> listening = ListenOn(probes); !listening) {
    return Refuse(listening.error());
  }
  return Work(client, manifests, probes, stop_);
}

/// Works while it leads, and hands over once all work has ended.
ExitCode ControllerCommand::AsOneOfSeveral(kube::ObjectClient& client, const kube::Config& config) {
  kube::LeaderElectionOptions election = ToElectionOptions(options_.leader_elect, config);
  if (Result<void> valid = kube::CheckLeaderElectionOptions(election); !valid) {
    return Refuse(valid.error());
  }
  // A renewal waits neither for the other requests nor for their limit.
  auto connection = kube::NewRestClient(
      config,
      {.user_agent = UserAgent() + " leader-election", .qps = 0, .metrics = &metrics_.sink()});
  if (!connection) return Refuse(connection.error());
  Leadership leadership(*std::move(connection), std::move(election), client, metrics_.sink());
  kube::LeaderElector& elector = leadership.elector();
  Probes probes(&elector);
  if (Result<void> listening = ListenOn(probes); !listening) {
    elector.Release();
    return Refuse(listening.error());
  }
  std::stop_source end;
  const std::stop_callback asked(stop_, [&] { end.request_stop(); });
  const std::stop_callback lost(elector.lost(), [&] { end.request_stop(); });
  ExitCode code = ExitCode::kReady;
  if (elector.WaitUntilLeading(end.get_token())) {
    code = Work(leadership.client(), nullptr, probes, end.get_token());
  }
  // As controller-runtime: a new process begins as a candidate, and nothing of this one is left.
  if (elector.lost().stop_requested()) return ExitCode::kRetryable;
  elector.Release();
  return code;
}

/// Returns when no run of this process is left.
ExitCode ControllerCommand::Work(kube::ObjectClient& client, kube::ManifestClient* manifests,
                                 Probes& probes, const std::stop_token& stop) {
  auto runner =
      engine::NewInProcessRunner({.max_concurrent_migrations = options_.max_concurrent_migrations});
  controller::ControllerOptions controller_options = ToOptions(options_);
  controller_options.metrics = &metrics_.sink();
  metrics_.sink().Gauge("whimbrel_leader", {}, 1);
  controller::Controller controller(client, *runner, std::move(controller_options));
  if (Result<void> started = controller.Start(stop); !started) {
    return stop.stop_requested() ? ExitCode::kReady : Refuse(started.error());
  }
  probes.Watch(&controller);
  log::Info("cli", "controller started", {{"version", Version()}});
  WaitFor(stop, manifests);
  controller.Stop();
  probes.Watch(nullptr);
  log::Info("cli", "controller stopped");
  return ExitCode::kReady;
}

}  // namespace

ExitCode RunController(const ControllerCommandOptions& options, std::stop_token stop,
                       std::ostream& err) {
  mallopt(M_ARENA_MAX, kMallocArenas);
  const std::chrono::seconds grace(options.graceful_shutdown_timeout_seconds);
  const ExitDeadline deadline(
      stop, [grace] { return Clock::System().SteadyNow() + grace; },
      "the orderly end took longer than --graceful-shutdown-timeout-seconds");
  ControllerCommand command(options, std::move(stop), err);
  return options.manifests.empty() ? command.OverCluster() : command.OverManifests();
}

}  // namespace whimbrel::cli
