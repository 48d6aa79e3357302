#include "cli/controller_flags.h"

#include <CLI/CLI.hpp>
#include <algorithm>
#include <string>

#include "cli/duration.h"

namespace whimbrel::cli {
namespace {

void AddDuration(CLI::App* command, const std::string& name, Duration& value,
                 const std::string& text) {
  command
      ->add_option_function<std::string>(
          name,
          [&value, name](const std::string& given) {
            const Result<Duration> duration = ParseDuration(given);
            if (!duration) throw CLI::ValidationError(name, duration.error().message);
            value = *duration;
          },
          text)
      ->type_name("DURATION")
      ->default_str(FormatDuration(value));
}

void AddInteger(CLI::App* command, const std::string& name, int& value, const std::string& text,
                int least, int most) {
  command->add_option(name, value, text)->capture_default_str()->check(CLI::Range(least, most));
}

/// An empty one would mean all: a slip must not widen what is watched. Returns CLI11's error.
std::string CheckNamespace(const std::string& name) {
  const auto is_inner = [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '-';
  };
  const bool valid = !name.empty() && name.size() <= 63 && name.front() != '-' &&
                     name.back() != '-' && std::all_of(name.begin(), name.end(), is_inner);
  if (valid) return {};
  return "\"" + name + "\" is no name of a namespace; write a list as in team-a,team-b";
}

void AddClusterFlags(CLI::App* command, ControllerCommandOptions& options) {
  command->add_option("--kubeconfig", options.kubeconfig,
                      "Instead of $KUBECONFIG, the pod's account or ~/.kube/config");
  command->add_option("--context", options.context, "Context of the kubeconfig");
  command
      ->add_option("--watch-namespaces", options.namespaces, "Only these namespaces (default: all)")
      ->delimiter(',')
      ->check(CheckNamespace, "NAMESPACE");
  command->add_option("--kube-api-qps", options.qps, "API requests a second")
      ->capture_default_str()
      ->check(CLI::Range(0.1, 10000.0));
  AddInteger(command, "--kube-api-burst", options.burst, "API requests at once", 1, 10000);
  command->add_option("--runner-image", options.runner.image,
                      "Image of the pods that migrate in mode Job (default: no such pods)");
  command
      ->add_option("--runner-image-pull-policy", options.runner.pull_policy,
                   "When a node pulls that image")
      ->capture_default_str()
      ->check(CLI::IsMember({"Always", "IfNotPresent", "Never"}));
}

void AddWorkFlags(CLI::App* command, ControllerCommandOptions& options) {
  AddInteger(command, "--resync-seconds", options.resync_seconds,
             "How often an outside cause is tried again", 1, 86400);
  AddInteger(command, "--source-timeout-seconds", options.source_timeout_seconds,
             "How long a missing source is waited for", 1, 86400);
  AddInteger(command, "--max-concurrent-migrations", options.max_concurrent_migrations,
             "Runs that execute SQL at once in this process", 1, 1000);
  AddInteger(
      command, "--graceful-shutdown-timeout-seconds", options.graceful_shutdown_timeout_seconds,
      "Longest orderly end after a first SIGTERM or SIGINT; a second ends at once", 1, 86400);
  command
      ->add_option("--health-probe-bind-address", options.health_probe_bind_address,
                   "Where /healthz and /readyz are served; 0: nowhere (default with --manifests)")
      ->type_name("ADDRESS")
      ->default_str(":8081");
}

void AddLeaderElectFlags(CLI::App* command, LeaderElectFlags& flags) {
  command->add_flag("--leader-elect", flags.enabled,
                    "Work only while holding a Lease; for several replicas");
  AddDuration(command, "--leader-elect-lease-duration", flags.lease_duration,
              "How long others wait after the last renewal; whole seconds");
  AddDuration(command, "--leader-elect-renew-deadline", flags.renew_deadline,
              "When a leader whose renewals fail gives up");
  AddDuration(command, "--leader-elect-retry-period", flags.retry_period,
              "How often the Lease is renewed or asked for");
  command->add_option("--leader-elect-resource-name", flags.resource_name, "Name of the Lease")
      ->capture_default_str();
  command->add_option("--leader-elect-resource-namespace", flags.resource_namespace,
                      "Namespace of the Lease (default: that of the pod or the context)");
}

CLI::Option* AddMetricsFlags(CLI::App* command, MetricsFlags& flags) {
  command
      ->add_option("--metrics-bind-address", flags.bind_address,
                   "Where /metrics is served, as :8080; 0: nowhere")
      ->type_name("ADDRESS")
      ->capture_default_str();
  CLI::Option* secure =
      command->add_flag("--metrics-secure", flags.secure, "Serve metrics by HTTPS");
  command
      ->add_option("--metrics-cert-path", flags.certificate_folder,
                   "Folder with tls.crt and tls.key (default: a self-signed pair, in memory)")
      ->type_name("FOLDER")
      ->needs(secure);
  // A token must not travel in the clear.
  return command
      ->add_flag("--metrics-auth", flags.auth,
                 "Show metrics only to tokens that may get the nonResourceURL /metrics")
      ->needs(secure);
}

}  // namespace

void AddControllerCommand(CLI::App& app, ControllerCommandOptions& options) {
  CLI::App* command =
      app.add_subcommand("controller", "Keep every DatabaseMigration of a cluster converged");
  AddClusterFlags(command, options);
  AddLeaderElectFlags(command, options.leader_elect);
  // Folders have no API server: ignored flags would be believed.
  const std::vector<CLI::Option*> of_clusters = command->get_options([](const CLI::Option* option) {
    return option->get_name() != "--help" && option->get_name() != "--watch-namespaces";
  });
  CLI::Option* manifests = command->add_option("--manifests", options.manifests,
                                               "Files or folders, instead of a cluster");
  for (CLI::Option* option : of_clusters) option->excludes(manifests);
  AddWorkFlags(command, options);
  AddMetricsFlags(command, options.metrics)->excludes(manifests);
}

}  // namespace whimbrel::cli
