#pragma once

#include <iosfwd>
#include <stop_token>

#include "cli/wait_database.h"
#include "cli/wait_resource.h"
#include "whimbrel/cli/exit_code.h"

namespace CLI {
class App;
}

namespace whimbrel::cli {

/// Options of `whimbrel wait`, as given.
struct WaitOptions {
  bool for_database = false;
  WaitDatabaseOptions database;
  WaitResourceOptions resource;
  int timeout_seconds = 600;
};

void AddWaitCommand(CLI::App& app, WaitOptions& options);

/// The gate before an application: waits until a database, or a resource, is where the application
/// needs it. It changes nothing.
[[nodiscard]] ExitCode RunWait(const WaitOptions& options, const std::stop_token& stop,
                               std::ostream& out, std::ostream& err);

}  // namespace whimbrel::cli
