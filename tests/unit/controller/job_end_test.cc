#include "controller/job_end.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <nlohmann/json.hpp>
#include <span>

#include "controller/job_observation.h"
#include "unit/controller/job_objects.h"

namespace whimbrel::controller {
namespace {

using nlohmann::json;
using report::Reason;
using report::RunReport;
using testing::Disrupted;
using ::testing::HasSubstr;
using testing::JobObject;
using testing::PodObject;
using testing::Terminated;
using testing::Waiting;

RunReport SomeReport(Reason reason) {
  RunReport report;
  report.transient = true;
  report.applied_count = 7;
  report.applied_this_run = 2;
  report.failure = report::Failure{.reason = reason, .message = "the runner's words"};
  return report;
}

std::string Message(Reason reason) { return report::ToJson(SomeReport(reason)).dump(); }

RunReport EndOf(const std::string& pod_patch, const std::string& job_patch = "{}") {
  return ReportOfPod(ReadJob(JobObject(job_patch)), ReadPod(PodObject(pod_patch)));
}

TEST(ReportOfPod, IsWhatTheRunnerSaidWhateverElseHappened) {
  RunReport success;
  success.succeeded = true;
  success.applied_count = 3;
  EXPECT_EQ(EndOf(Terminated(0, "Completed", report::ToJson(success).dump())), success);
  const RunReport failure = SomeReport(Reason::kMigrationFailed);
  for (const char* reason : {"Error", "OOMKilled"}) {
    EXPECT_EQ(EndOf(Terminated(3, reason, Message(Reason::kMigrationFailed))), failure);
  }
  const std::string past = R"({"status": {"conditions": [
      {"type": "Failed", "status": "True", "reason": "DeadlineExceeded"}]}})";
  EXPECT_EQ(EndOf(Terminated(3, "Error", Message(Reason::kMigrationFailed)), past), failure);
}

TEST(ReportOfPod, AddsWhyTheRunnerWasToldToStop) {
  const std::string words = Message(Reason::kCancelled);
  const auto message = [](const RunReport& report) { return report.failure->message; };
  EXPECT_EQ(message(EndOf(Terminated(1, "Error", words))), "the runner's words");
  EXPECT_EQ(
      message(EndOf(Terminated(1, "Error", words,
                               R"({"metadata": {"deletionTimestamp": "2026-11-21T10:05:00Z"}})"))),
      "pod orders-1a2b3c4d-2-x7f2q was deleted; the runner's words");
  const RunReport drained = EndOf(
      Terminated(1, "Error", words, Disrupted("EvictionByEvictionAPI", "Eviction API: evicting")));
  EXPECT_EQ(message(drained),
            "pod orders-1a2b3c4d-2-x7f2q was evicted (a drain of its node?): Eviction API: "
            "evicting; the runner's words");
  EXPECT_EQ(drained.failure->reason, Reason::kCancelled);
  EXPECT_EQ(drained.applied_count, 7);
}

struct LostPod {
  const char* sentence;
  std::string patch;
  bool counted;
  std::vector<const char*> words;  ///< Of the message.
  const char* hint;
  std::string job_patch = "{}";
};

constexpr const char* kNothingToDo = "nothing need be done";

std::string WithStatus(const std::string& reason, const std::string& message) {
  return json{{"status", {{"reason", reason}, {"message", message}}}}.dump();
}

/// A pod that failed before it had a container.
std::string Unstarted(const std::string& reason, const std::string& message) {
  return json{{"status",
               {{"phase", "Failed"},
                {"reason", reason},
                {"message", message},
                {"containerStatuses", nullptr}}}}
      .dump();
}

