#pragma once

#include <map>
#include <string>
#include <vector>

#include "chaos/dice.h"

namespace whimbrel::chaos {

/// Which ways of running a file a set may need.
struct Kinds {
  bool mixed = true;         ///< Transactional statements beside CREATE INDEX CONCURRENTLY and kin.
  bool self_managed = true;  ///< Several BEGIN … COMMIT blocks of the file's own.
  bool each_alone = true;    ///< Files that want no transaction: a step for each statement.
};

/// A folder of migrations and what is known about it. It expects the schema `chaos` of
/// World::CreateDatabase.
struct MigrationSet {
  using Folder = std::map<std::string, std::string>;  ///< Path → content.

  /// One after the other; all but the last are applied while nothing dies. A later one has more
  /// files, and other texts of repeatables.
  std::vector<Folder> stages;
  std::vector<std::string> arguments;  ///< For `whimbrel run`.
  /// One for each INSERT of a row into chaos.probe; in the end each is there once.
  std::vector<std::string> marks;
  std::string summary;
};

/// The statement that leaves a mark: a row, which goes when its transaction is rolled back, and a
/// line in the server's log, which stays (World::ReadWitness).
[[nodiscard]] std::string MarkSql(const std::string& mark);

[[nodiscard]] MigrationSet MakeMigrationSet(Dice& dice, const Kinds& kinds);

}  // namespace whimbrel::chaos
