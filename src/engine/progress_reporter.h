#pragma once

#include <functional>
#include <mutex>
#include <string>

#include "whimbrel/base/clock.h"
#include "whimbrel/report/progress.h"

namespace whimbrel::engine {

/// Tells whoever watches a run what it is doing. Cheap enough to be called for each statement and
/// each piece of COPY data: what comes more often than people can read is dropped, never delayed.
/// Thread-safe: the session's watch reports, too.
class ProgressReporter {
 public:
  using Publish = std::function<void(const report::Progress&)>;

  ProgressReporter(Publish publish, const Clock& clock)
      : publish_(std::move(publish)), clock_(clock) {}

  void Enter(report::Progress::Phase phase, std::string detail = "");
  /// A file begins: `statements` will be sent; `done` of `total` migrations of this run are
  /// applied.
  void BeginMigration(std::string version, std::string path, std::uint64_t statements, int done,
                      int total);
  /// 1-based, within the file.
  void BeginStatement(std::uint64_t number, int line);
  /// COPY data sent for this statement, so far.
  void Copied(std::uint64_t bytes);
  /// What the server says it is doing (pg_stat_progress_*), or for whom it waits; empty: nothing
  /// special. Also publishes what was dropped before: the watch of a long call says so again and
  /// again.
  void SetActivity(std::string activity);
  /// No file is under way.
  void EndMigrations();

 private:
  void PublishNow();
  void PublishIfDue();

  Publish publish_;
  const Clock& clock_;
  std::mutex mutex_;
  report::Progress progress_;
  SteadyTime published_{};
  bool dropped_ = false;  ///< Something has changed since.
};

}  // namespace whimbrel::engine
