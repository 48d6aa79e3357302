#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "controller/job_facts.h"

namespace whimbrel::controller {

/// n of a name that JobName made; 0 where it is none.
[[nodiscard]] int JobNumber(std::string_view job_name);

/// How many ended Jobs a resource keeps, for their logs (spec.job.…HistoryLimit).
struct JobHistoryLimits {
  int successful = 1;
  int failed = 3;
};

/// The oldest ended Jobs beyond the limits; never one that goes on, is being deleted already, or is
/// `current`, whose end may not have been read yet. Pure.
[[nodiscard]] std::vector<JobFacts> JobsToDelete(const std::vector<JobFacts>& jobs,
                                                 JobHistoryLimits limits,
                                                 const std::string& current);

}  // namespace whimbrel::controller
