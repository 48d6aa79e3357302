// Figures of `whimbrel controller` against a real kube-apiserver and a real PostgreSQL, runs in
// process: many resources at once, one alone, and none that has anything to do. All on one machine,
// whose cores the API server, etcd and PostgreSQL share with us; CPU and memory are the
// controller's own.

#include <unistd.h>

#include <algorithm>
#include <condition_variable>
#include <cstdio>
#include <cstdlib>
#include <fstream>
#include <map>
#include <mutex>
#include <nlohmann/json.hpp>
#include <sstream>
#include <string>
#include <thread>
#include <vector>

#include "bench/measured_process.h"
#include "support/api_server.h"
#include "support/postgres_server.h"
#include "support/subprocess.h"
#include "support/temp_dir.h"
#include "whimbrel/controller/api.h"
#include "whimbrel/kube/config.h"
#include "whimbrel/kube/reflector.h"
#include "whimbrel/kube/rest_client.h"

namespace {

using nlohmann::json;
using whimbrel::controller::DatabaseMigrations;
using whimbrel::kube::ObjectClient;
using whimbrel::kube::ObjectKey;
using whimbrel::testing::ApiServer;
using whimbrel::testing::PgClient;
using whimbrel::testing::PgTarget;
using whimbrel::testing::PostgresServer;
using whimbrel::testing::Subprocess;
using whimbrel::testing::TempDir;
using SteadyClock = std::chrono::steady_clock;

constexpr int kFilesEach = 10;
constexpr int kDatabases = 50;
constexpr int kWriters = 4;
constexpr std::chrono::seconds kIdle{20};
constexpr std::chrono::seconds kQuiet{5};
const char* const kNamespace = "bench";

[[noreturn]] void Give(const std::string& why) {
  std::fprintf(stderr, "controller_bench: %s\n", why.c_str());
  std::exit(1);
}

double SecondsSince(SteadyClock::time_point began) {
  return std::chrono::duration<double>(SteadyClock::now() - began).count();
}

std::unique_ptr<ObjectClient> ClientOf(const ApiServer& server) {
  const auto config = whimbrel::kube::LoadConfig(server.kubeconfig().string(), "",
                                                 whimbrel::kube::ConfigEnvironment::Process());
  return whimbrel::kube::NewRestClient(config.value(), {.user_agent = "bench", .qps = 0}).value();
}

/// VmRSS and CPU time of a process, from /proc.
struct Usage {
  double rss_mib = 0;
  double anonymous_mib = 0;  ///< Without the pages of the binary and its libraries.
  double cpu_s = 0;
};

Usage UsageOf(pid_t pid) {
  Usage usage;
  std::ifstream statm("/proc/" + std::to_string(pid) + "/statm");
  long size = 0;
  long resident = 0;
  long of_files = 0;
  statm >> size >> resident >> of_files;
  const double page_mib = static_cast<double>(sysconf(_SC_PAGESIZE)) / (1 << 20);
  usage.rss_mib = static_cast<double>(resident) * page_mib;
  usage.anonymous_mib = static_cast<double>(resident - of_files) * page_mib;
  std::ifstream stat("/proc/" + std::to_string(pid) + "/stat");
  std::string text((std::istreambuf_iterator<char>(stat)), {});
  std::istringstream fields(text.substr(text.rfind(')') + 2));
  std::string skipped;
  for (int i = 0; i < 11; ++i) fields >> skipped;
  double user = 0;
  double system = 0;
  fields >> user >> system;
  usage.cpu_s = (user + system) / static_cast<double>(sysconf(_SC_CLK_TCK));
  return usage;
}

/// Requests that the API server has answered, whoever asked.
double RequestsOf(const ApiServer& server) {
  std::istringstream lines(server.Request("GET", "/metrics").body);
  double sum = 0;
  for (std::string line; std::getline(lines, line);) {
    if (line.starts_with("apiserver_request_total{"))
      sum += std::stod(line.substr(line.rfind(' ')));
  }
  return sum;
}

/// Sees every resource become Ready, by a watch of its own.
class ReadyWatch final : private whimbrel::kube::ReflectorHandler {
 public:
  explicit ReadyWatch(ObjectClient& client)
      : reflector_(client, {.name = "ready", .resource = DatabaseMigrations(), .ns = kNamespace},
                   *this) {}

  /// Waits for `count` Ready resources whose names begin so.
  void Await(const std::string& prefix, std::size_t count) {
    std::unique_lock lock(mutex_);
    const bool done = changed_.wait_for(lock, std::chrono::minutes(10), [&] {
      return static_cast<std::size_t>(std::ranges::count_if(ready_, [&](const auto& entry) {
               return entry.first.starts_with(prefix);
             })) >= count;
    });
    if (!done) Give("not all of " + prefix + " became Ready within 10 minutes");
  }
  SteadyClock::time_point At(const std::string& name) {
    const std::lock_guard lock(mutex_);
    return ready_.at(name);
  }

