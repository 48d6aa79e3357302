#include "controller/job_observation.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

#include "unit/controller/job_objects.h"

namespace whimbrel::controller {
namespace {

using nlohmann::json;
using report::Reason;
using ::testing::AllOf;
using testing::Disrupted;
using ::testing::HasSubstr;
using testing::JobObject;
using testing::PodObject;
using testing::Terminated;
using testing::Waiting;

SystemTime At(const char* time) { return ParseRfc3339(time).value(); }

JobObservation ObservePod(const std::string& pod_patch, const std::string& job_patch = "{}") {
  return ObserveJob(ReadJob(JobObject(job_patch)), {ReadPod(PodObject(pod_patch))}, {});
}

const std::string kUnscheduled = R"({"spec": {"nodeName": null}, "status": {
    "phase": "Pending", "containerStatuses": null, "conditions": [
      {"type": "PodScheduled", "status": "False", "reason": "Unschedulable",
       "message": "0/3 nodes are available: 3 Insufficient cpu."}]}})";

struct LivePod {
  const char* sentence;
  std::string patch;
  std::optional<Reason> reason;
  std::vector<const char*> words;
};

TEST(ObserveJob, SaysWhatKeepsALivePodFromWorkingAndWhatHelps) {
  const LivePod cases[] = {
      {"a pod that runs", "{}", std::nullopt, {}},
      {"a pod without a node that nobody looked at yet",
       R"({"spec": {"nodeName": null}, "status": {"phase": "Pending", "conditions": null,
           "containerStatuses": null}})",
       std::nullopt,
       {}},
      {"a pod that no node can take",
       kUnscheduled,
       Reason::kJobPending,
       {"no node can take pod orders-1a2b3c4d-2-x7f2q: 0/3 nodes are available: 3 Insufficient "
        "cpu.",
        "spec.job"}},
      {"a container that is being created", Waiting("ContainerCreating"), std::nullopt, {}},
      {"a container behind those of others", Waiting("PodInitializing"), std::nullopt, {}},
      {"an image that could not be pulled once",
       Waiting("ErrImagePull", "connection refused"),
       Reason::kJobPending,
       {"node1", "ErrImagePull", "connection refused", "--runner-image"}},
      {"an image that cannot be looked at",
       Waiting("ImageInspectError", "broken"),
       Reason::kJobPending,
       {"broken"}},
      {"an image that could not be pulled again and again",
       Waiting("ImagePullBackOff", "Back-off pulling image \"x/y:1\": not found"),
       Reason::kImagePullFailed,
       {"x/y:1", "not found", "--runner-image", "spec.job.imagePullSecrets"}},
      {"an image with a name that cannot be",
       Waiting("InvalidImageName", "couldn't parse image reference"),
       Reason::kImagePullFailed,
       {"couldn't parse"}},
      {"an image that must be there and is not",
       Waiting("ErrImageNeverPull", "pull policy of Never"),
       Reason::kImagePullFailed,
       {"pull policy of Never"}},
      {"a container whose configuration lacks something",
       Waiting("CreateContainerConfigError", "failed to sync secret cache"),
       Reason::kJobPending,
       {"cannot create the container", "failed to sync secret cache", "kubectl describe pod"}},
      {"a container that the runtime refuses",
       Waiting("CreateContainerError", "no command specified"),
       Reason::kJobPending,
       {"no command specified"}},
      {"a container that does not start",
       Waiting("RunContainerError", "oops"),
       Reason::kJobPending,
       {"oops"}},
      {"a word that nobody has heard yet", Waiting("Dreaming"), Reason::kJobPending, {"Dreaming"}},
      {"a node that does not answer",
       R"({"status": {"conditions": [{"type": "Ready", "status": "False"}]}})",
       Reason::kRunnerLost,
       {"node node1 does not answer", "looked at again"}},
      {"a pod that makes room for a more important one",
       Disrupted("PreemptionByScheduler", "default-scheduler: preempting to accommodate"),
       Reason::kRunnerLost,
       {"is being ended (preempted by a pod of higher priority: default-scheduler: preempting",
        "looked at again"}},
      {"a pod whose node is given up",
       Disrupted("DeletionByTaintManager", "Taint manager: deleting due to NoExecute taint"),
       Reason::kRunnerLost,
       {"evicted from its node", "NoExecute"}},
      {"a pod that somebody deleted",
       R"({"metadata": {"deletionTimestamp": "2026-11-21T10:05:00Z"}})",
       Reason::kRunnerLost,
       {"somebody deleted it"}},
  };
  for (const LivePod& c : cases) {
    SCOPED_TRACE(c.sentence);
    const JobObservation seen = ObservePod(c.patch);
    EXPECT_FALSE(seen.status.report);
    EXPECT_EQ(seen.pod_name, "orders-1a2b3c4d-2-x7f2q");
    ASSERT_EQ(seen.obstacle.has_value(), c.reason.has_value());
    if (!c.reason) continue;
    EXPECT_EQ(ToString(seen.obstacle->reason), ToString(*c.reason));
    for (const char* words : c.words) EXPECT_THAT(seen.obstacle->message, HasSubstr(words));
  }
}

