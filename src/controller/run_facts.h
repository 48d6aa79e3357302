#pragma once

#include <vector>

#include "controller/action.h"
#include "controller/observed.h"

namespace whimbrel::controller {

/// What became of the history since status was written.
struct HistoryNews {
  bool regressed = false;  ///< It lacks the highest version that status had.
  std::string before;      ///< Status' version.
};

/// Copies what a report says about files, history and database into `status`, each only where the
/// run got so far as to know it. Appends the events of those facts.
HistoryNews AbsorbFacts(Status& status, const report::RunReport& report,
                        const std::vector<ResolvedObject>& resolved,
                        std::vector<EventNote>& events);

}  // namespace whimbrel::controller
