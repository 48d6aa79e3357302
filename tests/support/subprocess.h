#pragma once

#include <sys/types.h>

#include <chrono>
#include <filesystem>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "support/eventually.h"

namespace whimbrel::testing {

struct SpawnOptions {
  std::vector<std::string> argv;  ///< argv[0] is looked up in PATH when it has no slash.
  /// Added to our environment; nullopt removes a variable.
  std::map<std::string, std::optional<std::string>> environment;
  std::filesystem::path directory;  ///< Where it starts; empty: where we are.
  std::string user;                 ///< Runs as this user; has an effect only where we are root.
  std::string input;                ///< What it reads on standard input.
  /// Takes both outputs (appended) instead of out() and err().
  std::filesystem::path output_file;
  /// What it gets when the test process dies, however that happens; and, with SIGKILL after it,
  /// when this object is destroyed while it still runs.
  int last_signal = 9;
  /// Removed when the test process dies before it could do so itself.
  std::filesystem::path folder_to_remove;
};

/// A process that a test started. It never outlives the test, not even one that is killed with
/// SIGKILL: a guardian process holds one end of a pipe and acts when the other end is gone.
/// (PR_SET_PDEATHSIG would not do: it fires when the *thread* that forked ends.) Every failure to
/// start or to wait throws std::runtime_error. Thread-safe.
class Subprocess {
 public:
  explicit Subprocess(const SpawnOptions& options);
  ~Subprocess();
  Subprocess(Subprocess&&) noexcept;
  Subprocess& operator=(Subprocess&&) = delete;

  [[nodiscard]] pid_t pid() const;
  [[nodiscard]] bool running() const;
  void Signal(int signal);

  /// Waits for its end. The exit code, or 128 + the signal that ended it, as a shell has it. Throws
  /// when the deadline passes first.
  int Wait(std::chrono::nanoseconds deadline = kDeadline);

  /// What it has written so far; complete after Wait.
  [[nodiscard]] std::string out() const;
  [[nodiscard]] std::string err() const;

  /// Waits until `condition`, given all that was written to standard output (error) so far, holds.
  /// False when the output ended or the deadline passed before.
  [[nodiscard]] bool WaitForOut(const std::function<bool(const std::string&)>& condition,
                                std::chrono::nanoseconds deadline = kDeadline);
  [[nodiscard]] bool WaitForErr(const std::function<bool(const std::string&)>& condition,
                                std::chrono::nanoseconds deadline = kDeadline);

 private:
  struct State;
  std::unique_ptr<State> state_;
};

struct ProcessResult {
  int exit_code = -1;  ///< As Subprocess::Wait has it.
  std::string out;
  std::string err;
};

/// Runs a program to its end.
[[nodiscard]] ProcessResult RunProcess(const SpawnOptions& options,
                                       std::chrono::nanoseconds deadline = kDeadline);

}  // namespace whimbrel::testing
