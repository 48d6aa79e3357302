// Whole-process times of `whimbrel run DIR`, as design §7 measures them: medians of interleaved
// pairs in one run, beside the psql binary, which runs one generated file with exactly the
// statements that Whimbrel sends for the migrations (read back from the server's log). What remains
// is our overhead.

#include <fcntl.h>
#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <functional>
#include <string>
#include <vector>

#include "support/postgres_server.h"
#include "support/temp_dir.h"

namespace {

using whimbrel::testing::PgClient;
using whimbrel::testing::PgTarget;
using whimbrel::testing::PostgresServer;
using whimbrel::testing::TempDir;

constexpr int kMigrations = 1000;
constexpr int kPairs = 7;

double Milliseconds(const std::function<void()>& work) {
  const auto began = std::chrono::steady_clock::now();
  work();
  return std::chrono::duration<double, std::milli>(std::chrono::steady_clock::now() - began)
      .count();
}

double Median(std::vector<double> values) {
  std::sort(values.begin(), values.end());
  return values[values.size() / 2];
}

void WriteFiles(const TempDir& folder, const std::function<std::string(int)>& sql) {
  for (int i = 1; i <= kMigrations; ++i) {
    char name[32];
    std::snprintf(name, sizeof name, "%04d_step.sql", i);
    folder.Write(name, sql(i));
  }
}

/// Runs a program to its end, its output thrown away. Nothing stands between: what is timed is the
/// process.
void MustRun(std::vector<std::string> arguments) {
  std::vector<char*> argv;
  for (std::string& argument : arguments) argv.push_back(argument.data());
  argv.push_back(nullptr);
  posix_spawn_file_actions_t actions;
  posix_spawn_file_actions_init(&actions);
  posix_spawn_file_actions_addopen(&actions, STDOUT_FILENO, "/dev/null", O_WRONLY, 0);
  pid_t pid = 0;
  int status = posix_spawn(&pid, argv[0], &actions, nullptr, argv.data(), environ);
  posix_spawn_file_actions_destroy(&actions);
  if (status == 0) waitpid(pid, &status, 0);
  if (status == 0) return;
  std::fprintf(stderr, "%s failed\n", argv[0]);
  std::exit(1);
}

void Whimbrel(const TempDir& files, const PgTarget& target) {
  static const TempDir kUrls;
  MustRun({WHIMBREL_BINARY, "run", files.path().string(), "--url-file",
           kUrls.Write(target.dbname, target.Uri()).string()});
}

void Psql(const std::filesystem::path& file, const PgTarget& target) {
  const char* bin = std::getenv("WHIMBREL_PG_BIN");
  // Debian's /usr/bin/psql is a Perl wrapper that costs 20 ms a start: the binary itself is the
  // baseline.
  MustRun({std::string(bin != nullptr ? bin : "/usr/lib/postgresql/15/bin") + "/psql", "-X", "-q",
           "-o", "/dev/null", "-v", "ON_ERROR_STOP=1", "-f", file.string(), target.Uri()});
}

/// The statements of the server's log, from the first claim on, one after the other.
std::string StatementsFromLog(const std::string& log) {
  static const std::string kMark = "LOG:  statement: ";
  std::string out;
  bool on = false;
  bool taking = false;
  std::size_t at = 0;
  while (at < log.size()) {
    const std::size_t end = std::min(log.find('\n', at), log.size());
    const std::string line = log.substr(at, end - at);
    at = end + 1;
    const std::size_t mark = line.find(kMark);
    if (mark != std::string::npos) {
      const std::string statement = line.substr(mark + kMark.size());
      on = on ||
           (statement.starts_with("BEGIN") && statement.find("lock_timeout") != std::string::npos);
      if (taking) out += ";\n";
      taking = on;
      if (taking) out += statement;
    } else if (taking && line.starts_with("\t")) {
      out += "\n" + line.substr(1);
    } else if (taking) {
      out += ";\n";
      taking = false;
    }
  }
  return out + (taking ? ";\n" : "");
}

/// Whimbrel's tables, empty, so that psql finds what its first run would make.
void PrepareForPsql(PostgresServer&, const PgTarget& target) {
  TempDir none;
  none.Write("0000_nothing.sql", "-- nothing\n");
  Whimbrel(none, target);
  PgClient(target).Exec("DELETE FROM whimbrel.whimbrel_migration");
}

void ApplyBench(PostgresServer& server, const char* name,
                const std::function<std::string(int)>& sql) {
  TempDir files;
  WriteFiles(files, sql);
  const PgTarget logged = server.CreateDatabase();
  PgClient(logged).Exec("ALTER DATABASE " + logged.dbname + " SET log_statement = 'all'");
  const std::size_t before = server.Log().size();
  Whimbrel(files, logged);
  TempDir script;
  const auto file = script.Write("same.sql", StatementsFromLog(server.Log().substr(before)));

  std::vector<double> ours, theirs, ratios;
  for (int i = 0; i < kPairs; ++i) {
    const PgTarget a = server.CreateDatabase();
    const PgTarget b = server.CreateDatabase();
    PrepareForPsql(server, a);
    PrepareForPsql(server, b);
    ours.push_back(Milliseconds([&] { Whimbrel(files, a); }));
    theirs.push_back(Milliseconds([&] { Psql(file, b); }));
    ratios.push_back(ours.back() / theirs.back());
    const std::string count = "SELECT count(*) FROM whimbrel.whimbrel_migration";
    if (PgClient(a).Scalar(count) != PgClient(b).Scalar(count)) {
      std::fprintf(stderr, "psql did not do the same work\n");
      std::exit(1);
    }
  }
  std::printf(
      "apply %d migrations (%s): whimbrel %.0f ms, psql with the same statements %.0f ms, ratio "
      "%.2f\n",
      kMigrations, name, Median(ours), Median(theirs), Median(ratios));
}

void NothingToDoBench(PostgresServer& server) {
  TempDir files;
  WriteFiles(files, [](int i) { return "INSERT INTO log VALUES (" + std::to_string(i) + ");\n"; });
  const PgTarget target = server.CreateDatabase();
  PgClient(target).Exec("CREATE TABLE log (n int)");
  Whimbrel(files, target);
  TempDir script;
  const auto select = script.Write("select.sql", "SELECT 1;\n");
  std::vector<double> ours, theirs;
  for (int i = 0; i < kPairs * 3; ++i) {
    ours.push_back(Milliseconds([&] { Whimbrel(files, target); }));
    theirs.push_back(Milliseconds([&] { Psql(select, target); }));
  }
  std::printf(
      "nothing to do, %d applied, every sum verified: whimbrel %.1f ms, psql with SELECT 1 %.1f "
      "ms, ratio %.2f\n",
      kMigrations, Median(ours), Median(theirs), Median(ours) / Median(theirs));
}

}  // namespace

int main() {
  // Logins without a password, as the peers were measured: SCRAM costs both sides the same
  // milliseconds.
  const TempDir hba;
  const auto file = hba.Write("pg_hba.conf", "host all all 127.0.0.1/32 trust\n");
  std::filesystem::permissions(hba.path(), std::filesystem::perms(0755));
  std::filesystem::permissions(file, std::filesystem::perms(0644));
  PostgresServer server(
      {.settings = {"max_connections=50", "shared_buffers=256MB", "hba_file=" + file.string()}});
  NothingToDoBench(server);
  ApplyBench(server, "one INSERT each", [](int i) {
    return i == 1 ? std::string("CREATE TABLE log (n int);\nINSERT INTO log VALUES (1);\n")
                  : "INSERT INTO log VALUES (" + std::to_string(i) + ");\n";
  });
  ApplyBench(server, "CREATE TABLE + index", [](int i) {
    const std::string n = std::to_string(i);
    return "CREATE TABLE t" + n + " (id bigint PRIMARY KEY, name text);\nCREATE INDEX t" + n +
           "_name ON t" + n + " (name);\n";
  });
  return 0;
}
