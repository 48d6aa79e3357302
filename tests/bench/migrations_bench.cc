// Whole-process figures of `whimbrel run DIR`, as design §7 measures them: medians of interleaved
// runs, beside the psql binary. For the migrations themselves psql runs one generated file with
// exactly the statements that Whimbrel sends (read back from the server's log), one by one: what
// remains is our overhead. On a busy machine CPU and ratios hold, wall times do not.

#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <functional>
#include <string>
#include <vector>

#include "bench/measured_process.h"
#include "bench/runner_pod.h"
#include "support/postgres_server.h"
#include "support/temp_dir.h"

namespace {

using whimbrel::bench::Cost;
using whimbrel::bench::Measure;
using whimbrel::bench::RunnerPod;
using whimbrel::testing::PgClient;
using whimbrel::testing::PgTarget;
using whimbrel::testing::PostgresServer;
using whimbrel::testing::TempDir;

constexpr int kSmallFiles = 1000;
constexpr int kPairs = 5;
constexpr int kPairsOfMilliseconds = 21;

/// Measured side by side, in turn.
struct Pairs {
  std::vector<Cost> ours;
  std::vector<Cost> psqls;
};

double Median(std::vector<double> values) {
  std::sort(values.begin(), values.end());
  return values[values.size() / 2];
}

double Median(const std::vector<Cost>& costs, double Cost::*figure) {
  std::vector<double> values;
  for (const Cost& cost : costs) values.push_back(cost.*figure);
  return Median(values);
}

double MedianRatio(const Pairs& pairs) {
  std::vector<double> ratios;
  for (std::size_t i = 0; i < pairs.ours.size(); ++i)
    ratios.push_back(pairs.ours[i].wall_ms / pairs.psqls[i].wall_ms);
  return Median(ratios);
}

void PrintHead() {
  std::printf("%-44s %9s %8s %6s %9s %8s %6s  %s\n", "medians", "whimbrel", "CPU ms", "MiB", "psql",
              "CPU ms", "ratio", "target");
}

void Print(const std::string& name, const Pairs& pairs, const char* target) {
  std::printf("%-44s %6.1f ms %8.1f %6.1f %6.1f ms %8.1f %6.2f  %s\n", name.c_str(),
              Median(pairs.ours, &Cost::wall_ms), Median(pairs.ours, &Cost::cpu_ms),
              Median(pairs.ours, &Cost::peak_mib), Median(pairs.psqls, &Cost::wall_ms),
              Median(pairs.psqls, &Cost::cpu_ms), MedianRatio(pairs), target);
  std::fflush(stdout);
}

void WriteFiles(const TempDir& folder, int count, const std::function<std::string(int)>& sql) {
  for (int i = 1; i <= count; ++i) {
    char name[32];
    std::snprintf(name, sizeof name, "%05d_step.sql", i);
    folder.Write(name, sql(i));
  }
}

std::string OneInsert(int i) { return "INSERT INTO log VALUES (" + std::to_string(i) + ");\n"; }

std::string TableAndIndex(int i) {
  const std::string n = std::to_string(i);
  return "CREATE TABLE t" + n + " (id bigint PRIMARY KEY, name text);\nCREATE INDEX t" + n +
         "_name ON t" + n + " (name);\n";
}

Cost Whimbrel(const TempDir& files, const PgTarget& target) {
  static const TempDir kUrls;
  return Measure({WHIMBREL_BINARY, "run", files.path().string(), "--url-file",
                  kUrls.Write(target.dbname, target.Uri()).string()});
}

Cost Psql(const std::filesystem::path& file, const PgTarget& target) {
  const char* bin = std::getenv("WHIMBREL_PG_BIN");
  // Debian's /usr/bin/psql is a Perl wrapper that costs 20 ms a start: the binary itself is the
  // baseline.
  return Measure({std::string(bin != nullptr ? bin : "/usr/lib/postgresql/15/bin") + "/psql", "-X",
                  "-q", "-o", "/dev/null", "-v", "ON_ERROR_STOP=1", "-f", file.string(),
                  target.Uri()});
}

/// A database in which the table of OneInsert is.
PgTarget WithLog(PostgresServer& server) {
  PgTarget target = server.CreateDatabase();
  PgClient(target).Exec("CREATE TABLE log (n int)");
  return target;
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

/// Whimbrel's tables, empty, so that both find what the first run of all would make.
void MakeBookkeeping(const PgTarget& target) {
  TempDir none;
  none.Write("0000_nothing.sql", "-- nothing\n");
  Whimbrel(none, target);
  PgClient(target).Exec("DELETE FROM whimbrel.whimbrel_migration");
}

void CompareWork(const PgTarget& ours, const PgTarget& psqls) {
  for (const char* count :
       {"SELECT count(*) FROM whimbrel.whimbrel_migration",
        "SELECT count(*) FROM pg_class WHERE relnamespace = 'public'::regnamespace",
        "SELECT count(*) FROM log"}) {
    if (PgClient(ours).Scalar(count) == PgClient(psqls).Scalar(count)) continue;
    std::fprintf(stderr, "psql did not do the same work: %s\n", count);
    std::exit(1);
  }
}

/// psql's `\;` sends several statements as one message, as Whimbrel sends its bookkeeping; no text
/// of these migrations holds a semicolon. Each message ends with its line.
std::string AsMessages(const std::string& statements) {
  std::string messages;
  for (std::size_t i = 0; i < statements.size(); ++i) {
    if (statements[i] == ';' && statements.substr(i + 1, 1) != "\n") messages += '\\';
    messages += statements[i];
  }
  return messages;
}

/// What the peer tools were compared with: no sums, no fence, no care for the session.
std::string LeastOfAll(const std::function<std::string(int)>& sql) {
  std::string script;
  for (int i = 1; i <= kSmallFiles; ++i) {
    const std::string n = std::to_string(i);
    script += "BEGIN;\n" + sql(i) +
              "INSERT INTO whimbrel.whimbrel_migration (set, kind, id, run, state, version,"
              " description, path, origin, applied_at, recorded_with) VALUES ('default', 'V', '" +
              n + "', 1, 'applied', '" + n + "', '', '', 'own', now(), 'psql');\nCOMMIT;\n";
  }
  return script;
}

void ApplyBeside(PostgresServer& server, const TempDir& files, const std::string& script,
                 const std::string& name, const char* target) {
  TempDir folder;
  const auto file = folder.Write("same.sql", script);
  Pairs pairs;
  for (int i = 0; i < kPairs; ++i) {
    const PgTarget ours = WithLog(server);
    const PgTarget psqls = WithLog(server);
    MakeBookkeeping(ours);
    MakeBookkeeping(psqls);
    pairs.ours.push_back(Whimbrel(files, ours));
    pairs.psqls.push_back(Psql(file, psqls));
    CompareWork(ours, psqls);
  }
  Print(name, pairs, target);
}

void Apply(PostgresServer& server, const std::string& kind,
           const std::function<std::string(int)>& sql) {
  TempDir files;
  WriteFiles(files, kSmallFiles, sql);
  const PgTarget logged = WithLog(server);
  PgClient(logged).Exec("ALTER DATABASE " + logged.dbname + " SET log_statement = 'all'");
  const std::size_t before = server.Log().size();
  Whimbrel(files, logged);
  const std::string sent = StatementsFromLog(server.Log().substr(before));
  const std::string name = "apply 1,000 files: " + kind;
  ApplyBeside(server, files, sent, name, "ratio <= 1.05; psql: our statements, one by one");
  ApplyBeside(server, files, AsMessages(sent), name, "no target; psql: our messages");
  ApplyBeside(server, files, LeastOfAll(sql), name,
              "no target; psql: BEGIN, the file, a row of history, COMMIT");
}

/// Beside psql's SELECT 1: a start, a login and one round trip.
void NothingToDo(PostgresServer& server, int applied, const char* name, const char* target_text) {
  TempDir files;
  WriteFiles(files, applied, OneInsert);
  const PgTarget target = WithLog(server);
  Whimbrel(files, target);
  PgClient(target).Exec("VACUUM ANALYZE whimbrel.whimbrel_migration");  // As autovacuum soon does.
  TempDir script;
  const auto select = script.Write("select.sql", "SELECT 1;\n");
  Pairs pairs;
  for (int i = 0; i < kPairsOfMilliseconds; ++i) {
    pairs.ours.push_back(Whimbrel(files, target));
    pairs.psqls.push_back(Psql(select, target));
  }
  Print(name, pairs, target_text);
}

/// The same as a pod does it, whose files are one archive.
void NothingToDoInAPod(PostgresServer& server, int applied, const char* name,
                       const char* target_text) {
  TempDir files;
  WriteFiles(files, applied, OneInsert);
  TempDir packed;
  const std::string archive = (packed.path() / "migrations.tar.gz").string();
  Measure({"/bin/sh", "-c", "cd '" + files.path().string() + "' && tar -czf '" + archive + "' *"});
  const PgTarget target = WithLog(server);
  const auto pod = RunnerPod::WithArchive(whimbrel::testing::ReadFile(archive), target);
  Measure(pod.Command());
  PgClient(target).Exec("VACUUM ANALYZE whimbrel.whimbrel_migration");
  TempDir script;
  const auto select = script.Write("select.sql", "SELECT 1;\n");
  Pairs pairs;
  for (int i = 0; i < kPairsOfMilliseconds; ++i) {
    pairs.ours.push_back(Measure(pod.Command()));
    pairs.psqls.push_back(Psql(select, target));
  }
  Print(name, pairs, target_text);
}

/// Both are the first session of their database, which fills the server's catalog caches.
void OneOnAFreshDatabase(PostgresServer& server) {
  TempDir files;
  files.Write("001_first.sql", TableAndIndex(1));
  TempDir script;
  const auto select = script.Write("select.sql", "SELECT 1;\n");
  Pairs pairs;
  for (int i = 0; i < kPairsOfMilliseconds; ++i) {
    pairs.psqls.push_back(Psql(select, server.CreateDatabase()));
    pairs.ours.push_back(Whimbrel(files, server.CreateDatabase()));
  }
  Print("start, one migration on a fresh database, end", pairs, "<= 25 ms; psql: SELECT 1");
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
  PrintHead();
  NothingToDoInAPod(server, kSmallFiles, "nothing to do, 1,000 applied, an archive",
                    "<= 20 ms, <= 32 MiB; psql: SELECT 1");
  NothingToDoInAPod(server, 10 * kSmallFiles, "nothing to do, 10,000 applied, an archive",
                    "<= 60 ms, <= 32 MiB; psql: SELECT 1");
  NothingToDo(server, kSmallFiles, "the same, 1,000 in a folder", "none; psql: SELECT 1");
  NothingToDo(server, 10 * kSmallFiles, "the same, 10,000 in a folder", "none; psql: SELECT 1");
  OneOnAFreshDatabase(server);
  Apply(server, "one INSERT each", OneInsert);
  Apply(server, "CREATE TABLE + index", TableAndIndex);
  return 0;
}
