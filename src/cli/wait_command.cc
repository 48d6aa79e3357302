#include "cli/wait_command.h"

#include <CLI/CLI.hpp>
#include <nlohmann/json.hpp>
#include <ostream>
#include <stop_token>
#include <string>
#include <thread>

#include "cli/version.h"
#include "whimbrel/controller/api.h"
#include "whimbrel/kube/config.h"
#include "whimbrel/kube/rest_client.h"

namespace whimbrel::cli {
namespace {

constexpr Backoff kDatabasePace{std::chrono::milliseconds(500), std::chrono::seconds(5)};
constexpr Backoff kResourcePace{std::chrono::seconds(1), std::chrono::seconds(5)};

void AddDatabaseOptions(CLI::App* command, WaitOptions& options) {
  CLI::Option* database = command->add_flag(
      "--database", options.for_database,
      "Wait for a database, as PG* or --url-file names it, without asking Kubernetes");
  const auto add = [&](const char* name, std::string& value, const char* text) {
    command->add_option(name, value, text)->capture_default_str()->needs(database);
  };
  WaitDatabaseOptions& to = options.database;
  add("--at-least", to.at_least, "The version that must be applied; newer ones will do");
  add("--url-file", to.url_file, "File with a connection URI (- for standard input)");
  add("--history-schema", to.history_schema, "Schema of Whimbrel's tables");
  add("--history-set", to.history_set, "Name of the source's history");
  add("--history-table", to.history_table,
      "[schema.]table[(column)] of a tool, instead of Whimbrel's history");
}

void AddResourceOptions(CLI::App* command, WaitOptions& options) {
  WaitResourceOptions& to = options.resource;
  CLI::Option* resource =
      command->add_option("--resource", to.resource, "Wait until dbmig/NAME is Ready");
  resource->excludes(command->get_option("--database"));
  const auto add = [&](const char* name, std::string& value, const char* text) {
    command->add_option(name, value, text)->needs(resource);
  };
  add("-n,--namespace", to.ns, "Its namespace (default: that of the context or the pod)");
  add("--kubeconfig", to.kubeconfig, "Instead of $KUBECONFIG, the pod's account or ~/.kube/config");
  add("--context", to.context, "Context of the kubeconfig");
}

ExitCode Refuse(const Error& error, std::ostream& err) {
  err << "whimbrel wait: " << error.ToString() << "\n";
  return ExitCode::kUsage;
}

/// Stops when `stop` does, and at the deadline: requests know no deadline, but they do know a stop.
class StopAt {
 public:
  StopAt(SteadyTime deadline, const std::stop_token& stop)
      : callback_(stop, Forward{end_}), timer_([this, deadline](const std::stop_token& done) {
          if (Clock::System().SleepUntil(deadline, done)) end_.request_stop();
        }) {}

  [[nodiscard]] std::stop_token token() const { return end_.get_token(); }

 private:
  struct Forward {
    std::stop_source end;
    void operator()() { end.request_stop(); }
  };

  std::stop_source end_;
  std::stop_callback<Forward> callback_;
  std::jthread timer_;  ///< The last: it uses the others until it is joined.
};

ExitCode WaitForDatabase(const WaitOptions& options, const std::stop_token& stop, std::ostream& out,
                         std::ostream& err) {
  Result<DatabaseGate> gate = DatabaseGate::Create(options.database);
  if (!gate) return Refuse(gate.error(), err);
  return WaitUntilReady(
      [&](SteadyTime deadline, const std::stop_token& ended) {
        return gate->Look(deadline, ended);
      },
      {.timeout = std::chrono::seconds(options.timeout_seconds), .backoff = kDatabasePace}, stop,
      out, err);
}

ExitCode WaitForResource(const WaitOptions& options, const std::stop_token& stop, std::ostream& out,
                         std::ostream& err) {
  const WaitResourceOptions& resource = options.resource;
  const Result<std::string> name = ParseResourceName(resource.resource);
  if (!name) return Refuse(name.error(), err);
  const Result<kube::Config> config =
      kube::LoadConfig(resource.kubeconfig, resource.context, kube::ConfigEnvironment::Process());
  if (!config) return Refuse(config.error(), err);
  const auto client = kube::NewRestClient(*config, {.user_agent = UserAgent()});
  if (!client) return Refuse(client.error(), err);
  const kube::ObjectKey key{.ns = resource.ns.empty() ? config->ns : resource.ns, .name = *name};
  const LookFunction look = [&](SteadyTime deadline, const std::stop_token& stopped) -> Sighting {
    const StopAt end(deadline, stopped);
    const auto object = (*client)->Get(controller::DatabaseMigrations(), key, end.token());
    if (object) return JudgeResource(*object);
    if (object.error().reason == kube::ApiErrorReason::kCancelled) {
      return {Sighting::State::kNotYet, config->server + " did not answer in time"};
    }
    return JudgeApiError(object.error(), key);
  };
  return WaitUntilReady(
      look, {.timeout = std::chrono::seconds(options.timeout_seconds), .backoff = kResourcePace},
      stop, out, err);
}

}  // namespace

void AddWaitCommand(CLI::App& app, WaitOptions& options) {
  CLI::App* command =
      app.add_subcommand("wait", "Wait until a database or a resource is at a version");
  AddDatabaseOptions(command, options);
  AddResourceOptions(command, options);
  command->add_option("--timeout-seconds", options.timeout_seconds, "Longest wait")
      ->capture_default_str()
      ->check(CLI::Range(1, 604800));
}

ExitCode RunWait(const WaitOptions& options, const std::stop_token& stop, std::ostream& out,
                 std::ostream& err) {
  if (options.for_database) return WaitForDatabase(options, stop, out, err);
  if (!options.resource.resource.empty()) return WaitForResource(options, stop, out, err);
  err << "whimbrel wait: say what to wait for: --database --at-least VERSION, or --resource "
         "dbmig/NAME\n";
  return ExitCode::kUsage;
}

}  // namespace whimbrel::cli
