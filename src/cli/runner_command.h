#pragma once

#include <iosfwd>
#include <stop_token>
#include <string>

#include "whimbrel/cli/exit_code.h"
#include "whimbrel/report/runner_task.h"

namespace whimbrel::cli {

/// Options of `whimbrel runner`. In a pod there are none; tests have other places.
struct RunnerCommandOptions {
  std::string root{report::RunnerFiles::kRoot};
  /// The default terminationMessagePath of a container.
  std::string termination_log = "/dev/termination-log";
};

/// Carries out the one run that the mounted task describes (docs/runner.md): progress and the whole
/// report as lines of JSON to `out`, the report in short as the termination message. Nothing is
/// thrown, nothing else is written. kUsage: there is no task, or none that this version can read.
ExitCode RunRunner(const RunnerCommandOptions& options, std::stop_token stop, std::ostream& out);

}  // namespace whimbrel::cli
