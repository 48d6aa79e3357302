// Cold start of `whimbrel runner` in a pod's mounts: from the start of the process to the first
// statement of the first file, and the memory of the process while that file runs (design §7).
// Beside psql, which sends the same statement and nothing before it. Medians of interleaved pairs;
// on a busy machine the ratio holds, the milliseconds do not.

#include <algorithm>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <string>
#include <thread>
#include <vector>

#include "bench/measured_process.h"
#include "bench/runner_pod.h"
#include "support/postgres_server.h"
#include "support/temp_dir.h"

namespace {

using whimbrel::bench::RunnerPod;
using whimbrel::testing::PgClient;
using whimbrel::testing::PgTarget;
using whimbrel::testing::PostgresServer;
using whimbrel::testing::TempDir;

constexpr int kPairs = 21;
/// Noted by the server's clock, which is this machine's; then time to look at the process.
constexpr const char* kFirst = "INSERT INTO first VALUES (clock_timestamp());\n";
constexpr const char* kSleep = "SELECT pg_sleep(0.2);\n";

struct Start {
  double first_ms = 0;  ///< To the first statement.
  double anon_mib = 0;
  double rss_mib = 0;
};

double FromStatus(const std::string& status, const std::string& field) {
  const std::size_t at = status.find(field + ":");
  return at == std::string::npos ? 0 : std::atof(status.c_str() + at + field.size() + 1) / 1024;
}

/// Looks at the process while its first file sleeps in `target`.
Start Look(const std::vector<std::string>& arguments, const PgTarget& target) {
  PgClient sql(target);
  const auto began = std::chrono::system_clock::now();
  const whimbrel::bench::Running process(arguments);
  do {
    if (process.ended()) whimbrel::bench::Die(arguments[0]);
    // Asking all the time would take a core from what is measured.
    std::this_thread::sleep_for(std::chrono::milliseconds(10));
  } while (
      sql.Scalar("SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND "
                 "state = 'active' AND query LIKE 'SELECT pg_sleep%'") != "1");
  const std::string status =
      whimbrel::testing::ReadFile("/proc/" + std::to_string(process.pid()) + "/status");
  process.Wait();
  const std::chrono::duration<double> since_epoch = began.time_since_epoch();
  const double first = std::stod(sql.Scalar("SELECT extract(epoch FROM min(at)) FROM first"));
  return {.first_ms = (first - since_epoch.count()) * 1e3,
          .anon_mib = FromStatus(status, "RssAnon"),
          .rss_mib = FromStatus(status, "VmRSS")};
}

PgTarget NewDatabase(PostgresServer& server) {
  PgTarget target = server.CreateDatabase();
  PgClient(target).Exec("CREATE TABLE first (at timestamptz)");
  return target;
}

Start LookAtPod(const std::string& sql, const PgTarget& target) {
  return Look(RunnerPod::WithFile(sql, target).Command(), target);
}

/// The first run of all on a database makes Whimbrel's tables before its first statement.
Start RunnerOnAFreshDatabase(PostgresServer& server) {
  return LookAtPod(std::string(kFirst) + kSleep, NewDatabase(server));
}

Start Runner(PostgresServer& server) {
  const PgTarget target = NewDatabase(server);
  whimbrel::bench::Measure(RunnerPod::WithFile("-- nothing\n", target).Command());
  PgClient(target).Exec("DELETE FROM whimbrel.whimbrel_migration");
  return LookAtPod(std::string(kFirst) + kSleep, target);
}

Start Psql(PostgresServer& server) {
  const PgTarget target = NewDatabase(server);
  const char* bin = std::getenv("WHIMBREL_PG_BIN");
  const std::string psql =
      std::string(bin != nullptr ? bin : "/usr/lib/postgresql/15/bin") + "/psql";
  return Look({psql, "-X", "-q", "-o", "/dev/null", "-c", kFirst, "-c", kSleep, target.Uri()},
              target);
}

double Median(const std::vector<Start>& starts, double Start::*figure) {
  std::vector<double> values;
  for (const Start& start : starts) values.push_back(start.*figure);
  std::sort(values.begin(), values.end());
  return values[values.size() / 2];
}

void Print(const char* name, const std::vector<Start>& ours, const std::vector<Start>& psqls,
           double Start::*figure, const char* unit, const char* target) {
  const double our = Median(ours, figure);
  const double psql = Median(psqls, figure);
  std::printf("%-44s %8.1f %-3s %8.1f %-3s %6.2f  %s\n", name, our, unit, psql, unit, our / psql,
              target);
}

}  // namespace

int main() {
  // Logins without a password: SCRAM costs both sides the same milliseconds.
  const TempDir hba;
  const auto file = hba.Write("pg_hba.conf", "host all all 127.0.0.1/32 trust\n");
  std::filesystem::permissions(hba.path(), std::filesystem::perms(0755));
  std::filesystem::permissions(file, std::filesystem::perms(0644));
  PostgresServer server({.settings = {"hba_file=" + file.string()}});
  std::vector<Start> ours;
  std::vector<Start> fresh;
  std::vector<Start> psqls;
  for (int i = 0; i < kPairs; ++i) {
    psqls.push_back(Psql(server));
    ours.push_back(Runner(server));
    fresh.push_back(RunnerOnAFreshDatabase(server));
  }
  std::printf("%-44s %12s %12s %6s  %s\n", "medians", "runner", "psql", "ratio", "target");
  Print("start to the first statement of a file", ours, psqls, &Start::first_ms, "ms", "<= 30 ms");
  Print("the same, Whimbrel's tables made before it", fresh, psqls, &Start::first_ms, "ms", "none");
  Print("RssAnon while it runs", ours, psqls, &Start::anon_mib, "MiB", "<= 6 MiB");
  Print("VmRSS while it runs", ours, psqls, &Start::rss_mib, "MiB", "<= 16 MiB");
  return 0;
}
