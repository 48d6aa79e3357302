#pragma once

#include <cstdint>
#include <string>

#include "chaos/migration_set.h"

namespace whimbrel::chaos {

struct RandomRunOptions {
  std::string binary;      ///< The whimbrel to test.
  std::uint64_t seed = 1;  ///< Of the first run; the next has the next.
  int runs = 1;
  int workers = 8;  ///< Servers, each with one run at a time, which mostly waits.
  Kinds kinds;
  bool verbose = false;  ///< Show the files and the rounds of each run.
  bool stop_at_finding = false;
};

/// Random sets, random deaths. Returns the number of runs with findings; says what it does.
int RunRandomly(const RandomRunOptions& options);

}  // namespace whimbrel::chaos