void ExpectLosses(std::span<const LostPod> cases) {
  for (const LostPod& c : cases) {
    SCOPED_TRACE(c.sentence);
    const RunReport report = EndOf(c.patch, c.job_patch);
    EXPECT_FALSE(report.succeeded);
    EXPECT_TRUE(report.transient);
    EXPECT_EQ(report.uncounted, !c.counted);
    ASSERT_TRUE(report.failure);
    EXPECT_EQ(ToString(report.failure->reason), "RunnerLost");
    for (const char* words : c.words) EXPECT_THAT(report.failure->message, HasSubstr(words));
    EXPECT_THAT(report.failure->hint, HasSubstr(c.hint));
  }
}

TEST(ReportOfPod, WhatTheClusterBroughtAboutIsNotCounted) {
  const LostPod cases[] = {
      {"an eviction by the node",
       Terminated(137, "Error", "", WithStatus("Evicted", "The node was low on resource: memory.")),
       false,
       {"was evicted by its node: The node was low on resource: memory."},
       kNothingToDo},
      {"an eviction before it had a container",
       Unstarted("Evicted", "The node had condition: [DiskPressure]."),
       false,
       {"DiskPressure"},
       kNothingToDo},
      {"a preemption",
       Terminated(137, "Error", "", Disrupted("PreemptionByScheduler", "preempting")),
       false,
       {"was preempted by a pod of higher priority: preempting"},
       kNothingToDo},
      {"a node that was given up",
       Terminated(137, "Error", "", Disrupted("DeletionByTaintManager", "NoExecute taint")),
       false,
       {"was evicted from its node"},
       kNothingToDo},
      {"a node that is gone",
       json{{"status",
             {{"phase", "Failed"},
              {"conditions",
               {{{"type", "DisruptionTarget"},
                 {"status", "True"},
                 {"reason", "DeletionByPodGC"},
                 {"message", "PodGC: node no longer exists"}}}}}}}
           .dump(),
       false,
       {"was lost with its node: PodGC: node no longer exists"},
       kNothingToDo},
      {"a shutdown of the node",
       Terminated(
           143, "Error", "",
           WithStatus("Terminated", "Pod was terminated in response to imminent node shutdown.")),
       false,
       {"ended by a shutdown of its node"},
       kNothingToDo},
      {"a disruption of a kind to come",
       Terminated(143, "Error", "", Disrupted("DeletionByNewThing", "why not")),
       false,
       {"ended by the cluster (DeletionByNewThing): why not"},
       kNothingToDo},
      {"a node that came back and knows nothing",
       Terminated(137, "ContainerStatusUnknown", "The container could not be located"),
       false,
       {"node node1 lost sight of"},
       kNothingToDo},
      {"a node that is full by now",
       Unstarted("OutOfcpu", "Node didn't have enough resource: cpu"),
       false,
       {"node node1 did not take", "(OutOfcpu): Node didn't have enough resource: cpu"},
       kNothingToDo},
      {"a node that does not fit any more",
       Unstarted("NodeAffinity", "Predicate NodeAffinity failed"),
       false,
       {"(NodeAffinity)"},
       kNothingToDo},
      {"a pod that somebody deleted",
       Terminated(137, "Error", "",
                  R"({"metadata": {"deletionTimestamp": "2026-11-21T10:05:00Z"}})"),
       false,
       {"somebody deleted pod orders-1a2b3c4d-2-x7f2q"},
       kNothingToDo},
      {"a pod that never started and whose Job is past its deadline",
       json{{"status",
             {{"phase", "Failed"},
              {"reason", "DeadlineExceeded"},
              {"containerStatuses",
               {{{"name", "runner"},
                 {"state", {{"waiting", {{"reason", "ImagePullBackOff"}, {"message", "no"}}}}}}}}}}}
           .dump(),
       false,
       {"did not start before the deadline of its Job: no"},
       kNothingToDo},
  };
  ExpectLosses(cases);
}

