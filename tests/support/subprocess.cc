#include "support/subprocess.h"

#include <fcntl.h>
#include <grp.h>
#include <linux/close_range.h>
#include <poll.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <condition_variable>
#include <csignal>
#include <cstring>
#include <mutex>
#include <stdexcept>
#include <thread>
#include <utility>

#include "support/guardian.h"
#include "support/user_account.h"
#include "whimbrel/base/file_descriptor.h"

namespace whimbrel::testing {
namespace {

[[noreturn]] void Throw(const std::string& what) {
  throw std::runtime_error(what + ": " + std::strerror(errno));
}

struct Pipe {
  Pipe() {
    std::array<int, 2> ends{};
    if (pipe2(ends.data(), O_CLOEXEC) != 0) Throw("cannot make a pipe");
    read = FileDescriptor(ends[0]);
    write = FileDescriptor(ends[1]);
  }
  FileDescriptor read;
  FileDescriptor write;
};

// A file in memory: unlike a pipe it needs nobody to write it, and nobody to see SIGPIPE.
FileDescriptor InputOf(const std::string& text) {
  FileDescriptor file(memfd_create("input", MFD_CLOEXEC));
  if (!file || write(file.get(), text.data(), text.size()) != std::ssize(text) ||
      lseek(file.get(), 0, SEEK_SET) != 0) {
    Throw("cannot prepare standard input");
  }
  return file;
}

std::vector<std::string> EnvironmentOf(const SpawnOptions& options) {
  std::vector<std::string> result;
  for (char** entry = environ; *entry != nullptr; ++entry) {
    const std::string text = *entry;
    if (!options.environment.contains(text.substr(0, text.find('=')))) result.push_back(text);
  }
  for (const auto& [name, value] : options.environment) {
    if (value) result.push_back(name + "=" + *value);
  }
  return result;
}

std::vector<char*> PointersTo(std::vector<std::string>& texts) {
  std::vector<char*> result;
  result.reserve(texts.size() + 1);
  for (auto& text : texts) result.push_back(text.data());
  result.push_back(nullptr);
  return result;
}

// Everything that the new process needs between fork and exec, where it may not allocate.
struct Prepared {
  explicit Prepared(const SpawnOptions& options)
      : argv(options.argv), environment(EnvironmentOf(options)), directory(options.directory) {
    argv_pointers = PointersTo(argv);
    environment_pointers = PointersTo(environment);
    if (options.user.empty() || geteuid() != 0) return;
    user = FindUser(options.user);
  }
  std::vector<std::string> argv;
  std::vector<std::string> environment;
  std::vector<char*> argv_pointers;
  std::vector<char*> environment_pointers;
  std::string directory;
  std::optional<UserAccount> user;
};

[[noreturn]] void Become(const Prepared& prepared, int in, int out, int err, int failure) {
  const bool ready =
      setsid() >= 0 && dup2(in, STDIN_FILENO) >= 0 && dup2(out, STDOUT_FILENO) >= 0 &&
      dup2(err, STDERR_FILENO) >= 0 && close_range(3, ~0U, CLOSE_RANGE_CLOEXEC) == 0 &&
      (prepared.directory.empty() || chdir(prepared.directory.c_str()) == 0) &&
      (!prepared.user || (setgroups(1, &prepared.user->gid) == 0 &&
                          setgid(prepared.user->gid) == 0 && setuid(prepared.user->uid) == 0));
  if (ready) {
    execvpe(prepared.argv_pointers[0], prepared.argv_pointers.data(),
            prepared.environment_pointers.data());
  }
  const int reason = errno;
  [[maybe_unused]] const auto written = write(failure, &reason, sizeof reason);
  _exit(127);
}

}  // namespace

struct Subprocess::State {
  explicit State(const SpawnOptions& options);
  ~State();

  void Collect(int out, int err, int stop);
  bool Reap(int flags);
  [[nodiscard]] bool PollEnd(std::chrono::nanoseconds deadline) const;
  [[nodiscard]] bool WaitForText(const std::string& text,
                                 const std::function<bool(const std::string&)>& condition,
                                 std::chrono::nanoseconds deadline);

  std::string name;
  int last_signal;
  pid_t pid = -1;
  FileDescriptor pid_fd;
  std::optional<Guardian> guardian;
  FileDescriptor out_end;
  FileDescriptor err_end;
  Pipe stop_reading;

  mutable std::mutex mutex;
  std::condition_variable changed;
  std::optional<int> exit_code;
  std::string out;
  std::string err;
  bool ended = false;  // No more output will come.

