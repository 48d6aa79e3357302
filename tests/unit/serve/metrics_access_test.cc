#include "whimbrel/serve/metrics_access.h"

#include <gmock/gmock.h>

#include "support/fake_clock.h"

namespace whimbrel::serve {
namespace {

using ::testing::HasSubstr;

/// Knows `good` (Prometheus, who may read), `other` (who may not) and nobody else.
class FakeReviewer final : public AccessReviewer {
 public:
  Result<std::optional<UserInfo>> Authenticate(const Secret& token, std::stop_token) override {
    ++authentications;
    if (down) return Fail(ErrorKind::kUnavailable, "the API server does not answer");
    const bool known = token.Reveal() == "good" || token.Reveal() == "other";
    if (!known) return std::nullopt;
    return UserInfo{.username = std::string(token.Reveal()), .groups = {"system:authenticated"}};
  }
  Result<bool> Authorize(const UserInfo& user, const std::string& path, std::stop_token) override {
    ++authorizations;
    if (down) return Fail(ErrorKind::kUnavailable, "the API server does not answer");
    return path == "/metrics" && allowed && user.username == "good";
  }

  int authentications = 0;
  int authorizations = 0;
  bool down = false;
  bool allowed = true;
};

class MetricsAccessTest : public ::testing::Test {
 protected:
  // 200: let in.
  int Ask(const std::string& authorization) {
    const std::optional<Response> refused =
        access.Refuse({.path = "/metrics", .authorization = Secret(authorization)});
    return refused ? refused->status : 200;
  }

  FakeReviewer reviewer;
  testing::FakeClock clock;
  MetricsAccess access{reviewer, clock};
};

TEST_F(MetricsAccessTest, LetsInWhoeverMayRead) {
  EXPECT_EQ(Ask("Bearer good"), 200);
  EXPECT_EQ(Ask("bearer  good"), 200);
  EXPECT_EQ(Ask("Bearer other"), 403);
  EXPECT_EQ(Ask("Bearer stranger"), 401);
}

TEST_F(MetricsAccessTest, RefusesWithoutATokenAndSaysWhatIsWanted) {
  for (const char* authorization : {"", "Bearer", "Bearer ", "Basic Z29vZA==", "good"}) {
    EXPECT_EQ(Ask(authorization), 401) << authorization;
  }
  EXPECT_EQ(reviewer.authentications, 0);
  EXPECT_EQ(access.Refuse({.path = "/metrics"})->www_authenticate, "Bearer");
}

TEST_F(MetricsAccessTest, RemembersAnIdentityForAMinute) {
  for (int i = 0; i < 3; ++i) EXPECT_EQ(Ask("Bearer good"), 200);
  for (int i = 0; i < 3; ++i) EXPECT_EQ(Ask("Bearer stranger"), 401);
  EXPECT_EQ(reviewer.authentications, 2);
  clock.Advance(std::chrono::seconds(59));
  EXPECT_EQ(Ask("Bearer good"), 200);
  EXPECT_EQ(reviewer.authentications, 2);
  clock.Advance(std::chrono::seconds(1));
  EXPECT_EQ(Ask("Bearer good"), 200);
  EXPECT_EQ(reviewer.authentications, 3);
}

TEST_F(MetricsAccessTest, RemembersAPermissionForFiveMinutes) {
  EXPECT_EQ(Ask("Bearer good"), 200);
  reviewer.allowed = false;
  clock.Advance(std::chrono::seconds(299));
  EXPECT_EQ(Ask("Bearer good"), 200);
  clock.Advance(std::chrono::seconds(1));
  EXPECT_EQ(Ask("Bearer good"), 403);
  EXPECT_EQ(reviewer.authorizations, 2);
}

TEST_F(MetricsAccessTest, RemembersARefusalForThirtySeconds) {
  reviewer.allowed = false;
  EXPECT_EQ(Ask("Bearer good"), 403);
  reviewer.allowed = true;
  clock.Advance(std::chrono::seconds(29));
  EXPECT_EQ(Ask("Bearer good"), 403);
  clock.Advance(std::chrono::seconds(1));
  EXPECT_EQ(Ask("Bearer good"), 200);
}

TEST_F(MetricsAccessTest, AnErrorIsNotRememberedAndLetsNobodyIn) {
  reviewer.down = true;
  ::testing::internal::CaptureStderr();
  EXPECT_EQ(Ask("Bearer good"), 500);
  const std::string log = ::testing::internal::GetCapturedStderr();
  EXPECT_THAT(log, HasSubstr("the API server does not answer"));
  EXPECT_THAT(log, ::testing::Not(HasSubstr("good")));
  reviewer.down = false;
  EXPECT_EQ(Ask("Bearer good"), 200);
}

TEST_F(MetricsAccessTest, GoesOnForAMinuteWithoutTheApiServer) {
  EXPECT_EQ(Ask("Bearer good"), 200);
  reviewer.down = true;
  EXPECT_EQ(Ask("Bearer good"), 200);
}

TEST_F(MetricsAccessTest, ManyTokensDoNotFillTheMemoryAndKeepNobodyOut) {
  for (int i = 0; i < 3000; ++i) Ask("Bearer " + std::to_string(i));
  EXPECT_EQ(reviewer.authentications, 3000);
  EXPECT_EQ(Ask("Bearer good"), 200);
  // The last ones are remembered.
  Ask("Bearer 2999");
  EXPECT_EQ(reviewer.authentications, 3001);
}

TEST(MetricsHandlerTest, AnswersMetricsAndNothingElse) {
  MetricsRegistry registry({});
  const Handler handler = MetricsHandler(registry, nullptr);
  const Response metrics = handler({.path = "/metrics"});
  EXPECT_EQ(metrics.status, 200);
  EXPECT_EQ(metrics.content_type, "text/plain; version=0.0.4; charset=utf-8");
  EXPECT_THAT(metrics.body, HasSubstr("\nprocess_open_fds "));
  EXPECT_EQ(handler({.path = "/"}).status, 404);
}

TEST(MetricsHandlerTest, ShowsNothingToWhoeverMayNotRead) {
  MetricsRegistry registry({});
  FakeReviewer reviewer;
  MetricsAccess access(reviewer);
  const Response refused = MetricsHandler(registry, &access)({.path = "/metrics"});
  EXPECT_EQ(refused.status, 401);
  EXPECT_EQ(refused.body, "401 Unauthorized\n");
}

}  // namespace
}  // namespace whimbrel::serve