TEST(ObserveJob, KnowsWhetherSqlMayHaveBeenExecuted) {
  EXPECT_TRUE(ObservePod("{}").started);
  EXPECT_TRUE(ObservePod(Terminated(1, "Error")).started);
  EXPECT_FALSE(ObservePod(kUnscheduled).started);
  EXPECT_FALSE(ObservePod(Waiting("ImagePullBackOff")).started);
  EXPECT_FALSE(ObserveJob(ReadJob(JobObject()), {}, {}).started);
}

TEST(ObserveJob, TakesTheTwoFacesOfAMissingImageForOneThing) {
  EXPECT_TRUE(ObservePod(Waiting("ErrImagePull")).image_missing);
  EXPECT_TRUE(ObservePod(Waiting("ImagePullBackOff")).image_missing);
  EXPECT_FALSE(ObservePod(Waiting("ContainerCreating")).image_missing);
  EXPECT_FALSE(ObservePod("{}").image_missing);
}

TEST(ObserveJob, SaysWhyNoPodCanBeCreated) {
  const struct {
    const char* sentence;
    std::string refusal;
    const char* what_helps;
  } cases[] = {
      {"a quota that is used up",
       "Error creating: pods \"x\" is forbidden: exceeded quota: q, requested: pods=1",
       "raise the ResourceQuota"},
      {"a quota that wants limits",
       "Error creating: pods \"x\" is forbidden: failed quota: q: must specify limits.cpu",
       "spec.job.resources"},
      {"a limit range",
       "Error creating: pods \"x\" is forbidden: maximum memory usage per Pod is 1Gi, LimitRange",
       "LimitRange"},
      {"a service account that is not there",
       "Error creating: pods \"x\" is forbidden: error looking up service account shop/a: "
       "serviceaccount \"a\" not found",
       "spec.job.serviceAccountName"},
      {"a priority class that is not there",
       "Error creating: pods \"x\" is forbidden: no PriorityClass with name p was found",
       "spec.job.priorityClassName"},
      {"a runtime class that is not there",
       "Error creating: pods \"x\" is forbidden: pod rejected: RuntimeClass \"g\" not found",
       "spec.job.runtimeClassName"},
      {"a security level that something injected breaks",
       "Error creating: pods \"x\" is forbidden: violates PodSecurity \"restricted:latest\": y",
       "webhooks"},
      {"a webhook", "Error creating: admission webhook \"policy.example\" denied the request: no",
       "change what refuses it"},
  };
  for (const auto& c : cases) {
    SCOPED_TRACE(c.sentence);
    const JobObservation seen =
        ObserveJob(ReadJob(JobObject()), {}, {c.refusal, "Error creating: something older"});
    EXPECT_FALSE(seen.status.report);
    ASSERT_TRUE(seen.obstacle);
    EXPECT_EQ(seen.obstacle->reason, Reason::kJobPending);
    EXPECT_THAT(seen.obstacle->message,
                AllOf(HasSubstr("no pod can be created for Job orders-1a2b3c4d-2: " +
                                c.refusal.substr(std::string("Error creating: ").size())),
                      HasSubstr(c.what_helps), ::testing::Not(HasSubstr("something older"))));
  }
}