  std::jthread reader;  // Last: it ends before what it uses goes.
};

Subprocess::State::State(const SpawnOptions& options)
    : name(options.argv.at(0)), last_signal(options.last_signal) {
  const Prepared prepared(options);
  const FileDescriptor input = InputOf(options.input);
  Pipe failure;
  Pipe out_pipe;
  Pipe err_pipe;
  const bool captured = options.output_file.empty();
  if (!captured) {
    out_pipe.write = FileDescriptor(
        open(options.output_file.c_str(), O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0644));
    if (!out_pipe.write) Throw("cannot write " + options.output_file.string());
    err_pipe.write = FileDescriptor(fcntl(out_pipe.write.get(), F_DUPFD_CLOEXEC, 0));
  }
  pid = fork();
  if (pid < 0) Throw("cannot fork");
  if (pid == 0) {
    Become(prepared, input.get(), out_pipe.write.get(), err_pipe.write.get(), failure.write.get());
  }
  // glibc 2.36 declares pidfd_open without extern "C": only the system call can be had from C++.
  pid_fd = FileDescriptor(static_cast<int>(syscall(SYS_pidfd_open, pid, 0)));
  guardian.emplace(pid, last_signal, options.folder_to_remove);
  failure.write.Reset();
  out_pipe.write.Reset();
  err_pipe.write.Reset();
  int reason = 0;
  if (read(failure.read.get(), &reason, sizeof reason) == sizeof reason) {
    waitpid(pid, nullptr, 0);
    errno = reason;
    Throw("cannot start " + name);
  }
  ended = !captured;
  if (!captured) return;
  out_end = std::move(out_pipe.read);
  err_end = std::move(err_pipe.read);
  reader = std::jthread([this] { Collect(out_end.get(), err_end.get(), stop_reading.read.get()); });
}

Subprocess::State::~State() {
  if (!Reap(WNOHANG)) {
    kill(pid, last_signal);
    if (!PollEnd(std::chrono::seconds(10))) kill(pid, SIGKILL);
    Reap(0);
  }
  stop_reading.write.Reset();
}

void Subprocess::State::Collect(int out_fd, int err_fd, int stop_fd) {
  std::array<pollfd, 3> fds{{{out_fd, POLLIN, 0}, {err_fd, POLLIN, 0}, {stop_fd, POLLIN, 0}}};
  std::array<std::string*, 2> texts{&out, &err};
  std::array<char, 65536> buffer{};
  while ((fds[0].fd >= 0 || fds[1].fd >= 0) && fds[2].revents == 0) {
    if (poll(fds.data(), fds.size(), -1) < 0) continue;
    for (std::size_t i = 0; i < texts.size(); ++i) {
      if (fds.at(i).fd < 0 || fds.at(i).revents == 0) continue;
      const ssize_t count = read(fds.at(i).fd, buffer.data(), buffer.size());
      const std::lock_guard lock(mutex);
      if (count > 0) {
        texts.at(i)->append(buffer.data(), static_cast<std::size_t>(count));
      } else {
        fds.at(i).fd = -1;
      }
      changed.notify_all();
    }
  }
  const std::lock_guard lock(mutex);
  ended = true;
  changed.notify_all();
}

// True when the process has ended and its exit code is known.
bool Subprocess::State::Reap(int flags) {
  const std::lock_guard lock(mutex);
  if (exit_code) return true;
  int status = 0;
  if (waitpid(pid, &status, flags) != pid) return false;
  exit_code = WIFSIGNALED(status) ? 128 + WTERMSIG(status) : WEXITSTATUS(status);
  guardian.reset();
  return true;
}

bool Subprocess::State::PollEnd(std::chrono::nanoseconds deadline) const {
  pollfd fd{pid_fd.get(), POLLIN, 0};
  const auto end = std::chrono::steady_clock::now() + deadline;
  while (true) {
    const auto left =
        std::chrono::ceil<std::chrono::milliseconds>(end - std::chrono::steady_clock::now());
    const int ready = poll(&fd, 1, static_cast<int>(std::max<std::int64_t>(left.count(), 0)));
    if (ready >= 0) return ready > 0;
    if (errno != EINTR) Throw("cannot wait for " + name);
  }
}

bool Subprocess::State::WaitForText(const std::string& text,
                                    const std::function<bool(const std::string&)>& condition,
                                    std::chrono::nanoseconds deadline) {
  std::unique_lock lock(mutex);
  bool holds = false;
  changed.wait_for(lock, deadline, [&] {
    holds = condition(text);
    return holds || ended;
  });
  return holds;
}

Subprocess::Subprocess(const SpawnOptions& options) : state_(std::make_unique<State>(options)) {}
Subprocess::~Subprocess() = default;
Subprocess::Subprocess(Subprocess&&) noexcept = default;

pid_t Subprocess::pid() const { return state_->pid; }

bool Subprocess::running() const { return !state_->Reap(WNOHANG); }

void Subprocess::Signal(int signal) {
  const std::lock_guard lock(state_->mutex);
  // Once reaped, the number may belong to somebody else.
  if (!state_->exit_code) kill(state_->pid, signal);
}

int Subprocess::Wait(std::chrono::nanoseconds deadline) {
  if (!state_->PollEnd(deadline)) {
    throw std::runtime_error(state_->name + " did not end in time; it wrote:\n" + out() + err());
  }
  state_->Reap(0);
  std::unique_lock lock(state_->mutex);
  if (!state_->changed.wait_for(lock, deadline, [&] { return state_->ended; })) {
    throw std::runtime_error(state_->name + " ended, but something still holds its output open");
  }
  return *state_->exit_code;
}

std::string Subprocess::out() const {
  const std::lock_guard lock(state_->mutex);
  return state_->out;
}

std::string Subprocess::err() const {
  const std::lock_guard lock(state_->mutex);
  return state_->err;
}

bool Subprocess::WaitForOut(const std::function<bool(const std::string&)>& condition,
                            std::chrono::nanoseconds deadline) {
  return state_->WaitForText(state_->out, condition, deadline);
}

bool Subprocess::WaitForErr(const std::function<bool(const std::string&)>& condition,
                            std::chrono::nanoseconds deadline) {
  return state_->WaitForText(state_->err, condition, deadline);
}

ProcessResult RunProcess(const SpawnOptions& options, std::chrono::nanoseconds deadline) {
  Subprocess process(options);
  ProcessResult result;
  result.exit_code = process.Wait(deadline);
  result.out = process.out();
  result.err = process.err();
  return result;
}

}  // namespace whimbrel::testing
