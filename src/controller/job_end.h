#pragma once

#include "controller/job_facts.h"
#include "whimbrel/report/run_report.h"

namespace whimbrel::controller {

/// What a pod that has ended says about its run: its termination message; without one that can be
/// read, a lost run (kRunnerLost) with what the cluster knows. Ends that the cluster brought about
/// (eviction, preemption, a lost node, a deletion) are not counted as tries; ends that would come
/// again (memory, an image that does not start, another version) are.
[[nodiscard]] report::RunReport ReportOfPod(const JobFacts& job, const PodFacts& pod);

/// The same for a Job that is over, or is being deleted, and has no pod left.
[[nodiscard]] report::RunReport ReportOfJob(const JobFacts& job);

/// Why the cluster ends or ended a pod before its time, in its own words: `preempted …`; empty:
/// not that anybody knows.
[[nodiscard]] std::string DescribeDisruption(const PodFacts& pod);

}  // namespace whimbrel::controller