TEST(ObserveJob, ForgetsRefusalsOnceThereIsAPod) {
  const JobObservation seen =
      ObserveJob(ReadJob(JobObject()), {ReadPod(PodObject())}, {"Error creating: quota"});
  EXPECT_FALSE(seen.obstacle);
}

TEST(ObserveJob, ANewJobIsNoObstacle) {
  const JobObservation seen = ObserveJob(ReadJob(JobObject()), {}, {});
  EXPECT_FALSE(seen.obstacle || seen.status.report);
  EXPECT_EQ(seen.pod_name, "");
}

TEST(ObserveJob, SaysThatSomebodySuspendedIt) {
  const JobObservation seen =
      ObserveJob(ReadJob(JobObject(R"({"spec": {"suspend": true}})")), {}, {});
  ASSERT_TRUE(seen.obstacle);
  EXPECT_EQ(seen.obstacle->reason, Reason::kJobPending);
  EXPECT_THAT(seen.obstacle->message, HasSubstr("suspended Job orders-1a2b3c4d-2"));
}

TEST(ObserveJob, AJobThatIsOverWithoutAPodIsLost) {
  const struct {
    const char* sentence;
    const char* patch;
    const char* words;
  } cases[] = {
      {"complete", R"({"status": {"conditions": [{"type": "Complete", "status": "True"}]}})",
       "is complete"},
      {"failed", R"({"status": {"conditions": [{"type": "Failed", "status": "True",
                     "reason": "DeadlineExceeded", "message": "too long"}]}})",
       "failed (DeadlineExceeded): too long"},
      {"deleted", R"({"metadata": {"deletionTimestamp": "2026-11-21T10:01:00Z"}})",
       "somebody deleted Job orders-1a2b3c4d-2"},
  };
  for (const auto& c : cases) {
    SCOPED_TRACE(c.sentence);
    const JobObservation seen = ObserveJob(ReadJob(JobObject(c.patch)), {}, {});
    ASSERT_TRUE(seen.status.report);
    EXPECT_EQ(seen.status.report->failure->reason, Reason::kRunnerLost);
    EXPECT_TRUE(seen.status.report->uncounted);
    EXPECT_THAT(seen.status.report->failure->message, HasSubstr(c.words));
  }
}

TEST(ObserveJob, AJobThatIsBeingDeletedGoesOnUntilItsPodHasEnded) {
  const std::string deleting = R"({"metadata": {"deletionTimestamp": "2026-11-21T10:01:00Z"}})";
  EXPECT_FALSE(ObservePod(deleting, deleting).status.report);
  EXPECT_TRUE(ObservePod(Terminated(1, "Error", "", deleting), deleting).status.report);
}

TEST(ObserveJob, PodsOfOtherRunsAreNotItsOwn) {
  const PodFacts other =
      ReadPod(PodObject(R"({"metadata": {"labels": {"whimbrel.dev/run-id": "run-1"}}})"));
  EXPECT_EQ(ObserveJob(ReadJob(JobObject()), {other}, {}).pod_name, "");
}

std::string Report(bool succeeded) {
  report::RunReport report;
  report.succeeded = succeeded;
  if (!succeeded) report.failure = report::Failure{.reason = Reason::kMigrationFailed};
  return report::ToJson(report).dump();
}

PodFacts NamedPod(const std::string& name, const std::string& created, const std::string& patch) {
  PodFacts pod = ReadPod(PodObject(patch));
  pod.name = name;
  pod.created = At(created.c_str());
  return pod;
}

