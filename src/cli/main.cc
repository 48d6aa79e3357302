#include "whimbrel/cli/main.h"

#include <unistd.h>

#include <CLI/CLI.hpp>
#include <iostream>

#include "cli/controller_command.h"
#include "cli/controller_flags.h"
#include "cli/run_folder.h"
#include "cli/run_manifests.h"
#include "cli/runner_command.h"
#include "cli/signals.h"
#include "cli/version.h"
#include "cli/wait_command.h"
#include "whimbrel/base/log.h"
#include "whimbrel/cli/exit_code.h"
#include "whimbrel/postgres/connection_parameters.h"

namespace whimbrel::cli {

namespace {

struct Options {
  std::string log_level;
  std::string log_format;
  ControllerCommandOptions controller;
  RunManifestsOptions manifests;
  RunFolderOptions folder;
  RunnerCommandOptions runner;
  WaitOptions wait;
  std::string output = "text";
};

void AddHistoryOptions(CLI::App* command, RunFolderOptions& options) {
  command->add_option("--history-schema", options.history_schema, "Schema of Whimbrel's tables")
      ->capture_default_str();
  command->add_option("--history-set", options.history_set, "Name of this source's history")
      ->capture_default_str();
  command->add_option("--history-table", options.history_table,
                      "[schema.]table[(column)] of the tool before");
  command->add_option("--adopt", options.adopt, "What to do with a tool's history that is found")
      ->capture_default_str()
      ->check(CLI::IsMember({"Detect", "Never", "Require"}));
  command->add_option("--baseline-version", options.baseline_version,
                      "Versions up to it count as applied in an empty history");
}

void AddExecutionOptions(CLI::App* command, RunFolderOptions& options) {
  command->add_option("--transaction", options.transaction, "How far one transaction reaches")
      ->capture_default_str()
      ->check(CLI::IsMember({"PerMigration", "All", "None"}));
  command->add_option("--out-of-order", options.out_of_order, "Files older than what is applied")
      ->capture_default_str()
      ->check(CLI::IsMember({"Reject", "Apply", "Skip"}));
  const auto seconds = [&](const char* name, int& value, const char* text, int least = 0) {
    command->add_option(name, value, text)->capture_default_str()->check(CLI::Range(least, 604800));
  };
  // PostgreSQL takes 0 as "for ever".
  seconds("--lock-timeout-seconds", options.lock_timeout_seconds, "Wait for one table lock", 1);
  seconds("--lock-budget-seconds", options.lock_budget_seconds, "Wait for locks in all");
  seconds("--statement-timeout-seconds", options.statement_timeout_seconds, "Longest statement", 1);
  seconds("--deadline-seconds", options.deadline_seconds, "Longest run", 1);
  seconds("--ready-timeout-seconds", options.ready_timeout_seconds, "Wait for the database");
}

void AddFolderOptions(CLI::App* command, RunFolderOptions& options) {
  command->add_option("DIR", options.folder, "Folder of migrations; the database comes from PG*");
  command->add_option("--url-file", options.url_file,
                      "File with a connection URI (- for standard input)");
  command->add_option("--format", options.format, "Auto, Numbered or Flyway")
      ->capture_default_str();
  command->add_option("--target", options.target, "Version to stop at");
  command->add_option("--role", options.role, "SET ROLE after connecting");
  AddHistoryOptions(command, options);
  AddExecutionOptions(command, options);
}

void AddRunCommand(CLI::App& app, Options& options) {
  CLI::App* command =
      app.add_subcommand("run", "Migrate now: a folder of files, or manifests with -f");
  AddFolderOptions(command, options.folder);
  // A manifest says all this itself: ignored flags would be believed.
  const std::vector<CLI::Option*> of_folders = command->get_options(
      [](const CLI::Option* option) { return option->get_name() != "--help"; });
  CLI::Option* manifests = command->add_option("-f,--filename", options.manifests.paths,
                                               "Manifests, as for kubectl apply");
  for (CLI::Option* option : of_folders) option->excludes(manifests);
  command->add_option("-n,--namespace", options.manifests.ns, "Namespace of manifests without one")
      ->capture_default_str()
      ->needs(manifests);
  command->add_option("-o,--output", options.output, "text or json")
      ->capture_default_str()
      ->check(CLI::IsMember({"text", "json"}));
}

void AddRunnerCommand(CLI::App& app, RunnerCommandOptions& options) {
  CLI::App* command = app.add_subcommand(
      "runner", "Carry out one run in the pod of a Job; the controller starts it");
  const std::string hidden;
  command->add_option("--root", options.root)->group(hidden);
  command->add_option("--termination-log", options.termination_log)->group(hidden);
}

log::Level ParseLevel(const std::string& text) {
  if (text == "debug") return log::Level::kDebug;
  if (text == "info") return log::Level::kInfo;
  return text == "error" ? log::Level::kError : log::Level::kWarning;
}

/// A controller and a runner log what they do, as JSON for machines; a command on a terminal speaks
/// for itself.
void ConfigureLog(const Options& options, bool for_machines) {
  const std::string level =
      !options.log_level.empty() ? options.log_level : (for_machines ? "info" : "error");
  const std::string format = !options.log_format.empty()                  ? options.log_format
                             : for_machines && isatty(STDERR_FILENO) == 0 ? "json"
                                                                          : "text";
  log::Configure(ParseLevel(level), format == "json" ? log::Format::kJson : log::Format::kText);
}

ExitCode Dispatch(CLI::App& app, Options& options) {
  if (app.got_subcommand("version")) {
    std::cout << "whimbrel " << Version() << "\n";
    return ExitCode::kReady;
  }
  const bool controller = app.got_subcommand("controller");
  const bool runner = app.got_subcommand("runner");
  ConfigureLog(options, controller || runner);
  const bool in_cluster = runner || (controller && options.controller.manifests.empty());
  if (in_cluster) postgres::ClearLibpqEnvironment();
  const SignalStop signals;
  if (runner) return RunRunner(options.runner, signals.token(), std::cout);
  if (controller) return RunController(options.controller, signals.token(), std::cerr);
  if (app.got_subcommand("wait"))
    return RunWait(options.wait, signals.token(), std::cout, std::cerr);
  options.manifests.json = options.folder.json = options.output == "json";
  if (!options.manifests.paths.empty())
    return RunManifests(options.manifests, signals.token(), std::cout, std::cerr);
  if (options.folder.folder.empty()) {
    std::cerr << "whimbrel run: name a folder of migrations, or manifests with -f\n";
    return ExitCode::kUsage;
  }
  return RunFolder(options.folder, signals.token(), std::cout, std::cerr);
}

}  // namespace

int Main(int argc, char** argv) {
  CLI::App app("Whimbrel brings PostgreSQL databases to the version that you ask for.", "whimbrel");
  Options options;
  app.require_subcommand(1);
  app.fallthrough();
  app.add_option("--log-level", options.log_level, "debug, info, warning or error")
      ->check(CLI::IsMember({"debug", "info", "warning", "error"}));
  app.add_option("--log-format", options.log_format, "json or text")
      ->check(CLI::IsMember({"json", "text"}));
  AddControllerCommand(app, options.controller);
  AddRunCommand(app, options);
  AddRunnerCommand(app, options.runner);
  AddWaitCommand(app, options.wait);
  app.add_subcommand("version", "Print the version");
  app.set_version_flag("--version", "whimbrel " + Version());
  try {
    app.parse(argc, argv);
  } catch (const CLI::ParseError& error) {
    return app.exit(error) == 0 ? 0 : static_cast<int>(ExitCode::kUsage);
  }
  return static_cast<int>(Dispatch(app, options));
}

}  // namespace whimbrel::cli
