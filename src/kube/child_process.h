#pragma once

#include <chrono>
#include <cstddef>
#include <stop_token>
#include <string>
#include <vector>

#include "whimbrel/base/error.h"

namespace whimbrel::kube {

struct ChildOptions {
  std::vector<std::string> argv;         ///< argv[0] without a slash is looked up in $PATH.
  std::vector<std::string> environment;  ///< `NAME=value`; all of it.
  bool with_terminal = false;  ///< Standard input and error are ours; else neither is there.
  std::size_t max_output = std::size_t{1} << 20;
  std::chrono::milliseconds timeout{60'000};
};

struct ChildResult {
  int exit_code = 0;   ///< 128 and the signal's number when one ended it.
  std::string output;  ///< What it wrote to standard output.
  std::string errors;  ///< The beginning of its standard error.
};

/// Runs a program to its end: posix_spawn, no shell, none of our descriptors and no blocked
/// signals. It is killed, with the processes of its group, when it writes too much, takes too long
/// (kDeadlineExceeded) or a stop is requested (kCancelled). kNotFound: there is no such program.
[[nodiscard]] Result<ChildResult> RunChild(const ChildOptions& options, std::stop_token stop);

}  // namespace whimbrel::kube