TEST(ObserveJob, OfTwoPodsTheOneThatSucceededCountsThenTheOneThatGoesOnThenTheNewest) {
  const std::string early = "2026-11-21T10:00:00Z";
  const std::string late = "2026-11-21T10:09:00Z";
  const std::string failed = Terminated(3, "Error", Report(false));
  const std::string succeeded = Terminated(0, "Completed", Report(true));
  const auto counts = [](const PodFacts& a, const PodFacts& b) {
    const JobFacts job = ReadJob(JobObject());
    const std::string one = ObserveJob(job, {a, b}, {}).pod_name;
    EXPECT_EQ(ObserveJob(job, {b, a}, {}).pod_name, one);
    return one;
  };
  EXPECT_EQ(counts(NamedPod("a", early, failed), NamedPod("b", late, "{}")), "b");
  EXPECT_EQ(counts(NamedPod("a", early, "{}"), NamedPod("b", late, failed)), "a");
  EXPECT_EQ(counts(NamedPod("a", early, succeeded), NamedPod("b", late, "{}")), "a");
  EXPECT_EQ(counts(NamedPod("a", early, failed), NamedPod("b", late, failed)), "b");
}

TEST(NextJobNotBefore, WaitsForPodsThatMayStillWork) {
  const SystemTime now = At("2026-11-21T10:00:00Z");
  const auto ends = [](const char* time) {
    return PodFacts{.phase = "Running", .ends_by = At(time)};
  };
  const PodFacts ended{.phase = "Failed"};
  const PodFacts alive{.phase = "Running"};
  EXPECT_EQ(NextJobNotBefore({}, now), std::nullopt);
  EXPECT_EQ(NextJobNotBefore({ended, PodFacts{.phase = "Running", .end = PodEnd{}},
                              PodFacts{.phase = "Running", .gone = true}},
                             now),
            std::nullopt);
  EXPECT_EQ(NextJobNotBefore({ended, alive}, now), SystemTime::max());
  EXPECT_EQ(NextJobNotBefore({PodFacts{.phase = "Pending"}}, now), SystemTime::max());
  EXPECT_EQ(NextJobNotBefore({ends("2026-11-21T10:01:00Z"), ends("2026-11-21T10:00:30Z")}, now),
            At("2026-11-21T10:02:00Z"));
  EXPECT_EQ(NextJobNotBefore({ends("2026-11-21T10:01:00Z"), alive}, now), SystemTime::max());
  EXPECT_EQ(NextJobNotBefore({ends("2026-11-21T09:59:01Z")}, now), At("2026-11-21T10:00:01Z"));
  EXPECT_EQ(NextJobNotBefore({ends("2026-11-21T09:59:00Z")}, now), std::nullopt);
}

TEST(GivenUp, ARunOnASilentNodeIsLostOnceTheNextJobMayStart) {
  PodFacts pod{.name = "app-1-x7k2p", .phase = "Running", .node = "worker-3"};
  const SystemTime now = At("2026-11-21T10:00:00Z");
  EXPECT_FALSE(GivenUp({}, now));
  EXPECT_FALSE(GivenUp({pod}, now)) << "nobody has asked it to end";
  pod.ends_by = At("2026-11-21T09:59:01Z");
  EXPECT_FALSE(GivenUp({pod}, now)) << "it may still be ending";

  pod.ends_by = At("2026-11-21T09:59:00Z");
  pod.disrupted_reason = "DeletionByTaintManager";
  const std::optional<report::RunReport> report = GivenUp({pod}, now);
  ASSERT_TRUE(report && report->failure);
  EXPECT_EQ(report->failure->reason, report::Reason::kRunnerLost);
  EXPECT_TRUE(report->transient && report->uncounted);
  EXPECT_THAT(report->failure->message, HasSubstr("pod app-1-x7k2p was asked to end"));
  EXPECT_THAT(report->failure->message, HasSubstr("node worker-3"));

  pod.phase = "Failed";
  EXPECT_FALSE(GivenUp({pod}, now)) << "it has ended, and says how";
}

}  // namespace
}  // namespace whimbrel::controller
