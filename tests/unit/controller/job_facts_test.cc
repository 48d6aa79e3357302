#include "controller/job_facts.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

#include "unit/controller/job_objects.h"

namespace whimbrel::controller {
namespace {

using nlohmann::json;
using ::testing::ElementsAre;
using ::testing::IsEmpty;
using testing::JobObject;
using testing::PodObject;

SystemTime At(const char* time) { return ParseRfc3339(time).value(); }

TEST(ReadJob, TakesWhatTheControllerWroteIntoIt) {
  json object = JobObject();
  const std::vector<ResolvedObject> resolved = {
      {.kind = "ConfigMap", .name = "sql", .uid = "u1", .resource_version = "17"}};
  object["metadata"]["annotations"]["whimbrel.dev/resolved"] = FormatResolved(resolved);
  const JobFacts job = ReadJob(object);
  EXPECT_EQ(job.name, "orders-1a2b3c4d-2");
  EXPECT_EQ(job.uid, "job-uid");
  EXPECT_EQ(job.owner_uid, "1a2b3c4d-0000");
  EXPECT_EQ(job.owner_name, "orders");
  EXPECT_EQ(job.run_id, "run-2");
  EXPECT_EQ(job.number, 2);
  EXPECT_EQ(job.source_digest, "sha256:ab");
  EXPECT_EQ(job.resolved, resolved);
  EXPECT_EQ(job.created, At("2026-11-21T10:00:00Z"));
  EXPECT_FALSE(job.deleting || job.suspended || job.complete || job.failed);
}

TEST(ReadJob, SeesHowFarTheJobIs) {
  const struct {
    const char* sentence;
    const char* patch;
    bool JobFacts::*flag;
    const char* failed_reason;
  } cases[] = {
      {"a Job that is complete",
       R"({"status": {"conditions": [{"type": "SuccessCriteriaMet", "status": "True"},
                                     {"type": "Complete", "status": "True"}]}})",
       &JobFacts::complete, ""},
      {"a Job that failed",
       R"({"status": {"conditions": [
           {"type": "FailureTarget", "status": "True", "reason": "BackoffLimitExceeded"},
           {"type": "Failed", "status": "True", "reason": "BackoffLimitExceeded"}]}})",
       &JobFacts::failed, "BackoffLimitExceeded"},
      {"a Job that was suspended", R"({"spec": {"suspend": true}})", &JobFacts::suspended, ""},
      {"a Job that is being deleted",
       R"({"metadata": {"deletionTimestamp": "2026-11-21T10:01:00Z"}})", &JobFacts::deleting, ""},
  };
  for (const auto& c : cases) {
    SCOPED_TRACE(c.sentence);
    const JobFacts job = ReadJob(JobObject(c.patch));
    for (bool JobFacts::*flag :
         {&JobFacts::complete, &JobFacts::failed, &JobFacts::suspended, &JobFacts::deleting}) {
      EXPECT_EQ(job.*flag, flag == c.flag);
    }
    EXPECT_EQ(job.failed_reason, c.failed_reason);
  }
}

TEST(ReadJob, KnowsTheReasonBeforeThePodHasEnded) {
  const JobFacts job = ReadJob(JobObject(R"({"status": {"conditions": [
      {"type": "FailureTarget", "status": "True", "reason": "DeadlineExceeded",
       "message": "Job was active longer than specified deadline"}]}})"));
  EXPECT_FALSE(job.failed);
  EXPECT_EQ(job.failed_reason, "DeadlineExceeded");
  EXPECT_EQ(job.failed_message, "Job was active longer than specified deadline");
}

TEST(ReadPod, SeesARunningPod) {
  const PodFacts pod = ReadPod(PodObject());
  EXPECT_EQ(pod.name, "orders-1a2b3c4d-2-x7f2q");
  EXPECT_EQ(pod.uid, "pod-uid");
  EXPECT_EQ(pod.owner_uid, "1a2b3c4d-0000");
  EXPECT_EQ(pod.run_id, "run-2");
  EXPECT_EQ(pod.created, At("2026-11-21T10:00:01Z"));
  EXPECT_EQ(pod.phase, "Running");
  EXPECT_EQ(pod.node, "node1");
  EXPECT_TRUE(pod.running);
  EXPECT_FALSE(pod.ends_by || pod.node_silent || pod.ended());
  EXPECT_EQ(pod.unschedulable + pod.waiting_reason + pod.disrupted_reason + pod.reason, "");
}

