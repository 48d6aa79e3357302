#include "controller/job_end.h"

#include <array>
#include <nlohmann/json.hpp>
#include <string_view>
#include <utility>

#include "controller/job_observation.h"
#include "whimbrel/base/redact.h"

namespace whimbrel::controller {
namespace {

using report::Reason;
using report::RunReport;

/// What the kubelet says of a container that it does not find any more.
constexpr std::string_view kSightLost = "ContainerStatusUnknown";
constexpr std::string_view kLookedAtAgain =
    "what it did stands in the database, which the next run reads; nothing need be done";

RunReport Lost(std::string what, std::string hint, bool counted) {
  RunReport report;
  report.transient = true;
  report.uncounted = !counted;
  report.failure = report::Failure{
      .reason = Reason::kRunnerLost, .message = std::move(what), .hint = std::move(hint)};
  return report;
}

RunReport Uncounted(std::string what) {
  return Lost(std::move(what), std::string(kLookedAtAgain), false);
}

std::string Colon(const std::string& words) { return words.empty() ? "" : ": " + words; }

std::string InPod(const PodFacts& pod) { return "pod " + pod.name; }

std::string SeeLog(const PodFacts& pod) { return "its log may say more: kubectl logs " + pod.name; }

/// `reason` of the condition DisruptionTarget or of the pod's status, in plain words.
std::string_view InWords(std::string_view reason) {
  constexpr std::array<std::pair<std::string_view, std::string_view>, 9> kWords = {
      {{"PreemptionByScheduler", "preempted by a pod of higher priority"},
       {"DeletionByTaintManager", "evicted from its node"},
       {"EvictionByEvictionAPI", "evicted (a drain of its node?)"},
       {"DeletionByPodGC", "lost with its node"},
       {"TerminationByKubelet", "ended by its node"},
       {"Evicted", "evicted by its node"},
       {"NodeLost", "lost with its node"},
       {"Preempting", "preempted by a critical pod"},
       {"Terminated", "ended by a shutdown of its node"}}};
  for (const auto& [name, words] : kWords) {
    if (name == reason) return words;
  }
  return {};
}

/// The kubelet evicts whoever writes more than it may (pkg/kubelet/eviction/helpers.go). It would
/// do so again.
bool ExceedsItsOwnLimit(const PodFacts& pod) {
  if (pod.reason != "Evicted") return false;
  for (const std::string_view words :
       {"exceeded its local ephemeral storage limit", "exceeds the total limit of containers",
        "exceeds the limit"}) {
    if (pod.message.find(words) != std::string::npos) return true;
  }
  return false;
}

/// What is wrong with the termination message; empty: nothing, it is a report.
using Fault = std::string;

std::string Unread(const PodFacts& pod, const Fault& fault) {
  if (!pod.end) return InPod(pod) + " failed before its container ran";
  return InPod(pod) + " ended with exit code " + std::to_string(pod.end->exit_code) + ", and " +
         fault;
}

/// The runtime could not execute the program; `message` is what it said.
bool NeverExecuted(const PodEnd& end) {
  return end.reason == "StartError" || end.reason == "ContainerCannotRun";
}

/// nullopt: the end of the container itself says nothing about why.
std::optional<RunReport> LossOfContainer(const PodFacts& pod) {
  if (!pod.end) return std::nullopt;
  const PodEnd& end = *pod.end;
  if (end.reason == "OOMKilled") {
    return Lost(InPod(pod) + " was killed because it used more memory than its limit allows",
                "raise spec.job.resources.limits.memory", true);
  }
  if (NeverExecuted(end)) {
    return Lost(InPod(pod) + " could not start" + Colon(TruncateUtf8(end.message, 512)),
                "is the controller's --runner-image the image of Whimbrel, for the architecture of "
                "node " +
                    pod.node + "?",
                true);
  }
  if (end.reason == kSightLost) {
    return Uncounted("node " + pod.node + " lost sight of " + InPod(pod) + " (was it restarted?)");
  }
  return std::nullopt;
}

bool IsPastDeadline(const JobFacts& job, const PodFacts& pod) {
  return pod.reason == "DeadlineExceeded" || job.failed_reason == "DeadlineExceeded" ||
         (pod.end && pod.end->reason == "DeadlineExceeded");
}

/// The runner ends itself at execution.deadlineSeconds; the Job's own deadline is later.
RunReport LossByDeadline(const PodFacts& pod) {
  if (!pod.end) {
    return Uncounted(InPod(pod) + " did not start before the deadline of its Job" +
                     Colon(pod.waiting_message));
  }
  return Lost(InPod(pod) + " went on after execution.deadlineSeconds and was ended from outside",
              "was its node frozen? " + SeeLog(pod), true);
}

RunReport LossOfPod(const JobFacts& job, const PodFacts& pod, const Fault& fault) {
  if (ExceedsItsOwnLimit(pod)) {
    return Lost(InPod(pod) + " was evicted" + Colon(pod.message),
                "raise spec.job.resources.limits.ephemeral-storage", true);
  }
  if (std::optional<RunReport> loss = LossOfContainer(pod)) return *std::move(loss);
  if (const std::string why = DescribeDisruption(pod); !why.empty()) {
    return Uncounted(InPod(pod) + " was " + why);
  }
  if (IsPastDeadline(job, pod)) return LossByDeadline(pod);
  if (!pod.end && !pod.reason.empty()) {
    return Uncounted("node " + pod.node + " did not take " + InPod(pod) + " (" + pod.reason + ")" +
                     Colon(pod.message));
  }
  if (pod.ends_by || pod.gone) return Uncounted("somebody deleted " + InPod(pod));
  if (pod.end && (pod.end->exit_code == 137 || pod.end->exit_code == 143)) {
    const char* signal = pod.end->exit_code == 137 ? "SIGKILL" : "SIGTERM";
    return Lost(InPod(pod) + " was killed (" + signal + ") by something outside Kubernetes",
                "was node " + pod.node + " out of memory or shut down? " + SeeLog(pod), true);
  }
  return Lost(Unread(pod, fault) + Colon(pod.message),
              "is the controller's --runner-image of the controller's version? " + SeeLog(pod),
              true);
}

Result<RunReport, Fault> ReadReport(const PodFacts& pod) {
  // In these cases the message is the cluster's.
  const bool ours = pod.end && !NeverExecuted(*pod.end) && pod.end->reason != kSightLost;
  if (!ours || pod.end->message.empty()) return tl::make_unexpected("it left no report");
  const auto json = kube::Json::parse(pod.end->message, nullptr, /*allow_exceptions=*/false);
  if (json.is_discarded()) return tl::make_unexpected("its termination message is no report");
  Result<RunReport> report = report::RunReportFromJson(json);
  if (!report) return tl::make_unexpected(std::move(report).error().message);
  return *std::move(report);
}

/// Ends of the pod that the runner, which was told to stop, cannot know the reason of.
RunReport WithCause(RunReport report, const PodFacts& pod) {
  if (!report.failure || report.failure->reason != Reason::kCancelled) return report;
  const std::string why = DescribeDisruption(pod);
  if (!why.empty()) {
    report.failure->message = InPod(pod) + " was " + why + "; " + report.failure->message;
  } else if (pod.ends_by) {
    report.failure->message = InPod(pod) + " was deleted; " + report.failure->message;
  }
  return report;
}

}  // namespace

std::string DescribeDisruption(const PodFacts& pod) {
  for (const auto& [reason, message] : {std::pair(pod.disrupted_reason, pod.disrupted_message),
                                        std::pair(pod.reason, pod.message)}) {
    if (const std::string_view words = InWords(reason); !words.empty()) {
      return std::string(words) + Colon(message);
    }
  }
  if (pod.disrupted_reason.empty()) return {};
  return "ended by the cluster (" + pod.disrupted_reason + ")" + Colon(pod.disrupted_message);
}

RunReport LostRun(const std::string& what) { return Uncounted(what); }

RunReport ReportOfPod(const JobFacts& job, const PodFacts& pod) {
  const Result<RunReport, Fault> report = ReadReport(pod);
  return report ? WithCause(*report, pod) : LossOfPod(job, pod, report.error());
}

RunReport ReportOfJob(const JobFacts& job) {
  const std::string name = "Job " + job.name;
  if (job.complete) return Uncounted(name + " is complete, but its pod and the report are gone");
  if (job.failed) {
    return Uncounted(name + " failed (" + job.failed_reason + ")" + Colon(job.failed_message) +
                     ", and its pod and the report are gone");
  }
  return Uncounted("somebody deleted " + name);
}

}  // namespace whimbrel::controller
