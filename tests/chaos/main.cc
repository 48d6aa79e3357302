// The first promise, tested by killing: random runs, and every boundary of the protocol in turn.

#include <CLI/CLI.hpp>
#include <exception>
#include <iostream>

#include "chaos/canaries.h"
#include "chaos/points.h"
#include "chaos/random_runs.h"

namespace whimbrel::chaos {
namespace {

void AddRandomRuns(CLI::App& app, RandomRunOptions& options) {
  CLI::App* command = app.add_subcommand("random", "Random migrations, random deaths");
  command->add_option("--runs", options.runs, "How many")->check(CLI::PositiveNumber);
  command->add_option("--seed", options.seed, "Of the first run; the next has the next");
  command->add_option("--workers", options.workers, "Servers, each with one run at a time")
      ->check(CLI::Range(1, 64));
  command->add_flag("!--no-mixed", options.kinds.mixed, "No files of mixed statements");
  command->add_flag("!--no-self-managed", options.kinds.self_managed,
                    "No files with BEGIN and COMMIT of their own");
  command->add_flag("!--no-each-alone", options.kinds.each_alone,
                    "No files that want no transaction");
  command->add_flag("--verbose", options.verbose, "Show files and faults of each run");
  command->add_flag("--stop-at-finding", options.stop_at_finding);
}

void AddPoints(CLI::App& app, PointOptions& options) {
  CLI::App* command = app.add_subcommand("points", "Every boundary of the protocol in turn");
  command->add_option("--stride", options.stride, "Take every n-th")->check(CLI::PositiveNumber);
  command->add_option("--scenario", options.scenario, "Only this one");
  command->add_option("--way", options.way, "Only ways to die whose names contain this");
  command->add_option("--workers", options.workers, "Servers, each with one run at a time")
      ->check(CLI::Range(1, 64));
  command->add_flag("--stop-at-finding", options.stop_at_finding);
}

int Main(int argc, char** argv) {
  CLI::App app("Kills whimbrel, its server and its network, and looks what is left", "chaos");
  std::string binary = WHIMBREL_BINARY;
  RandomRunOptions random;
  PointOptions points;
  app.require_subcommand(1);
  app.fallthrough();
  app.add_option("--whimbrel", binary, "The binary to test")->capture_default_str();
  AddRandomRuns(app, random);
  AddPoints(app, points);
  int canary_workers = 8;
  app.add_subcommand("canaries", "Broken protocols, each of which has to be found out")
      ->add_option("--workers", canary_workers, "Servers, each with one run at a time")
      ->check(CLI::Range(1, 64));
  CLI11_PARSE(app, argc, argv);
  random.binary = points.binary = binary;
  if (app.got_subcommand("canaries"))
    return RunCanaries(WHIMBREL_BROKEN_FOLDER, canary_workers) == 0 ? 0 : 1;
  if (app.got_subcommand("points")) return RunPoints(points).failed == 0 ? 0 : 1;
  return RunRandomly(random) == 0 ? 0 : 1;
}

}  // namespace
}  // namespace whimbrel::chaos

int main(int argc, char** argv) {
  try {
    return whimbrel::chaos::Main(argc, argv);
  } catch (const std::exception& error) {
    std::cerr << "chaos: " << error.what() << "\n";
    return 2;
  }
}