TEST(ReadPod, LooksAtItsOwnContainerAlone) {
  const PodFacts pod = ReadPod(PodObject(R"({"status": {"containerStatuses": [
      {"name": "istio-proxy", "state": {"running": {}}},
      {"name": "runner", "state": {"terminated": {"exitCode": 3, "reason": "Error",
                                                  "message": "{}"}}}]}})"));
  ASSERT_TRUE(pod.end);
  EXPECT_EQ(pod.end->exit_code, 3);
  EXPECT_EQ(pod.end->reason, "Error");
  EXPECT_EQ(pod.end->message, "{}");
  EXPECT_FALSE(pod.running);
  EXPECT_TRUE(pod.ended());
}

TEST(ReadPod, AContainerOutOfSightHasEndedOnceItsPodHas) {
  const std::string lost = R"("containerStatuses": [{"name": "runner",
      "state": {"waiting": {"reason": "ContainerCreating"}},
      "lastState": {"terminated": {"exitCode": 137, "reason": "ContainerStatusUnknown"}}}])";
  const PodFacts back = ReadPod(PodObject(R"({"status": {"phase": "Running", )" + lost + "}}"));
  EXPECT_FALSE(back.ended());
  EXPECT_EQ(back.waiting_reason, "ContainerCreating");
  const PodFacts over = ReadPod(PodObject(R"({"status": {"phase": "Failed", )" + lost + "}}"));
  ASSERT_TRUE(over.end);
  EXPECT_EQ(over.end->reason, "ContainerStatusUnknown");
}

TEST(ReadPod, TellsASilentNodeFromAPodThatIsNotReady) {
  const auto silent = [](const std::string& ready) {
    return ReadPod(PodObject(R"({"status": {"conditions": [{"type": "Ready", )" + ready + "}]}}"))
        .node_silent;
  };
  EXPECT_TRUE(silent(R"("status": "False")"));
  EXPECT_TRUE(silent(R"("status": "False", "reason": "NodeNotReady")"));
  EXPECT_TRUE(silent(R"("status": "Unknown", "reason": "NodeStatusUnknown")"));
  EXPECT_FALSE(silent(R"("status": "True")"));
  EXPECT_FALSE(silent(R"("status": "False", "reason": "ContainersNotReady")"));
  EXPECT_TRUE(ReadPod(PodObject(R"({"status": {"reason": "NodeLost"}})")).node_silent);
}

TEST(ReadPod, ReadsTheWordsOfTheSchedulerAndOfDisruptions) {
  const PodFacts pod = ReadPod(PodObject(R"({
      "metadata": {"deletionTimestamp": "2026-11-21T10:05:00Z"},
      "status": {"phase": "Pending", "reason": "Evicted", "message": "low on memory",
        "conditions": [
          {"type": "PodScheduled", "status": "False", "reason": "Unschedulable",
           "message": "0/3 nodes are available: 3 Insufficient cpu."},
          {"type": "DisruptionTarget", "status": "True", "reason": "PreemptionByScheduler",
           "message": "preempting"}]}})"));
  EXPECT_EQ(pod.unschedulable, "0/3 nodes are available: 3 Insufficient cpu.");
  EXPECT_EQ(pod.disrupted_reason, "PreemptionByScheduler");
  EXPECT_EQ(pod.disrupted_message, "preempting");
  EXPECT_EQ(pod.reason, "Evicted");
  EXPECT_EQ(pod.message, "low on memory");
  EXPECT_EQ(pod.ends_by, At("2026-11-21T10:05:00Z"));
}

TEST(ReadPod, ForgetsADisruptionThatWasCalledOff) {
  const PodFacts pod = ReadPod(PodObject(R"({"status": {"conditions": [
      {"type": "DisruptionTarget", "status": "False", "reason": "PreemptionByScheduler"}]}})"));
  EXPECT_THAT(pod.disrupted_reason, IsEmpty());
}

TEST(ReadPod, KeepsNoMoreOfAnyWordsThanAPersonReads) {
  const std::string long_words(5000, 'x');
  const PodFacts pod = ReadPod(PodObject(testing::Waiting("ErrImagePull", long_words)));
  EXPECT_LE(pod.waiting_message.size(), 1024u);
}

TEST(JobFacts, NothingCrashesWhateverTheShape) {
  for (const char* text :
       {"null", "[]", "{}", R"({"metadata": 1, "status": []})",
        R"({"metadata": {"labels": [], "annotations": {"whimbrel.dev/resolved": "[1, {}]",
                                                       "whimbrel.dev/run-number": "x"}},
            "status": {"conditions": [1, {}], "containerStatuses": {"runner": 1}}})"}) {
    (void)ReadJob(json::parse(text));
    (void)ReadPod(json::parse(text));
  }
}

}  // namespace
}  // namespace whimbrel::controller
