#include "controller/job_observation.h"

#include <algorithm>
#include <array>
#include <chrono>
#include <span>
#include <string_view>
#include <utility>

#include "controller/job_end.h"

namespace whimbrel::controller {
namespace {

using report::Progress;
using report::Reason;

constexpr std::chrono::seconds kAfterGrace{60};

std::string Colon(const std::string& words) { return words.empty() ? "" : ": " + words; }

/// A word of a message of the cluster, and what helps.
struct Advice {
  std::string_view word;
  std::string_view what_helps;
};

std::string_view Find(std::span<const Advice> table, const std::string& message) {
  for (const Advice& advice : table) {
    if (message.find(advice.word) != std::string::npos) return advice.what_helps;
  }
  return {};
}

/// Why the API server creates no pod, in the words of its admission plug-ins.
std::string_view AdviceOnRefusal(const std::string& message) {
  constexpr std::array<Advice, 7> kTable = {
      {{"exceeded quota", "raise the ResourceQuota, or wait until others end"},
       {"failed quota", "set what it asks for in spec.job.resources"},
       {"LimitRange", "keep spec.job.resources within the LimitRange"},
       {"serviceaccount", "create it, or change spec.job.serviceAccountName"},
       {"PriorityClass", "create it, or change spec.job.priorityClassName"},
       {"RuntimeClass", "create it, or change spec.job.runtimeClassName"},
       {"PodSecurity",
        "the pod asks for nothing that `restricted` forbids: what do webhooks add?"}}};
  const std::string_view found = Find(kTable, message);
  return found.empty() ? "change what refuses it, or spec.job" : found;
}

std::string WithoutPrefix(std::string text, std::string_view prefix) {
  if (text.starts_with(prefix)) text.erase(0, prefix.size());
  return text;
}

Obstacle Refused(const JobFacts& job, const std::string& refusal) {
  const std::string words = WithoutPrefix(refusal, "Error creating: ");
  return {Reason::kJobPending, "no pod can be created for Job " + job.name + ": " + words + "; " +
                                   std::string(AdviceOnRefusal(words)) +
                                   " (it is tried again by itself)"};
}

Obstacle SuspendedJob(const JobFacts& job) {
  return {Reason::kJobPending,
          "somebody suspended Job " + job.name +
              " (its own spec.suspend; Kueue does that until there is room); it starts when that "
              "is false again"};
}

Obstacle Unschedulable(const PodFacts& pod) {
  return {Reason::kJobPending,
          "no node can take pod " + pod.name + ": " + pod.unschedulable +
              "; make room, or change spec.job (resources, nodeSelector, tolerations)"};
}

enum class Wait { kUsual, kOdd, kImage, kImageGivenUp };

/// What the kubelet says of a container that does not run yet (k8s.io/kubernetes
/// pkg/kubelet/images/types.go, pkg/kubelet/kuberuntime/kuberuntime_container.go).
Wait KindOf(std::string_view waiting_reason) {
  constexpr std::array<std::pair<std::string_view, Wait>, 10> kKinds = {
      {{"", Wait::kUsual},
       {"ContainerCreating", Wait::kUsual},
       {"PodInitializing", Wait::kUsual},
       {"ErrImagePull", Wait::kImage},
       {"ImageInspectError", Wait::kImage},
       {"RegistryUnavailable", Wait::kImage},
       {"ImagePullBackOff", Wait::kImageGivenUp},
       {"SignatureValidationFailed", Wait::kImageGivenUp},
       {"InvalidImageName", Wait::kImageGivenUp},
       {"ErrImageNeverPull", Wait::kImageGivenUp}}};
  for (const auto& [reason, kind] : kKinds) {
    if (reason == waiting_reason) return kind;
  }
  return Wait::kOdd;
}

Obstacle NoImage(const PodFacts& pod, Reason reason) {
  return {reason, "node " + pod.node + " cannot get the image of pod " + pod.name + " (" +
                      pod.waiting_reason + ")" + Colon(pod.waiting_message) +
                      "; it is the controller's --runner-image, and spec.job.imagePullSecrets open "
                      "a private registry (it is tried again by itself)"};
}

Obstacle NoContainer(const PodFacts& pod) {
  return {Reason::kJobPending, "node " + pod.node + " cannot create the container of pod " +
                                   pod.name + " (" + pod.waiting_reason + ")" +
                                   Colon(pod.waiting_message) +
                                   "; kubectl describe pod shows its events"};
}

Obstacle SilentNode(const PodFacts& pod) {
  return {Reason::kRunnerLost,
          "node " + pod.node + " does not answer, so it is unknown whether pod " + pod.name +
              " still works; once Kubernetes has given it up (after some minutes), the database is "
              "looked at again"};
}

std::string WhyEnded(const PodFacts& pod) {
  const std::string why = DescribeDisruption(pod);
  return why.empty() ? "somebody deleted it" : why;
}

Obstacle BeingEnded(const PodFacts& pod) {
  return {Reason::kRunnerLost, "pod " + pod.name + " is being ended (" + WhyEnded(pod) +
                                   "); then the database is looked at again"};
}

bool IsUnderWay(const PodFacts& pod) { return pod.running || pod.end.has_value(); }

/// A pod that has not ended.
void ObserveLivePod(const PodFacts& pod, JobObservation& out) {
  Progress& progress = out.status.progress;
  if (pod.ends_by) {
    out.obstacle = BeingEnded(pod);
  } else if (pod.node_silent) {
    out.obstacle = SilentNode(pod);
  } else if (pod.running) {
    progress.detail = "pod " + pod.name + " runs on node " + pod.node;
  } else if (pod.node.empty() && !pod.unschedulable.empty()) {
    out.obstacle = Unschedulable(pod);
  } else {
    const Wait kind = KindOf(pod.waiting_reason);
    if (kind == Wait::kOdd) out.obstacle = NoContainer(pod);
    if (kind == Wait::kImage) out.obstacle = NoImage(pod, Reason::kJobPending);
    if (kind == Wait::kImageGivenUp) out.obstacle = NoImage(pod, Reason::kImagePullFailed);
    out.image_missing = kind == Wait::kImage || kind == Wait::kImageGivenUp;
    progress.detail = "pod " + pod.name + " is being created";
  }
  if (out.obstacle) progress.detail = out.obstacle->message;
}

void ObserveWithoutPod(const JobFacts& job, const std::vector<std::string>& refusals,
                       JobObservation& out) {
  if (job.complete || job.failed || job.deleting) {
    out.status.report = ReportOfJob(job);
  } else if (job.suspended) {
    out.obstacle = SuspendedJob(job);
  } else if (!refusals.empty()) {
    out.obstacle = Refused(job, refusals.front());
  } else {
    out.status.progress.detail = "Job " + job.name + " has no pod yet";
  }
  if (out.obstacle) out.status.progress.detail = out.obstacle->message;
}

std::vector<const PodFacts*> PodsOfRun(const JobFacts& job, const std::vector<PodFacts>& pods) {
  std::vector<const PodFacts*> own;
  for (const PodFacts& pod : pods) {
    if (job.run_id.empty() || pod.run_id == job.run_id) own.push_back(&pod);
  }
  std::ranges::sort(own, std::ranges::greater(), &PodFacts::created);
  return own;
}

/// Two at once are rare (a Job that was suspended and resumed): one that succeeded has the last
/// word, then the newest that goes on, then the newest.
const PodFacts* PodThatCounts(const JobFacts& job,
                              const std::vector<const PodFacts*>& newest_first) {
  for (const PodFacts* pod : newest_first) {
    if (pod->ended() && ReportOfPod(job, *pod).succeeded) return pod;
  }
  for (const PodFacts* pod : newest_first) {
    if (!pod->ended()) return pod;
  }
  return newest_first.empty() ? nullptr : newest_first.front();
}

}  // namespace

JobObservation ObserveJob(const JobFacts& job, const std::vector<PodFacts>& pods,
                          const std::vector<std::string>& refusals) {
  JobObservation out;
  const std::vector<const PodFacts*> own = PodsOfRun(job, pods);
  out.started = std::ranges::any_of(own, [](const PodFacts* pod) { return IsUnderWay(*pod); });
  const PodFacts* pod = PodThatCounts(job, own);
  if (pod == nullptr) {
    ObserveWithoutPod(job, refusals, out);
    return out;
  }
  out.pod_name = pod->name;
  if (pod->ended()) {
    out.status.report = ReportOfPod(job, *pod);
  } else {
    ObserveLivePod(*pod, out);
  }
  return out;
}

std::optional<SystemTime> NextJobNotBefore(const std::vector<PodFacts>& pods, SystemTime now) {
  std::optional<SystemTime> until;
  for (const PodFacts& pod : pods) {
    if (pod.ended()) continue;
    if (!pod.ends_by) return SystemTime::max();
    until = std::max(until.value_or(SystemTime::min()), *pod.ends_by + kAfterGrace);
  }
  return until && *until > now ? until : std::nullopt;
}

std::optional<report::RunReport> GivenUp(const std::vector<PodFacts>& pods, SystemTime now) {
  const auto live = std::ranges::find_if_not(pods, &PodFacts::ended);
  if (live == pods.end() || NextJobNotBefore(pods, now)) return std::nullopt;
  return LostRun("pod " + live->name + " was asked to end (" + WhyEnded(*live) + "), and node " +
                 live->node + " has not said since whether it did");
}

}  // namespace whimbrel::controller
