#pragma once

namespace whimbrel::cli {

/// The program. The exit code is one of `ExitCode` (exit_code.h).
int Main(int argc, char** argv);

}  // namespace whimbrel::cli
