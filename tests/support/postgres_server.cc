#include "support/postgres_server.h"

#include <libpq-fe.h>
#include <signal.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <charconv>
#include <cstdlib>
#include <optional>
#include <stdexcept>
#include <utility>

#include "support/eventually.h"
#include "support/free_port.h"
#include "support/subprocess.h"
#include "support/temp_dir.h"
#include "support/user_account.h"

namespace whimbrel::testing {
namespace {

namespace fs = std::filesystem;

// Told apart easily, so that a test can look for it where it must not be.
constexpr const char* kPassword = "tell-nobody-42";
constexpr const char* kServerUser = "postgres";

fs::path BinFolder() {
  if (const char* folder = std::getenv("WHIMBREL_PG_BIN")) return folder;
  int newest = 0;
  std::error_code none;
  for (const auto& entry : fs::directory_iterator("/usr/lib/postgresql", none)) {
    const std::string name = entry.path().filename();
    int major = 0;
    std::from_chars(name.data(), name.data() + name.size(), major);
    if (fs::exists(entry.path() / "bin/postgres")) newest = std::max(newest, major);
  }
  if (newest == 0) {
    throw std::runtime_error(
        "no PostgreSQL server under /usr/lib/postgresql: run scripts/install-packages.sh test, or "
        "set WHIMBREL_PG_BIN to a folder with initdb and postgres");
  }
  return fs::path("/usr/lib/postgresql") / std::to_string(newest) / "bin";
}

// The server refuses to run as root, and has to own its folder.
void GiveToServerUser(const fs::path& path) {
  if (geteuid() != 0) return;
  const UserAccount user = FindUser(kServerUser);
  if (chown(path.c_str(), user.uid, user.gid) != 0) {
    throw std::runtime_error("cannot chown " + path.string());
  }
}

struct ProcessStatus {
  pid_t parent = 0;
  char state = 'Z';
};

// From /proc/<pid>/stat: `pid (name) state ppid …`; a process that is gone counts as a zombie.
ProcessStatus StatusOf(pid_t pid) {
  const std::string stat = ReadFile("/proc/" + std::to_string(pid) + "/stat");
  const auto name_end = stat.rfind(") ");
  ProcessStatus result;
  if (name_end == std::string::npos) return result;
  result.state = stat[name_end + 2];
  const char* parent = stat.data() + name_end + 4;
  std::from_chars(parent, stat.data() + stat.size(), result.parent);
  return result;
}

std::vector<pid_t> ChildrenOf(pid_t parent) {
  std::vector<pid_t> result;
  for (const auto& entry : fs::directory_iterator("/proc")) {
    const std::string name = entry.path().filename();
    pid_t pid = 0;
    const auto [end, error] = std::from_chars(name.data(), name.data() + name.size(), pid);
    const bool process = error == std::errc() && end == name.data() + name.size();
    if (process && StatusOf(pid).parent == parent) result.push_back(pid);
  }
  return result;
}

}  // namespace

struct PostgresServer::State {
  explicit State(PostgresOptions given);

  void InitDb();
  [[nodiscard]] SpawnOptions Command() const;
  [[nodiscard]] bool Answers() const;

  const PostgresOptions options;
  const fs::path bin = BinFolder();
  const TempDir folder{"whimbrel-pg"};
  const FreePort port;
  PgTarget target;
  std::atomic<int> databases = 0;
  std::optional<Subprocess> server;
};

PostgresServer::State::State(PostgresOptions given) : options(std::move(given)) {
  target = {
      .port = port.number(), .user = kServerUser, .password = kPassword, .dbname = "postgres"};
  InitDb();
}

void PostgresServer::State::InitDb() {
  const fs::path password_file = folder.Write("password", kPassword);
  GiveToServerUser(folder.path());
  GiveToServerUser(password_file);
  const auto result =
      RunProcess({.argv = {bin / "initdb", "--no-sync", "--pgdata", folder / "data", "--username",
                           target.user, "--pwfile", password_file, "--auth", "scram-sha-256",
                           "--encoding", "UTF8", "--locale", "C.UTF-8"},
                  .directory = folder.path(),
                  .user = kServerUser,
                  .folder_to_remove = folder.path()});
  if (result.exit_code != 0) throw std::runtime_error("initdb failed:\n" + result.out + result.err);
}

SpawnOptions PostgresServer::State::Command() const {
  std::vector<std::string> argv{bin / "postgres", "-D", folder / "data"};
  std::vector<std::string> settings{"port=" + std::to_string(port.number()),
                                    "listen_addresses=127.0.0.1",
                                    "unix_socket_directories=" + folder.path().string(),
                                    "max_connections=100",
                                    "shared_buffers=32MB",
                                    "fsync=off",
                                    "full_page_writes=off",
                                    "logging_collector=off",
                                    "log_line_prefix=%m [%p] %q%u@%d %a ",
                                    "timezone=UTC",
                                    "log_timezone=UTC"};
  settings.insert(settings.end(), options.settings.begin(), options.settings.end());
  for (const auto& setting : settings) {
    argv.emplace_back("-c");
    argv.push_back(setting);
  }
  // SIGQUIT: the postmaster takes its backends along, where SIGKILL would leave busy ones behind.
  return {.argv = std::move(argv),
          .directory = folder.path(),
          .user = kServerUser,
          .output_file = folder / "server.log",
          .last_signal = SIGQUIT,
          .folder_to_remove = folder.path()};
}

bool PostgresServer::State::Answers() const {
  return PQping(target.KeywordValue().c_str()) == PQPING_OK;
}

PostgresServer::PostgresServer(PostgresOptions options)
    : state_(std::make_unique<State>(std::move(options))) {
  Start();
}

PostgresServer::~PostgresServer() = default;

const PgTarget& PostgresServer::target() const { return state_->target; }

const fs::path& PostgresServer::socket_folder() const { return state_->folder.path(); }

std::string PostgresServer::Log() const { return ReadFile(state_->folder / "server.log"); }

PgTarget PostgresServer::CreateDatabase() {
  const PgTarget result =
      state_->target.WithDatabase("test_" + std::to_string(++state_->databases));
  PgClient(state_->target).Exec("CREATE DATABASE " + result.dbname);
  return result;
}

void PostgresServer::Stop() {
  if (!state_->server) return;
  state_->server->Signal(SIGINT);
  state_->server->Wait();
  state_->server.reset();
}

void PostgresServer::Kill9() {
  if (!state_->server) return;
  const pid_t postmaster = state_->server->pid();
  // Stopped first, so that it cannot fork one more while we look.
  state_->server->Signal(SIGSTOP);
  const auto backends = ChildrenOf(postmaster);
  state_->server->Signal(SIGKILL);
  for (const pid_t backend : backends) kill(backend, SIGKILL);
  state_->server->Wait();
  state_->server.reset();
  // While one of them holds the shared memory, no new server starts.
  const auto gone = Eventually([&] {
    return std::all_of(backends.begin(), backends.end(),
                       [](pid_t pid) { return StatusOf(pid).state == 'Z'; });
  });
  if (!gone) throw std::runtime_error("a backend survived SIGKILL");
}

void PostgresServer::Start() {
  if (state_->server) throw std::runtime_error("the PostgreSQL server is running already");
  state_->server.emplace(state_->Command());
  const auto up = Eventually([&] { return state_->Answers() || !state_->server->running(); });
  if (!up || !state_->server->running()) {
    state_->server.reset();
    throw std::runtime_error("PostgreSQL did not start; its log:\n" + Log());
  }
}

PostgresServer& SharedPostgres() {
  static PostgresServer server;
  return server;
}

}  // namespace whimbrel::testing
