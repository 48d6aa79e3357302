#include "chaos/points.h"

#include <array>
#include <atomic>
#include <chrono>
#include <cstdio>
#include <exception>
#include <map>
#include <memory>
#include <mutex>
#include <string_view>
#include <thread>
#include <utility>
#include <vector>

#include "chaos/disturbed_run.h"
#include "chaos/scenarios.h"
#include "chaos/world.h"

namespace whimbrel::chaos {
namespace {

using std::chrono::milliseconds;

struct Way {
  const char* name;
  Round (*make)(int message);
};

Round Alone(Fault fault) { return {.at_once = {fault}, .on_top = {}}; }

/// What may happen at a request.
constexpr std::array<Way, 6> kWays = {{
    {"the runner is killed before it is sent",
     [](int message) { return Alone({.death = Death::kKill, .place = {.message = message}}); }},
    {"the runner is killed before it gets the answer",
     [](int message) {
       return Alone({.death = Death::kKill, .place = {.message = message, .answer = true}});
     }},
    {"its sessions are terminated before it is sent",
     [](int message) {
       return Alone({.death = Death::kTerminate, .place = {.message = message}});
     }},
    {"its sessions are terminated while the server works on it",
     [](int message) {
       return Alone({.death = Death::kTerminate,
                     .place = {.message = message, .part = 1},
                     .later = milliseconds(10)});
     }},
    {"the connection is cut before the answer",
     [](int message) {
       return Alone({.death = Death::kCut, .place = {.message = message, .answer = true}});
     }},
    {"a second runner is started, and it waits 150 ms",
     [](int message) {
       return Round{
           .at_once = {Fault{
               .death = Death::kDelay, .place = {.message = message}, .lasts = milliseconds(150)}},
           .on_top = {std::nullopt}};
     }},
}};

struct Point {
  const Scenario* scenario;
  const Reference* reference;
  int message;
  const Way* way;
};

class Points {
 public:
  explicit Points(const PointOptions& options) : options_(options) {}

  PointResult Run();

 private:
  void Prepare();
  void Work(World* world);
  void One(World& world, const Point& point);
  void Report(const std::string& where, const Outcome& outcome);

  const PointOptions& options_;
  World first_world_;
  std::map<const Scenario*, std::unique_ptr<Reference>> references_;
  std::vector<Point> points_;
  std::atomic<std::size_t> next_ = 0;
  std::mutex mutex_;
  PointResult result_;
};

/// The undisturbed runs, which say how many requests there are.
void Points::Prepare() {
  for (const Scenario& scenario : Scenarios()) {
    if (!options_.scenario.empty() && scenario.name != options_.scenario) continue;
    Outcome outcome;
    auto reference =
        std::make_unique<Reference>(first_world_, options_.binary, scenario.set, outcome);
    if (!outcome.findings.empty()) {
      result_.works = false;
      Report(scenario.name, outcome);
      continue;
    }
    const int requests = reference->messages(true);
    if (!options_.quiet) std::printf("%s: %d requests\n", scenario.name.c_str(), requests);
    int number = 0;
    for (int message = 1; message <= requests; ++message) {
      for (const Way& way : kWays) {
        if (std::string_view(way.name).find(options_.way) == std::string_view::npos) continue;
        // The ways differ in phase, so that a stride leaves none of them out.
        if (number++ % options_.stride == 0)
          points_.push_back({&scenario, reference.get(), message, &way});
      }
    }
    references_[&scenario] = std::move(reference);
  }
}

void Points::One(World& world, const Point& point) {
  Outcome outcome;
  try {
    RunDisturbed(world, *point.reference, {point.way->make(point.message)}, outcome);
  } catch (const std::exception& error) {
    outcome.findings.push_back(std::string("the harness failed: ") + error.what());
  }
  Report(
      point.scenario->name + ", request " + std::to_string(point.message) + ": " + point.way->name,
      outcome);
}

void Points::Report(const std::string& where, const Outcome& outcome) {
  const std::lock_guard lock(mutex_);
  ++result_.points;
  if (outcome.findings.empty()) return;
  ++result_.failed;
  std::string text = where + "\n";
  for (const std::string& finding : outcome.findings) text += "  FINDING: " + finding + "\n";
  if (result_.first.empty()) result_.first = text;
  if (!options_.quiet) std::printf("%s", text.c_str());
  std::fflush(stdout);
  if (options_.stop_at_finding) next_ = points_.size();
}

void Points::Work(World* world) {
  std::unique_ptr<World> own;
  if (world == nullptr) {
    own = std::make_unique<World>();
    world = own.get();
  }
  for (std::size_t at = next_++; at < points_.size(); at = next_++) One(*world, points_[at]);
}

PointResult Points::Run() {
  const auto began = std::chrono::steady_clock::now();
  Prepare();
  {
    std::vector<std::jthread> workers;
    for (int i = 0; i < options_.workers; ++i)
      workers.emplace_back([this, i] { Work(i == 0 ? &first_world_ : nullptr); });
  }
  const auto took = std::chrono::duration<double>(std::chrono::steady_clock::now() - began);
  if (!options_.quiet)
    std::printf("%d points in %.0f s: %d with findings\n", result_.points, took.count(),
                result_.failed);
  return result_;
}

}  // namespace

PointResult RunPoints(const PointOptions& options) { return Points(options).Run(); }

}  // namespace whimbrel::chaos
