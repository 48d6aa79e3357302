#pragma once

#include <optional>
#include <string>
#include <vector>

#include "whimbrel/base/clock.h"
#include "whimbrel/report/progress.h"

namespace whimbrel::cli {

/// Turns the progress of a run into lines for a person: what is under way, and for each thing that
/// took long (a statement, a wait for a lock or for the database) that it did. What is over within
/// a second is not worth a line; what was applied stands in the report. Pure.
class ProgressView {
 public:
  enum class Kind {
    kTerminal,  ///< Current() is shown, and overwritten; only what is over stays.
    kLog,       ///< What goes on is told as well: first after a second, then every ten.
  };

  explicit ProgressView(Kind kind) : kind_(kind) {}

  /// Something has changed. Lines to print.
  [[nodiscard]] std::vector<std::string> Update(const report::Progress& progress, SteadyTime now);
  /// Time passes: to be called about once a second. Lines to print.
  [[nodiscard]] std::vector<std::string> Tick(SteadyTime now);
  /// The run has ended. Lines to print.
  [[nodiscard]] std::vector<std::string> End(SteadyTime now);
  /// What is under way, in one line; empty when that is not worth showing yet.
  [[nodiscard]] std::string Current(SteadyTime now) const;

 private:
  struct Activity {
    report::Progress progress;
    SteadyTime began;
    std::optional<SteadyTime> told;
  };

  [[nodiscard]] static bool IsSame(const report::Progress& a, const report::Progress& b);
  [[nodiscard]] std::string Describe(SteadyTime now) const;

  Kind kind_;
  std::optional<Activity> current_;
};

}  // namespace whimbrel::cli
