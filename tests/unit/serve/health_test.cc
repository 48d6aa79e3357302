#include "whimbrel/serve/health.h"

#include <gmock/gmock.h>

namespace whimbrel::serve {
namespace {

std::optional<std::string> Fine() { return std::nullopt; }
std::optional<std::string> Broken() { return "the lease of node-7 is lost"; }

std::string Ask(HealthChecks& health, const std::string& path, const std::string& query = "") {
  const Response response = health.Handle({.path = path, .query = query});
  EXPECT_EQ(response.content_type, "text/plain; charset=utf-8");
  return std::to_string(response.status) + " " + response.body;
}

// The texts are controller-runtime's (pkg/healthz).
TEST(HealthChecksTest, AnswersAsControllerRuntimeDoes) {
  HealthChecks health;
  health.AddHealthCheck("workers", Fine);
  health.AddHealthCheck("clock", Fine);
  health.AddReadyCheck("informer-sync", Broken);
  health.AddReadyCheck("webhook", Fine);
  struct Case {
    const char* path;
    const char* query;
    const char* answer;
  };
  const Case cases[] = {
      {"/healthz", "", "200 ok"},
      {"/healthz/", "", "200 ok"},
      {"/healthz", "verbose", "200 [+]clock ok\n[+]workers ok\nhealthz check passed\n"},
      {"/healthz", "verbose=false", "200 [+]clock ok\n[+]workers ok\nhealthz check passed\n"},
      {"/healthz", "verbose&exclude=clock",
       "200 [+]clock excluded: ok\n[+]workers ok\nhealthz check passed\n"},
      {"/healthz/workers", "", "200 ok"},
      {"/healthz/nobody", "", "404 404 Not Found\n"},
      {"/healthzz", "", "404 404 Not Found\n"},
      {"/", "", "404 404 Not Found\n"},
      {"/readyz", "",
       "500 [-]informer-sync failed: reason withheld\n[+]webhook ok\nhealthz check failed\n"},
      {"/readyz", "exclude=informer-sync", "200 ok"},
      {"/readyz", "exclude=informer-sync&exclude=b&exclude=a&verbose",
       "200 [+]informer-sync excluded: ok\n[+]webhook ok\n"
       "warn: some health checks cannot be excluded: no matches for \"a\", \"b\"\n"
       "healthz check passed\n"},
      {"/readyz/webhook", "", "200 ok"},
      {"/readyz/informer-sync", "", "500 internal server error: reason withheld\n"},
      {"/readyz/workers", "", "404 404 Not Found\n"},
  };
  for (const Case& c : cases) {
    EXPECT_EQ(Ask(health, c.path, c.query), c.answer) << c.path << "?" << c.query;
  }
}

TEST(HealthChecksTest, WithoutChecksThereIsAPing) {
  HealthChecks health;
  EXPECT_EQ(Ask(health, "/healthz"), "200 ok");
  EXPECT_EQ(Ask(health, "/readyz", "verbose"), "200 [+]ping ok\nhealthz check passed\n");
  EXPECT_EQ(Ask(health, "/readyz/ping"), "200 ok");
}

TEST(HealthChecksTest, LogsTheReasonOnceWhileItLastsAndItsEnd) {
  HealthChecks health;
  bool broken = true;
  health.AddHealthCheck("workers", [&] { return broken ? Broken() : Fine(); });
  ::testing::internal::CaptureStderr();
  for (int i = 0; i < 3; ++i) Ask(health, "/healthz");
  broken = false;
  for (int i = 0; i < 3; ++i) Ask(health, "/healthz");
  const std::string log = ::testing::internal::GetCapturedStderr();
  const std::size_t first = log.find("the lease of node-7 is lost");
  ASSERT_NE(first, std::string::npos) << log;
  EXPECT_EQ(log.find("the lease of node-7 is lost", first + 1), std::string::npos) << log;
  EXPECT_NE(log.find("a health check passes again"), std::string::npos) << log;
}

}  // namespace
}  // namespace whimbrel::serve