TEST(ReportOfPod, WhatWouldComeAgainIsCounted) {
  json newer = report::ToJson(SomeReport(Reason::kMigrationFailed));
  newer["schemaVersion"] = 99;
  const LostPod cases[] = {
      {"memory",
       Terminated(137, "OOMKilled"),
       true,
       {"used more memory than its limit allows"},
       "raise spec.job.resources.limits.memory"},
      {"memory, of a pod that is then deleted",
       Terminated(137, "OOMKilled", "", Disrupted("EvictionByEvictionAPI", "evicting")),
       true,
       {"used more memory"},
       "raise spec.job.resources.limits.memory"},
      {"storage of its own",
       Unstarted("Evicted",
                 "Pod ephemeral local storage usage exceeds the total limit of containers 1Mi."),
       true,
       {"was evicted: Pod ephemeral local storage usage exceeds"},
       "raise spec.job.resources.limits.ephemeral-storage"},
      {"an image without the program",
       Terminated(128, "StartError",
                  "exec: \"/whimbrel\": stat /whimbrel: no such file or directory"),
       true,
       {"could not start: exec: \"/whimbrel\""},
       "--runner-image"},
      {"a program of another architecture",
       Terminated(1, "Error"),
       true,
       {"ended with exit code 1, and it left no report"},
       "--runner-image"},
      {"a program that does not know the command",
       Terminated(2, "Error"),
       true,
       {"exit code 2"},
       "controller's version? its log may say more: kubectl logs orders-1a2b3c4d-2-x7f2q"},
      {"another program",
       Terminated(0, "Completed"),
       true,
       {"exit code 0, and it left no report"},
       "--runner-image"},
      {"a message that is no report",
       Terminated(1, "Error", "panic: oops"),
       true,
       {"its termination message is no report"},
       "controller's version?"},
      {"a report of a newer version",
       Terminated(3, "Error", newer.dump()),
       true,
       {"schemaVersion is 99", "use one version of whimbrel"},
       "controller's version?"},
      {"a kill from outside",
       Terminated(137, "Error"),
       true,
       {"was killed (SIGKILL)"},
       "node node1"},
      {"an end from outside",
       Terminated(143, "Error"),
       true,
       {"was killed (SIGTERM)"},
       "node node1"},
      {"a runner that its own deadline did not end",
       Terminated(137, "Error", "",
                  WithStatus("DeadlineExceeded", "Pod was active on the node longer")),
       true,
       {"went on after execution.deadlineSeconds"},
       "kubectl logs"},
      {"the same, ended by the Job",
       Terminated(137, "Error", "",
                  R"({"metadata": {"deletionTimestamp": "2026-11-21T10:05:00Z"}})"),
       true,
       {"went on after execution.deadlineSeconds"},
       "kubectl logs",
       R"({"status": {"conditions": [
           {"type": "FailureTarget", "status": "True", "reason": "DeadlineExceeded"}]}})"},
      {"a container of somebody else that failed first",
       json{{"status",
             {{"phase", "Failed"},
              {"containerStatuses",
               {{{"name", "runner"}, {"state", {{"waiting", {{"reason", "PodInitializing"}}}}}}}}}}}
           .dump(),
       true,
       {"failed before its container ran"},
       "kubectl logs"},
  };
  ExpectLosses(cases);
}

TEST(ReportOfPod, APodThatVanishedWithoutAWordWasDeleted) {
  PodFacts pod = ReadPod(PodObject());
  pod.gone = true;
  const RunReport report = ReportOfPod(ReadJob(JobObject()), pod);
  EXPECT_TRUE(report.uncounted);
  EXPECT_THAT(report.failure->message, HasSubstr("somebody deleted pod"));
}

TEST(LostRun, IsNotCountedAndSaysThatNothingNeedBeDone) {
  const RunReport report = LostRun("Job x is gone");
  EXPECT_TRUE(report.transient && report.uncounted && !report.succeeded);
  EXPECT_EQ(report.failure->reason, Reason::kRunnerLost);
  EXPECT_EQ(report.failure->message, "Job x is gone");
  EXPECT_THAT(report.failure->hint, HasSubstr(kNothingToDo));
}

}  // namespace
}  // namespace whimbrel::controller
