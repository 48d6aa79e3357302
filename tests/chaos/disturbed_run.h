#pragma once

#include <array>
#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "chaos/fault.h"
#include "chaos/migration_set.h"
#include "chaos/runner.h"
#include "chaos/snapshot.h"
#include "chaos/world.h"
#include "support/temp_dir.h"

namespace whimbrel::chaos {

/// Runners that are started together, or one because the fault of the first was reached.
struct Round {
  std::vector<std::optional<Fault>> at_once;
  std::vector<std::optional<Fault>> on_top;
};

/// What is expected of a run, and what came of it.
struct Outcome {
  std::vector<std::string> findings;  ///< Each a promise that was broken.
  std::array<int, kDeaths> deaths{};  ///< Faults whose place was reached.
  int starts = 0;                     ///< Processes, the undisturbed ones not counted.
  int resumes = 0;                    ///< Files that a later process went on with.
};

/// A folder of migrations with the database that undisturbed runs make of it.
class Reference {
 public:
  /// Applies all stages. `findings` says what went wrong already.
  Reference(World& world, const std::string& binary, const MigrationSet& set, Outcome& outcome);

  [[nodiscard]] const MigrationSet& set() const { return set_; }
  [[nodiscard]] const Snapshot& snapshot() const { return snapshot_; }
  /// Messages of the last stage.
  [[nodiscard]] int messages(bool to_server) const { return messages_.at(to_server ? 1 : 0); }
  /// For a stage.
  [[nodiscard]] Command ToCommand(std::size_t stage) const;

 private:
  const MigrationSet& set_;
  const std::string binary_;
  const testing::TempDir folder_{"whimbrel-chaos"};
  Snapshot snapshot_;
  std::array<int, 2> messages_{};
};

/// Applies a set while the rounds' faults happen, then again until a run ends well, with nobody's
/// help, and compares.
void RunDisturbed(World& world, const Reference& reference, const std::vector<Round>& rounds,
                  Outcome& outcome);

}  // namespace whimbrel::chaos