 private:
  bool OnUpsert(const ObjectKey& key, json&& object) override {
    const auto now = SteadyClock::now();
    for (const json& condition : object.value("/status/conditions"_json_pointer, json::array())) {
      if (condition.at("type") != "Ready" || condition.at("status") != "True") continue;
      const std::lock_guard lock(mutex_);
      ready_.emplace(key.name, now);
      changed_.notify_all();
    }
    return false;
  }
  void OnDelete(const ObjectKey& /*key*/) override {}
  void OnSynced() override {}

  std::mutex mutex_;
  std::condition_variable changed_;
  std::map<std::string, SteadyClock::time_point> ready_;
  whimbrel::kube::Reflector reflector_;  // Last: it calls while it lives.
};

json Meta(const std::string& name) { return {{"name", name}, {"namespace", kNamespace}}; }

json Files(const std::string& name, int files) {
  json data;
  for (int i = 1; i <= files; ++i) {
    const std::string n = std::to_string(i);
    data[n + "_step.sql"] = "CREATE TABLE \"" + name + "_" + n + "\" (id int);\n";
  }
  return {{"apiVersion", "v1"}, {"kind", "ConfigMap"}, {"metadata", Meta(name)}, {"data", data}};
}

json Login(const std::string& name, const PgTarget& target) {
  return {{"apiVersion", "v1"},
          {"kind", "Secret"},
          {"metadata", Meta(name)},
          {"stringData", {{"uri", target.Uri()}}}};
}

json Migration(const std::string& name, const std::string& files, const std::string& login) {
  return {{"apiVersion", DatabaseMigrations().ApiVersion()},
          {"kind", DatabaseMigrations().kind},
          {"metadata", Meta(name)},
          {"spec",
           {{"source", {{"configMaps", {{{"name", files}}}}}},
            {"database", {{"secretRef", {{"name", login}}}}},
            {"history", {{"set", files}}},
            {"execution", {{"mode", "InProcess"}}}}}};
}

class Bench {
 public:
  Bench() {
    server_.MustKubectl({"create", "namespace", kNamespace});
    server_.MustKubectl(
        {"apply", "-f", WHIMBREL_SOURCE_DIR "/crds/databasemigrations.whimbrel.dev.yaml"});
    server_.AwaitEstablished("databasemigrations.whimbrel.dev");
    for (int i = 0; i < kDatabases; ++i) {
      databases_.push_back(postgres_.CreateDatabase());
      Create(whimbrel::kube::Secrets(), Login("db" + std::to_string(i), databases_.back()));
    }
    watch_ = std::make_unique<ReadyWatch>(*client_);
  }

  void Run(int resources) {
    StartController();
    OneAlone();
    MakeFiles(resources);
    ManyAtOnce(resources);
    Idle(resources);
    NothingToDo(resources);
    StopController();
  }

 private:
  void StartController() {
    controller_ = std::make_unique<Subprocess>(whimbrel::testing::SpawnOptions{
        .argv = {WHIMBREL_BINARY, "controller", "--kubeconfig", server_.kubeconfig().string(),
                 "--watch-namespaces", kNamespace, "--log-level", "warning",
                 "--health-probe-bind-address=0"},
        .output_file = folder_.path() / "controller.log"});
  }
  void StopController() {
    controller_->Signal(SIGTERM);
    (void)controller_->Wait();
  }
  void Create(const whimbrel::kube::Resource& resource, const json& object) {
    const auto created = client_->Create(resource, object, {});
    if (!created) Give(created.error().ToString());
  }
  /// By several writers, as a busy GitOps tool does; returns how long the API server took.
  double CreateAll(const whimbrel::kube::Resource& resource, int count,
                   const std::function<json(int)>& make) {
    const auto began = SteadyClock::now();
    std::vector<std::jthread> writers;
    for (int w = 0; w < kWriters; ++w) {
      writers.emplace_back([&, w] {
        for (int i = w; i < count; i += kWriters) Create(resource, make(i));
      });
    }
    writers.clear();
    return SecondsSince(began);
  }
  static std::string Name(const char* prefix, int i) {
    return std::string(prefix) + std::to_string(i);
  }

  void OneAlone() {
    constexpr int kTimes = 21;
    std::vector<double> ours;
    std::vector<double> bare;
    const TempDir scripts;
    for (int i = 0; i < kTimes; ++i) {
      const std::string name = Name("alone", i);
      Create(whimbrel::kube::ConfigMaps(), Files(name, 1));
      const auto began = SteadyClock::now();
      Create(DatabaseMigrations(), Migration(name, name, "db0"));
      watch_->Await(name, 1);
      ours.push_back(std::chrono::duration<double, std::milli>(watch_->At(name) - began).count());
      bare.push_back(
          whimbrel::bench::Measure(
              {"/usr/lib/postgresql/15/bin/psql", "-X", "-q", "-o", "/dev/null", "-f",
               scripts.Write(name, "CREATE TABLE \"bare_" + name + "\" (id int);\n").string(),
               databases_[0].Uri()})
              .wall_ms);
    }
    std::ranges::sort(ours);
    std::ranges::sort(bare);
    std::printf("%-52s p50 %6.1f ms, p90 %6.1f ms; psql alone %.1f ms, ratio %.1f  (p50 <= 60)\n",
                "apply -> Ready, one small migration", ours[kTimes / 2], ours[kTimes * 9 / 10],
                bare[kTimes / 2], ours[kTimes / 2] / bare[kTimes / 2]);
    std::fflush(stdout);
  }

