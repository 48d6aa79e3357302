#include "chaos/disturbed_run.h"

#include <algorithm>
#include <map>
#include <memory>
#include <thread>
#include <utility>

#include "support/eventually.h"
#include "support/subprocess.h"

namespace whimbrel::chaos {

using std::chrono::seconds;
using std::chrono::steady_clock;
using testing::PgClient;
using testing::PgTarget;
using testing::ProcessResult;

namespace {

/// A frozen runner is ended after 60 to 90 s (design §3); whoever waits longer is stuck.
constexpr seconds kStuckAfter{150};
constexpr int kMostRestarts = 6;
constexpr int kKilled = 128 + 9;

std::string Said(const std::string& out, const std::string& err) {
  return "    " + (err.empty() ? out : err);
}

/// One disturbed database from its first runner to the verdict.
class Disturbance {
 public:
  Disturbance(World& world, const Reference& reference, Outcome& outcome)
      : world_(world),
        reference_(reference),
        outcome_(outcome),
        database_(world.CreateDatabase()) {}
  ~Disturbance() { world_.DropDatabase(database_); }
  Disturbance(const Disturbance&) = delete;
  Disturbance& operator=(const Disturbance&) = delete;

  bool ApplyEarlierStages();
  void Play(const Round& round);
  /// Nobody's help: the same command again, until it is content.
  bool Converge();
  void Judge();

 private:
  using Runners = std::vector<std::unique_ptr<Runner>>;

  void Start(Runners& runners, const std::optional<Fault>& fault);
  void Wait(Runners& runners, const Round& round);
  void Close(Runner& runner);
  ProcessResult RunAlone(const Command& command);
  void JudgeWitness();
  void JudgeLeftovers();
  void Find(std::string finding) { outcome_.findings.push_back(std::move(finding)); }
  [[nodiscard]] Command Last() const {
    return reference_.ToCommand(reference_.set().stages.size() - 1);
  }

