#include "kube/child_process.h"

#include <fcntl.h>
#include <poll.h>
#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <csignal>
#include <system_error>

#include "whimbrel/base/clock.h"
#include "whimbrel/base/file_descriptor.h"

namespace whimbrel::kube {
namespace {

constexpr std::size_t kMaxErrors = 4096;
constexpr int kLookEvery = 50;  // ms; for a stop, and for a child whose own children go on.

std::string ErrnoText(int error) { return std::generic_category().message(error); }

// The two ends of a pipe; both are closed when the program that we start is something else.
class Pipe {
 public:
  Pipe() {
    std::array<int, 2> ends{};
    if (::pipe2(ends.data(), O_CLOEXEC) != 0) return;
    reader_ = FileDescriptor(ends[0]);
    writer_ = FileDescriptor(ends[1]);
  }

  [[nodiscard]] int reader() const { return reader_.get(); }
  [[nodiscard]] int writer() const { return writer_.get(); }
  void CloseReader() { reader_.Reset(); }
  void CloseWriter() { writer_.Reset(); }

  // Appends what there is; false: the end was reached, or `text` is full.
  bool Read(std::string* text, std::size_t limit) {
    std::array<char, 4096> buffer;
    const ssize_t size = ::read(reader(), buffer.data(), buffer.size());
    if (size < 0) return errno == EINTR || errno == EAGAIN;
    text->append(buffer.data(), static_cast<std::size_t>(size));
    return size > 0 && text->size() <= limit;
  }

 private:
  FileDescriptor reader_;
  FileDescriptor writer_;
};

std::vector<char*> Pointers(const std::vector<std::string>& texts) {
  std::vector<char*> pointers;
  pointers.reserve(texts.size() + 1);
  for (const std::string& text : texts) {
    pointers.push_back(const_cast<char*>(text.c_str()));  // posix_spawn does not write to them.
  }
  pointers.push_back(nullptr);
  return pointers;
}

// How the child begins: its descriptors, its signals, its group.
class SpawnSetup {
 public:
  SpawnSetup(const ChildOptions& options, const Pipe& output, const Pipe& errors) {
    posix_spawn_file_actions_init(&actions_);
    posix_spawnattr_init(&attributes_);
    posix_spawn_file_actions_adddup2(&actions_, output.writer(), STDOUT_FILENO);
    short flags = POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF;
    if (!options.with_terminal) {
      posix_spawn_file_actions_addopen(&actions_, STDIN_FILENO, "/dev/null", O_RDONLY, 0);
      posix_spawn_file_actions_adddup2(&actions_, errors.writer(), STDERR_FILENO);
      // A group of its own, to be killed as one; but it could not read from the terminal then.
      posix_spawnattr_setpgroup(&attributes_, 0);
      flags |= POSIX_SPAWN_SETPGROUP;
    }
    posix_spawn_file_actions_addclosefrom_np(&actions_, STDERR_FILENO + 1);
    sigset_t none;
    sigset_t all;
    sigemptyset(&none);
    sigfillset(&all);
    posix_spawnattr_setsigmask(&attributes_, &none);
    posix_spawnattr_setsigdefault(&attributes_, &all);
    posix_spawnattr_setflags(&attributes_, flags);
  }
  ~SpawnSetup() {
    posix_spawn_file_actions_destroy(&actions_);
    posix_spawnattr_destroy(&attributes_);
  }
  SpawnSetup(const SpawnSetup&) = delete;
  SpawnSetup& operator=(const SpawnSetup&) = delete;

  int Spawn(const ChildOptions& options, pid_t* pid) const {
    const std::vector<char*> argv = Pointers(options.argv);
    const std::vector<char*> environment = Pointers(options.environment);
    return ::posix_spawnp(pid, argv[0], &actions_, &attributes_, argv.data(), environment.data());
  }

 private:
  posix_spawn_file_actions_t actions_{};
  posix_spawnattr_t attributes_{};
};

// A child until it was waited for; killed if that has not happened.
class Child {
 public:
  Child(pid_t pid, bool has_group) : pid_(pid), has_group_(has_group) {}
  ~Child() {
    if (status_) return;
    ::kill(has_group_ ? -pid_ : pid_, SIGKILL);
    int status = 0;
    while (::waitpid(pid_, &status, 0) < 0 && errno == EINTR) {
    }
  }
  Child(const Child&) = delete;
  Child& operator=(const Child&) = delete;

  bool HasEnded() {
    int status = 0;
    if (!status_ && ::waitpid(pid_, &status, WNOHANG) == pid_) status_ = status;
    return status_.has_value();
  }
  [[nodiscard]] int exit_code() const {
    return WIFEXITED(*status_) ? WEXITSTATUS(*status_) : 128 + WTERMSIG(*status_);
  }

 private:
  const pid_t pid_;
  const bool has_group_;
  std::optional<int> status_;
};

// Reads until the child has ended and nothing more stands in its pipes.
Result<ChildResult> Collect(Child& child, Pipe& output, Pipe& errors, const ChildOptions& options,
                            const std::stop_token& stop) {
  const SteadyTime deadline = Clock::System().SteadyNow() + options.timeout;
  ChildResult result;
  while (true) {
    const bool ended = child.HasEnded();
    std::array<pollfd, 2> entries{pollfd{.fd = output.reader(), .events = POLLIN, .revents = 0},
                                  pollfd{.fd = errors.reader(), .events = POLLIN, .revents = 0}};
    const int ready = ::poll(entries.data(), entries.size(), ended ? 0 : kLookEvery);
    if (ended && ready <= 0) {
      result.exit_code = child.exit_code();
      return result;
    }
    if (stop.stop_requested()) return Fail(ErrorKind::kCancelled, "it was stopped");
    if (Clock::System().SteadyNow() >= deadline) {
      return Fail(ErrorKind::kDeadlineExceeded, "it took too long");
    }
    if (entries[0].revents != 0 && !output.Read(&result.output, options.max_output)) {
      output.CloseReader();
    }
    if (entries[1].revents != 0 && !errors.Read(&result.errors, kMaxErrors)) errors.CloseReader();
    if (result.output.size() > options.max_output) {
      return Fail(ErrorKind::kInvalidArgument, "it wrote too much");
    }
  }
}

}  // namespace

Result<ChildResult> RunChild(const ChildOptions& options, std::stop_token stop) {
  Pipe output;
  Pipe errors;
  if (output.reader() < 0 || errors.reader() < 0) {
    return Fail(ErrorKind::kUnavailable, "there are no descriptors left");
  }
  pid_t pid = 0;
  const int error = SpawnSetup(options, output, errors).Spawn(options, &pid);
  if (error != 0) {
    return Fail(error == ENOENT ? ErrorKind::kNotFound : ErrorKind::kUnavailable,
                "it cannot be started: " + ErrnoText(error));
  }
  Child child(pid, !options.with_terminal);
  output.CloseWriter();
  errors.CloseWriter();
  return Collect(child, output, errors, options, stop);
}

}  // namespace whimbrel::kube
