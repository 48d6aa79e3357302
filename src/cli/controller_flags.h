#pragma once

#include "cli/controller_command.h"

namespace CLI {
class App;
}

namespace whimbrel::cli {

/// The subcommand `controller`, whose flags set `options`.
void AddControllerCommand(CLI::App& app, ControllerCommandOptions& options);

}  // namespace whimbrel::cli
