#include "chaos/random_runs.h"

#include <atomic>
#include <chrono>
#include <cstdio>
#include <exception>
#include <mutex>
#include <thread>
#include <vector>

#include "chaos/disturbed_run.h"
#include "chaos/plan.h"
#include "chaos/world.h"

namespace whimbrel::chaos {
namespace {

using std::chrono::steady_clock;

double Seconds(steady_clock::duration duration) {
  return std::chrono::duration<double>(duration).count();
}

std::string Files(const MigrationSet& set) {
  std::string text;
  for (const auto& [path, sql] : set.stages.back()) {
    const std::string shown = sql.size() > 4000 ? sql.substr(0, 4000) + "\n…\n" : sql;
    text += "    == " + path + "\n" + shown;
  }
  return text;
}

/// All runs of one call, on threads that share nothing but the figures.
class RandomRuns {
 public:
  explicit RandomRuns(const RandomRunOptions& options) : options_(options) {}

  int Run();

 private:
  void Work();
  void One(World& world, std::uint64_t seed);
  void Count(std::uint64_t seed, const Outcome& outcome, const std::string& story,
             steady_clock::duration took);
  void Summary() const;

  const RandomRunOptions& options_;
  const steady_clock::time_point began_ = steady_clock::now();
  std::atomic<int> next_ = 0;
  std::mutex mutex_;
  int done_ = 0;
  int failed_ = 0;
  Outcome total_;
  steady_clock::duration longest_{};
};

void RandomRuns::One(World& world, std::uint64_t seed) {
  const auto began = steady_clock::now();
  Dice dice(seed);
  const MigrationSet set = MakeMigrationSet(dice, options_.kinds);
  std::string story = "    " + set.summary + "\n";
  Outcome outcome;
  try {
    const Reference reference(world, options_.binary, set, outcome);
    if (outcome.findings.empty()) {
      const std::vector<Round> rounds =
          MakeRounds(dice, reference.messages(true), reference.messages(false));
      story += ToText(rounds);
      RunDisturbed(world, reference, rounds, outcome);
    }
  } catch (const std::exception& error) {
    outcome.findings.push_back(std::string("the harness failed: ") + error.what());
  }
  if (options_.verbose) story += Files(set);
  Count(seed, outcome, story, steady_clock::now() - began);
}

void RandomRuns::Count(std::uint64_t seed, const Outcome& outcome, const std::string& story,
                       steady_clock::duration took) {
  const std::lock_guard lock(mutex_);
  ++done_;
  longest_ = std::max(longest_, took);
  total_.starts += outcome.starts;
  total_.resumes += outcome.resumes;
  for (std::size_t i = 0; i < outcome.deaths.size(); ++i)
    total_.deaths.at(i) += outcome.deaths.at(i);
  if (options_.verbose || !outcome.findings.empty())
    std::printf("seed %llu, %.1f s:\n%s", static_cast<unsigned long long>(seed), Seconds(took),
                story.c_str());
  if (!outcome.findings.empty()) {
    ++failed_;
    for (const std::string& finding : outcome.findings)
      std::printf("  FINDING: %s\n", finding.c_str());
    std::printf("  again: make chaos RUNS=1 SEED=%llu\n", static_cast<unsigned long long>(seed));
    if (options_.stop_at_finding) next_ = options_.runs;
  }
  if (done_ % 100 == 0)
    std::printf("%d runs, %d with findings, %.0f s\n", done_, failed_,
                Seconds(steady_clock::now() - began_));
  std::fflush(stdout);
}

void RandomRuns::Work() {
  World world;
  for (int index = next_++; index < options_.runs; index = next_++)
    One(world, options_.seed + static_cast<std::uint64_t>(index));
}

void RandomRuns::Summary() const {
  const double seconds = Seconds(steady_clock::now() - began_);
  std::printf(
      "%d runs from seed %llu in %.0f s (%.1f a second; the longest took %.1f s): %d with "
      "findings\n",
      done_, static_cast<unsigned long long>(options_.seed), seconds, done_ / seconds,
      Seconds(longest_), failed_);
  std::printf("%d processes started beside the undisturbed ones; %d files resumed half-way\n",
              total_.starts, total_.resumes);
  for (int i = 0; i < kDeaths; ++i)
    std::printf("  %-28s %d\n", ToText(static_cast<Death>(i)),
                total_.deaths.at(static_cast<std::size_t>(i)));
}

int RandomRuns::Run() {
  {
    std::vector<std::jthread> workers;
    for (int i = 0; i < std::min(options_.workers, options_.runs); ++i)
      workers.emplace_back([this] { Work(); });
  }
  Summary();
  return failed_;
}

}  // namespace

int RunRandomly(const RandomRunOptions& options) { return RandomRuns(options).Run(); }

}  // namespace whimbrel::chaos
