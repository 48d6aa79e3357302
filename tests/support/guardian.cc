#include "support/guardian.h"

#include <fcntl.h>
#include <linux/close_range.h>
#include <sys/wait.h>

#include <array>
#include <csignal>
#include <stdexcept>
#include <string>

namespace whimbrel::testing {
namespace {

constexpr const char* kScript = R"(
read -r _
kill "-$1" "$2"
tries=0
while kill -0 "$2" && [ $tries -lt 50 ]; do sleep 0.1; tries=$((tries + 1)); done
kill -9 "$2"
[ -z "$3" ] || rm -rf -- "$3"
)";

}  // namespace

Guardian::Guardian(pid_t process, int signal, const std::filesystem::path& folder_to_remove) {
  std::array<int, 2> ends{};
  if (pipe2(ends.data(), O_CLOEXEC) != 0) throw std::runtime_error("no pipe for a guardian");
  const FileDescriptor its_end(ends[0]);
  our_end_ = FileDescriptor(ends[1]);
  const std::string signal_text = std::to_string(signal);
  const std::string process_text = std::to_string(process);
  const std::string folder = folder_to_remove.string();

  guardian_ = fork();
  if (guardian_ < 0) throw std::runtime_error("cannot start a guardian");
  if (guardian_ > 0) return;
  // An own session: what interrupts the test from a terminal must not end the guardian too.
  setsid();
  const int nowhere = open("/dev/null", O_RDWR);
  dup2(its_end.get(), STDIN_FILENO);
  dup2(nowhere, STDOUT_FILENO);
  dup2(nowhere, STDERR_FILENO);
  close_range(3, ~0U, CLOSE_RANGE_CLOEXEC);
  execl("/bin/sh", "sh", "-c", kScript, "whimbrel-test-guardian", signal_text.c_str(),
        process_text.c_str(), folder.c_str(), nullptr);
  _exit(127);
}

Guardian::~Guardian() {
  kill(guardian_, SIGKILL);
  waitpid(guardian_, nullptr, 0);
}

}  // namespace whimbrel::testing
