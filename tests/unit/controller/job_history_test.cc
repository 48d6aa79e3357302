#include "controller/job_history.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace whimbrel::controller {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;

JobFacts Ended(int number, bool well) {
  return {
      .name = "job-" + std::to_string(number), .number = number, .complete = well, .failed = !well};
}

std::vector<int> Numbers(const std::vector<JobFacts>& jobs) {
  std::vector<int> numbers;
  for (const JobFacts& job : jobs) numbers.push_back(job.number);
  return numbers;
}

TEST(JobsToDelete, KeepsTheNewestOfEachSort) {
  const std::vector<JobFacts> jobs = {Ended(3, false), Ended(1, false), Ended(2, true),
                                      Ended(5, true),  Ended(4, false), Ended(6, true)};
  EXPECT_THAT(Numbers(JobsToDelete(jobs, {.successful = 1, .failed = 2}, "")),
              ElementsAre(5, 2, 1));
}

TEST(JobsToDelete, LeavesAloneWhatGoesOnWhatIsCurrentAndWhatIsBeingDeleted) {
  std::vector<JobFacts> jobs = {{.name = "job-9", .number = 9}, Ended(8, true), Ended(7, true)};
  jobs[2].deleting = true;
  EXPECT_THAT(JobsToDelete(jobs, {.successful = 0, .failed = 0}, "job-8"), IsEmpty());
}

TEST(JobNumber, ReadsTheEndOfAName) {
  EXPECT_EQ(JobNumber("orders-0a1b2c3d-17"), 17);
  EXPECT_EQ(JobNumber("orders"), 0);
  EXPECT_EQ(JobNumber("orders-"), 0);
  EXPECT_EQ(JobNumber("orders-7x"), 0);
  EXPECT_EQ(JobNumber("orders-99999999999999"), 0);
  EXPECT_EQ(JobNumber(""), 0);
}

}  // namespace
}  // namespace whimbrel::controller
