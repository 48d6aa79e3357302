#include "engine/progress_reporter.h"

#include <utility>

namespace whimbrel::engine {

using report::Progress;

namespace {

/// Often enough for a person who looks at a terminal.
constexpr std::chrono::milliseconds kShortestGap{200};

}  // namespace

void ProgressReporter::Enter(Progress::Phase phase, std::string detail) {
  std::lock_guard lock(mutex_);
  progress_.phase = phase;
  progress_.detail = std::move(detail);
  progress_.statement = 0;
  progress_.line = 0;
  progress_.copied_bytes = 0;
  progress_.activity.clear();
  PublishNow();
}

void ProgressReporter::BeginMigration(std::string version, std::string path,
                                      std::uint64_t statements, int done, int total) {
  std::lock_guard lock(mutex_);
  progress_ = {.phase = Progress::Phase::kMigrating,
               .version = std::move(version),
               .path = std::move(path),
               .statements = statements,
               .done = done,
               .total = total};
  PublishNow();
}

void ProgressReporter::BeginStatement(std::uint64_t number, int line) {
  std::lock_guard lock(mutex_);
  progress_.statement = number;
  progress_.line = line;
  progress_.copied_bytes = 0;
  progress_.activity.clear();
  PublishIfDue();
}

void ProgressReporter::Copied(std::uint64_t bytes) {
  std::lock_guard lock(mutex_);
  progress_.copied_bytes = bytes;
  PublishIfDue();
}

void ProgressReporter::SetActivity(std::string activity) {
  std::lock_guard lock(mutex_);
  if (progress_.activity == activity && !dropped_) return;
  progress_.activity = std::move(activity);
  PublishNow();
}

void ProgressReporter::EndMigrations() {
  std::lock_guard lock(mutex_);
  progress_.version.clear();
  progress_.path.clear();
}

void ProgressReporter::PublishNow() {
  published_ = clock_.SteadyNow();
  dropped_ = false;
  publish_(progress_);
}

void ProgressReporter::PublishIfDue() {
  dropped_ = true;
  if (clock_.SteadyNow() - published_ >= kShortestGap) PublishNow();
}

}  // namespace whimbrel::engine