  void MakeFiles(int resources) {
    CreateAll(whimbrel::kube::ConfigMaps(), resources,
              [](int i) { return Files(Name("set", i), kFilesEach); });
  }

  void ManyAtOnce(int resources) {
    AllReady("first", resources, std::to_string(resources) + " resources x 10 migrations, fsync on",
             "(1,000: <= 120 s, <= 64 MiB)");
  }
  /// Other resources on the same histories: whose name plays no part in them.
  void NothingToDo(int resources) {
    AllReady("again", resources, std::to_string(resources) + " resources with nothing to do",
             "(1,000: <= 15 s)");
  }

  void AllReady(const char* prefix, int resources, const std::string& title, const char* target) {
    const double cpu = UsageOf(controller_->pid()).cpu_s;
    const auto began = SteadyClock::now();
    const double accepted = CreateAll(DatabaseMigrations(), resources, [&](int i) {
      return Migration(Name(prefix, i), Name("set", i), Name("db", i % kDatabases));
    });
    watch_->Await(prefix, static_cast<std::size_t>(resources));
    const double took = SecondsSince(began);
    const Usage usage = UsageOf(controller_->pid());
    std::printf(
        "%-52s %6.1f s, CPU %5.1f s, RSS %5.1f MiB; stored by the API server in %.1f s, "
        "ratio %.1f  %s\n",
        title.c_str(), took, usage.cpu_s - cpu, usage.rss_mib, accepted, took / accepted, target);
    std::fflush(stdout);
  }

  /// Nothing but what a leader and its watches do for ever.
  void Idle(int resources) {
    PrintIdle("idle, " + std::to_string(resources) + " converged by this process", "");
    StopController();
    StartController();
    PrintIdle("idle, " + std::to_string(resources) + " converged before it began",
              "(1,000: <= 16 MiB, <= 1 %, <= 1 request/s)");
    CreateAll(whimbrel::kube::ConfigMaps(), 10 * resources, [](int i) {
      return json{{"apiVersion", "v1"},
                  {"kind", "ConfigMap"},
                  {"metadata", Meta(Name("unrelated", i))},
                  {"data", {{"key", std::string(512, 'x')}}}};
    });
    PrintIdle(std::to_string(10 * resources) + " unrelated ConfigMaps more", "(<= 1 MiB more)");
  }

  /// Events are written after the statuses that they tell of.
  void AwaitQuiet() {
    const auto deadline = SteadyClock::now() + std::chrono::minutes(10);
    for (double before = RequestsOf(server_); SteadyClock::now() < deadline;) {
      std::this_thread::sleep_for(kQuiet);
      const double now = RequestsOf(server_);
      if (now - before <= static_cast<double>(kQuiet.count())) return;
      before = now;
    }
    Give("the controller did not come to rest within 10 minutes");
  }

  void PrintIdle(const std::string& title, const char* target) {
    AwaitQuiet();
    const double cpu = UsageOf(controller_->pid()).cpu_s;
    const double requests = RequestsOf(server_);
    std::this_thread::sleep_for(kIdle);
    const Usage usage = UsageOf(controller_->pid());
    const double seconds = kIdle.count();
    const std::string sessions =
        PgClient(postgres_.target())
            .Scalar(
                "SELECT count(*) FROM pg_stat_activity WHERE application_name LIKE 'whimbrel/%'");
    // Those of the API server to itself are among them; our look at its metrics is not.
    std::printf(
        "%-52s RSS %5.1f MiB (%.1f of it not of files), CPU %.2f %%, %.2f requests/s, %s database "
        "sessions  %s\n",
        title.c_str(), usage.rss_mib, usage.anonymous_mib, 100 * (usage.cpu_s - cpu) / seconds,
        (RequestsOf(server_) - requests) / seconds, sessions.c_str(), target);
    std::fflush(stdout);
  }

  const TempDir folder_;
  ApiServer server_;
  PostgresServer postgres_{{.settings = {"fsync=on", "max_connections=200"}}};
  std::unique_ptr<ObjectClient> client_ = ClientOf(server_);
  std::vector<PgTarget> databases_;
  std::unique_ptr<ReadyWatch> watch_;
  std::unique_ptr<Subprocess> controller_;
};

}  // namespace

/// Usage: controller_bench [RESOURCES].
int main(int argc, char** argv) {
  Bench().Run(argc > 1 ? std::atoi(argv[1]) : 1000);
  return 0;
}
