#include "controller/job_spec.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

namespace whimbrel::controller {
namespace {

using nlohmann::json;
using ::testing::ElementsAre;
using ::testing::Pair;

TEST(ReadJobSpec, WithoutItPodsAreAsTheyUsuallyAre) {
  const JobSpec job = ReadJobSpec(json());
  EXPECT_EQ(job.successful_history_limit, 1);
  EXPECT_EQ(job.failed_history_limit, 3);
  EXPECT_FALSE(job.ttl_seconds_after_finished);
  EXPECT_EQ(job.service_account + job.priority_class + job.runtime_class, "");
  EXPECT_EQ(job.requests.memory + job.limits.memory, "");
  EXPECT_TRUE(job.pod_labels.empty() && job.tolerations.empty() && job.image_pull_secrets.empty());
}

TEST(ReadJobSpec, ReadsEveryField) {
  const JobSpec job = ReadJobSpec(json::parse(R"({
      "serviceAccountName": "migrations", "podLabels": {"team": "orders"},
      "podAnnotations": {"a": "b"},
      "resources": {"requests": {"cpu": 1, "memory": "1Gi", "ephemeral-storage": "2Gi"},
                    "limits": {"cpu": "500m", "memory": 268435456, "ephemeral-storage": "3Gi"}},
      "nodeSelector": {"disk": "ssd"},
      "tolerations": [{"key": "k", "operator": "Equal", "value": "v", "effect": "NoExecute",
                       "tolerationSeconds": 0}, {"operator": "Exists"}],
      "priorityClassName": "high", "runtimeClassName": "gvisor",
      "imagePullSecrets": [{"name": "one"}, {"name": "two"}],
      "successfulHistoryLimit": 0, "failedHistoryLimit": 7, "ttlSecondsAfterFinished": 60})"));
  EXPECT_EQ(job.service_account, "migrations");
  EXPECT_THAT(job.pod_labels, ElementsAre(Pair("team", "orders")));
  EXPECT_THAT(job.pod_annotations, ElementsAre(Pair("a", "b")));
  EXPECT_EQ(job.requests.cpu, "1");
  EXPECT_EQ(job.requests.memory, "1Gi");
  EXPECT_EQ(job.requests.ephemeral_storage, "2Gi");
  EXPECT_EQ(job.limits.cpu, "500m");
  EXPECT_EQ(job.limits.memory, "268435456");
  EXPECT_EQ(job.limits.ephemeral_storage, "3Gi");
  EXPECT_THAT(job.node_selector, ElementsAre(Pair("disk", "ssd")));
  ASSERT_EQ(job.tolerations.size(), 2u);
  EXPECT_EQ(job.tolerations[0].key, "k");
  EXPECT_EQ(job.tolerations[0].op, "Equal");
  EXPECT_EQ(job.tolerations[0].value, "v");
  EXPECT_EQ(job.tolerations[0].effect, "NoExecute");
  EXPECT_EQ(job.tolerations[0].seconds, 0);
  EXPECT_EQ(job.tolerations[1].op, "Exists");
  EXPECT_FALSE(job.tolerations[1].seconds);
  EXPECT_EQ(job.priority_class, "high");
  EXPECT_EQ(job.runtime_class, "gvisor");
  EXPECT_THAT(job.image_pull_secrets, ElementsAre("one", "two"));
  EXPECT_EQ(job.successful_history_limit, 0);
  EXPECT_EQ(job.failed_history_limit, 7);
  EXPECT_EQ(job.ttl_seconds_after_finished, 60);
}

}  // namespace
}  // namespace whimbrel::controller
