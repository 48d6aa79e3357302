#include <gtest/gtest.h>

#include "recording_metrics.h"
#include "rest_client_fixture.h"
#include "support/eventually.h"
#include "whimbrel/kube/work_queue.h"

namespace whimbrel::kube {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;
using testing::Eventually;
using testing::FakeClock;
using KubeMetricsTest = RestClientTest;

TEST_F(KubeMetricsTest, RequestsAreCountedByAnswerAndMethodEachAttempt) {
  RecordingMetrics metrics;
  Build({.metrics = &metrics});
  script_.answers = {
      {.status = 429, .retry_after = seconds(2)},
      {.body = "{}"},
      {.status = 0, .error = TransportError{.kind = TransportError::Kind::kConnect}}};
  EXPECT_TRUE(Get());
  EXPECT_FALSE(client_->Create(ConfigMaps(), ConfigMap("a"), {}));
  EXPECT_EQ(metrics.Value("rest_client_requests_total{code=429,method=GET,host=h:1}"), 1);
  EXPECT_EQ(metrics.Value("rest_client_requests_total{code=200,method=GET,host=h:1}"), 1);
  EXPECT_EQ(metrics.Value("rest_client_requests_total{code=<error>,method=POST,host=h:1}"), 1);
  EXPECT_EQ(metrics.Observed("rest_client_request_duration_seconds{verb=GET,host=h:1}"), 2);
}

TEST_F(KubeMetricsTest, AWatchIsCountedButNotTimed) {
  RecordingMetrics metrics;
  Build({.metrics = &metrics});
  script_.answers = {{}};
  std::vector<std::string> events;
  EXPECT_TRUE(Watch(&events));
  EXPECT_EQ(metrics.Value("rest_client_requests_total{code=200,method=GET,host=h:1}"), 1);
  EXPECT_EQ(metrics.Observed("rest_client_request_duration_seconds{verb=GET,host=h:1}"), 0);
}

TEST_F(KubeMetricsTest, TheWaitForTheClientsOwnLimitIsMeasured) {
  RecordingMetrics metrics;
  Build({.qps = 1, .burst = 1, .metrics = &metrics});
  script_.answers = {{.body = "{}"}, {.body = "{}"}};
  EXPECT_TRUE(Get());
  EXPECT_TRUE(Get());
  EXPECT_EQ(metrics.Value("rest_client_rate_limiter_duration_seconds{verb=GET,host=h:1}"), 1);
}

TEST(WorkQueueMetricsTest, WaitsAndWorkAreMeasured) {
  RecordingMetrics metrics;
  FakeClock clock;
  WorkQueue queue({.name = "q", .metrics = &metrics}, clock);
  const ObjectKey one{"ns", "one"};
  queue.Add(one);
  queue.Add(one);
  queue.Add({"ns", "two"});
  EXPECT_EQ(metrics.Value("workqueue_depth{name=q}"), 2);
  EXPECT_EQ(metrics.Value("workqueue_adds_total{name=q}"), 2) << "an equal key counts once";
  clock.Advance(milliseconds(100));
  ASSERT_EQ(queue.Get({}), one);
  EXPECT_EQ(metrics.Value("workqueue_depth{name=q}"), 1);
  EXPECT_DOUBLE_EQ(metrics.Value("workqueue_queue_duration_seconds{name=q}"), 0.1);
  clock.Advance(milliseconds(300));
  queue.AddRateLimited(one);
  queue.Done(one);
  EXPECT_DOUBLE_EQ(metrics.Value("workqueue_work_duration_seconds{name=q}"), 0.3);
  EXPECT_EQ(metrics.Value("workqueue_retries_total{name=q}"), 1);
}

TEST(WorkQueueMetricsTest, WorkThatDoesNotEndShows) {
  RecordingMetrics metrics;
  FakeClock clock;
  WorkQueue queue({.name = "q", .metrics = &metrics}, clock);
  ASSERT_TRUE(clock.WaitForSleepers(1));
  queue.Add({"ns", "one"});
  ASSERT_TRUE(queue.Get({}));
  clock.Advance(seconds(7));
  EXPECT_TRUE(Eventually(
      [&] { return metrics.Value("workqueue_longest_running_processor_seconds{name=q}") == 7; }));
  EXPECT_EQ(metrics.Value("workqueue_unfinished_work_seconds{name=q}"), 7);
}

}  // namespace
}  // namespace whimbrel::kube
