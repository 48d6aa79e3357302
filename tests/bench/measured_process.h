#pragma once

#include <fcntl.h>
#include <signal.h>
#include <spawn.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <string>
#include <utility>
#include <vector>

namespace whimbrel::bench {

/// What one process took from its start to its end.
struct Cost {
  double wall_ms = 0;
  double cpu_ms = 0;    ///< User and system: what a busy machine changes least.
  double peak_mib = 0;  ///< Resident set; never below that of the benchmark itself.
};

/// Ends the benchmark: a program failed, and figures of failures mean nothing.
[[noreturn]] inline void Die(const std::string& program) {
  std::fprintf(stderr, "%s failed\n", program.c_str());
  std::exit(1);
}

/// A program that was started, its output thrown away; nothing stands between.
class Running {
 public:
  explicit Running(std::vector<std::string> arguments) : program_(arguments[0]) {
    std::vector<char*> argv;
    for (std::string& argument : arguments) argv.push_back(argument.data());
    argv.push_back(nullptr);
    posix_spawn_file_actions_t actions;
    posix_spawn_file_actions_init(&actions);
    posix_spawn_file_actions_addopen(&actions, STDOUT_FILENO, "/dev/null", O_WRONLY, 0);
    const int failed = posix_spawn(&pid_, argv[0], &actions, nullptr, argv.data(), environ);
    posix_spawn_file_actions_destroy(&actions);
    if (failed != 0) Die(program_);
  }

  [[nodiscard]] pid_t pid() const { return pid_; }
  /// It waits for Wait().
  [[nodiscard]] bool ended() const {
    siginfo_t info = {};
    return waitid(P_PID, static_cast<id_t>(pid_), &info, WEXITED | WNOHANG | WNOWAIT) != 0 ||
           info.si_pid == pid_;
  }
  /// Waits for its end, once. Ends the benchmark when the program fails.
  rusage Wait() const {
    int status = 0;
    rusage usage = {};
    wait4(pid_, &status, 0, &usage);
    if (status != 0) Die(program_);
    return usage;
  }

 private:
  const std::string program_;
  pid_t pid_ = 0;
};

/// Runs a program to its end. Ends the benchmark when the program fails.
inline Cost Measure(std::vector<std::string> arguments) {
  const auto began = std::chrono::steady_clock::now();
  const rusage usage = Running(std::move(arguments)).Wait();
  const std::chrono::duration<double, std::milli> wall = std::chrono::steady_clock::now() - began;
  const auto milliseconds = [](const timeval& time) {
    return static_cast<double>(time.tv_sec) * 1e3 + static_cast<double>(time.tv_usec) / 1e3;
  };
  return {.wall_ms = wall.count(),
          .cpu_ms = milliseconds(usage.ru_utime) + milliseconds(usage.ru_stime),
          .peak_mib = static_cast<double>(usage.ru_maxrss) / 1024};
}

}  // namespace whimbrel::bench
