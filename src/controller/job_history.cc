#include "controller/job_history.h"

#include <algorithm>
#include <charconv>

namespace whimbrel::controller {
namespace {

/// `kind` picks the Jobs of one sort of end.
void AddSurplus(const std::vector<JobFacts>& jobs, bool JobFacts::*kind, int limit,
                const std::string& current, std::vector<JobFacts>& out) {
  std::vector<JobFacts> ended;
  std::ranges::copy_if(jobs, std::back_inserter(ended),
                       [&](const JobFacts& job) { return job.*kind && !job.deleting; });
  std::ranges::sort(ended, std::ranges::greater(), &JobFacts::number);
  for (std::size_t i = static_cast<std::size_t>(std::max(limit, 0)); i < ended.size(); ++i) {
    if (ended[i].name != current) out.push_back(ended[i]);
  }
}

}  // namespace

int JobNumber(std::string_view job_name) {
  const std::string_view digits = job_name.substr(job_name.rfind('-') + 1);
  int number = 0;
  const auto [end, error] = std::from_chars(digits.begin(), digits.end(), number);
  return error == std::errc() && end == digits.end() && number > 0 ? number : 0;
}

std::vector<JobFacts> JobsToDelete(const std::vector<JobFacts>& jobs, JobHistoryLimits limits,
                                   const std::string& current) {
  std::vector<JobFacts> out;
  AddSurplus(jobs, &JobFacts::complete, limits.successful, current, out);
  AddSurplus(jobs, &JobFacts::failed, limits.failed, current, out);
  return out;
}

}  // namespace whimbrel::controller