  World& world_;
  const Reference& reference_;
  Outcome& outcome_;
  const PgTarget database_;
  int faults_ = 0;
};

ProcessResult Disturbance::RunAlone(const Command& command) {
  return testing::RunProcess(ToSpawn(command, database_), kStuckAfter);
}

bool Disturbance::ApplyEarlierStages() {
  for (std::size_t stage = 0; stage + 1 < reference_.set().stages.size(); ++stage) {
    const ProcessResult result = RunAlone(reference_.ToCommand(stage));
    if (result.exit_code == 0) continue;
    Find("stage " + std::to_string(stage) + " failed, undisturbed:\n" +
         Said(result.out, result.err));
    return false;
  }
  return true;
}

void Disturbance::Start(Runners& runners, const std::optional<Fault>& fault) {
  ++outcome_.starts;
  runners.push_back(std::make_unique<Runner>(world_, Last(), database_, fault));
}

void Disturbance::Wait(Runners& runners, const Round& round) {
  const auto stuck = steady_clock::now() + kStuckAfter;
  bool on_top = false;
  while (true) {
    std::size_t over = 0;
    for (auto& runner : runners) {
      runner->Tick();
      if (runner->over()) ++over;
    }
    const std::size_t all = runners.size();
    if (!on_top && (over == all || runners.front()->fired())) {
      on_top = true;
      for (const auto& fault : round.on_top) Start(runners, fault);
      continue;
    }
    if (over == all) return;
    if (on_top && over + 1 == all) {
      for (auto& runner : runners) runner->OthersAreOver();
    }
    if (steady_clock::now() >= stuck) return Find("a runner was stuck");
    // Faults are counted in messages; this only bounds how late an effect of one is noticed.
    std::this_thread::sleep_for(std::chrono::milliseconds(1));
  }
}

void Disturbance::Close(Runner& runner) {
  if (runner.fired()) {
    ++faults_;
    ++outcome_.deaths.at(static_cast<std::size_t>(runner.fault()->death));
  }
  if (runner.process().running()) return;
  const int code = runner.process().Wait();
  // 0, "try again" and our own SIGKILL are fine; that a person is needed never is.
  if (code == 0 || code == 1 || code == kKilled) return;
  Find("a runner ended with " + std::to_string(code) + " after " +
       (runner.fault() ? runner.fault()->ToText() : "nothing") + ":\n" +
       Said(runner.process().out(), runner.process().err()));
}

void Disturbance::Play(const Round& round) {
  Runners runners;
  for (const auto& fault : round.at_once) Start(runners, fault);
  Wait(runners, round);
  for (auto& runner : runners) Close(*runner);
}

bool Disturbance::Converge() {
  ProcessResult result;
  for (int i = 0; i < kMostRestarts; ++i) {
    ++outcome_.starts;
    result = RunAlone(Last());
    if (result.exit_code == 0) return true;
    if (result.exit_code != 1) break;
  }
  Find("it did not go on by itself (exit code " + std::to_string(result.exit_code) + "):\n" +
       Said(result.out, result.err));
  return false;
}

/// Every mark is there once, by the last attempt of all: after what was committed nobody tried
/// again. And nobody tried more often than faults excuse: each ends one attempt at most.
void Disturbance::JudgeWitness() {
  std::map<std::string, std::vector<std::string>> rows;
  PgClient sql(database_);
  for (const auto& row : sql.Query("SELECT mark, nonce FROM chaos.probe"))
    rows[row[0].value_or("")].push_back(row[1].value_or(""));
  std::map<std::string, std::vector<std::string>> attempts;
  for (Attempt& attempt : world_.ReadWitness(database_))
    attempts[attempt.mark].push_back(std::move(attempt.nonce));
  for (const std::string& mark : reference_.set().marks) {
    const auto& done = rows[mark];
    const auto& tried = attempts[mark];
    if (done.size() != 1) {
      Find(mark + " was applied " + std::to_string(done.size()) + " times");
    } else if (tried.empty() || tried.back() != done.front()) {
      Find(mark + " was attempted again after it had been applied");
    } else if (tried.size() > static_cast<std::size_t>(faults_) + 1) {
      Find(mark + " was attempted " + std::to_string(tried.size()) + " times, with " +
           std::to_string(faults_) + " faults");
    }
  }
}

void Disturbance::JudgeLeftovers() {
  PgClient sql(database_);
  const auto left = [&] {
    return sql.Text(
        "SELECT 'session', pid, application_name, state, left(query, 60) FROM pg_stat_activity "
        "WHERE application_name LIKE 'whimbrel/%' AND datname = current_database() UNION ALL "
        "SELECT 'lock', pid, objid::text, mode, '' FROM pg_locks WHERE locktype = 'advisory' AND "
        "database = (SELECT oid FROM pg_database WHERE datname = current_database())");
  };
  if (!testing::Eventually([&] { return left().empty(); }, seconds(10)))
    Find("left behind: " + left());
}

void Disturbance::Judge() {
  JudgeLeftovers();
  JudgeWitness();
  const std::string differences = Differences(reference_.snapshot(), TakeSnapshot(database_));
  if (!differences.empty()) Find("the database differs:\n" + differences);
  PgClient sql(database_);
  outcome_.resumes += std::stoi(
      sql.Scalar("SELECT coalesce(sum(attempt - 1), 0) FROM whimbrel.whimbrel_migration"));
}

}  // namespace

Reference::Reference(World& world, const std::string& binary, const MigrationSet& set,
                     Outcome& outcome)
    : set_(set), binary_(binary) {
  for (std::size_t stage = 0; stage < set.stages.size(); ++stage) {
    for (const auto& [path, text] : set.stages[stage])
      folder_.Write(std::to_string(stage) + "/" + path, text);
  }
  const PgTarget database = world.CreateDatabase();
  for (std::size_t stage = 0; stage < set.stages.size(); ++stage) {
    Runner runner(world, ToCommand(stage), database, std::nullopt);
    if (runner.process().Wait(kStuckAfter) != 0) {
      outcome.findings.push_back("an undisturbed run failed:\n" +
                                 Said(runner.process().out(), runner.process().err()));
      break;
    }
    messages_ = {runner.messages(false), runner.messages(true)};
  }
  if (outcome.findings.empty()) snapshot_ = TakeSnapshot(database);
  world.DropDatabase(database);
}

Command Reference::ToCommand(std::size_t stage) const {
  return {.binary = binary_,
          .folder = (folder_ / std::to_string(stage)).string(),
          .arguments = set_.arguments};
}

void RunDisturbed(World& world, const Reference& reference, const std::vector<Round>& rounds,
                  Outcome& outcome) {
  Disturbance disturbance(world, reference, outcome);
  if (!disturbance.ApplyEarlierStages()) return;
  for (const Round& round : rounds) disturbance.Play(round);
  if (disturbance.Converge()) disturbance.Judge();
}

}  // namespace whimbrel::chaos
