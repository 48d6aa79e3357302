#include "whimbrel/serve/http_endpoint.h"

#include <gmock/gmock.h>

#include <atomic>
#include <latch>
#include <stdexcept>
#include <thread>
#include <vector>

#include "raw_client.h"
#include "support/eventually.h"
#include "whimbrel/serve/health.h"

namespace whimbrel::serve {
namespace {

using ::testing::HasSubstr;
using ::testing::StartsWith;

/// The default could pass on a busy machine. No test waits for this one.
constexpr std::chrono::hours kNever{1};

Response SayOk(const Request&) { return {.body = "ok"}; }

std::unique_ptr<HttpEndpoint> Start(EndpointOptions options, Handler handler = SayOk) {
  options.address = {.host = "127.0.0.1", .port = 0};
  auto endpoint = HttpEndpoint::Start(std::move(options), std::move(handler));
  EXPECT_TRUE(endpoint) << endpoint.error().message;
  return *std::move(endpoint);
}

TEST(HttpEndpointTest, AnswersAndCloses) {
  HealthChecks health;
  health.AddReadyCheck("sync", [] { return std::optional<std::string>("not yet"); });
  const auto endpoint = Start({.deadline = kNever}, health.ToHandler());
  EXPECT_EQ(BodyOf(Get(endpoint->port(), "/healthz")), "ok");
  EXPECT_THAT(Get(endpoint->port(), "/readyz"), StartsWith("HTTP/1.1 500 "));
  EXPECT_THAT(Get(endpoint->port(), "/nothing"), StartsWith("HTTP/1.1 404 "));
}

TEST(HttpEndpointTest, RefusesOtherMethodsWithoutAskingTheHandler) {
  const auto endpoint =
      Start({.deadline = kNever}, [](const Request&) -> Response { throw std::logic_error("no"); });
  const RawClient client(endpoint->port());
  client.Send("POST /healthz HTTP/1.1\r\nContent-Length: 2\r\n\r\n{}");
  EXPECT_THAT(client.ReadAll(), StartsWith("HTTP/1.1 405 "));
}

TEST(HttpEndpointTest, TakesARequestByteByByteAndAnswersOnlyTheFirst) {
  const auto endpoint = Start({.deadline = kNever});
  const RawClient client(endpoint->port());
  for (const char c : std::string("GET / HTTP/1.1\r\n\r\n")) client.Send({&c, 1});
  client.Send("GET / HTTP/1.1\r\n\r\n");
  const std::string answer = client.ReadAll();
  EXPECT_THAT(answer, StartsWith("HTTP/1.1 200 OK\r\n"));
  EXPECT_EQ(BodyOf(answer), "ok");
}

TEST(HttpEndpointTest, AnswersARequestThatIsTooLong) {
  const auto endpoint = Start({.deadline = kNever});
  const RawClient client(endpoint->port());
  client.Send("GET / HTTP/1.1\r\nA: " + std::string(100'000, 'a'));
  EXPECT_THAT(client.ReadAll(), StartsWith("HTTP/1.1 431 "));
}

// A thread per connection, or a few for all, would answer this only after a timeout.
TEST(HttpEndpointTest, SilentAndSlowConnectionsDelayNobody) {
  const auto endpoint = Start({.deadline = kNever, .max_connections = 300});
  std::vector<RawClient> others;
  for (int i = 0; i < 256; ++i) {
    others.emplace_back(endpoint->port());
    ASSERT_TRUE(others.back().connected());
    if (i % 2 == 0) others.back().Send("GET /healthz HT");
  }
  EXPECT_EQ(BodyOf(Get(endpoint->port(), "/healthz")), "ok");
  // They are still there.
  others[0].Send("TP/1.1\r\n\r\n");
  EXPECT_EQ(BodyOf(others[0].ReadAll()), "ok");
}

TEST(HttpEndpointTest, TheOldestSilentConnectionMakesRoom) {
  const auto endpoint = Start({.deadline = kNever, .max_connections = 4});
  std::vector<RawClient> others;
  for (int i = 0; i < 4; ++i) others.emplace_back(endpoint->port());
  EXPECT_EQ(BodyOf(Get(endpoint->port(), "/")), "ok");
  EXPECT_EQ(others[0].ReadAll(), "");
  others[3].Send("GET / HTTP/1.1\r\n\r\n");
  EXPECT_EQ(BodyOf(others[3].ReadAll()), "ok");
}

TEST(HttpEndpointTest, ClosesWhoIsNotDoneInTime) {
  const auto endpoint = Start({.deadline = std::chrono::milliseconds(1)});
  const RawClient silent(endpoint->port());
  EXPECT_EQ(silent.ReadAll(), "");
}

TEST(HttpEndpointTest, ASlowHandlerDelaysNoOther) {
  std::latch started(1);
  std::latch go_on(1);
  const auto endpoint = Start({.deadline = kNever, .handlers = 2}, [&](const Request& request) {
    if (request.path == "/slow") {
      started.count_down();
      go_on.wait();
    }
    return Response{.body = request.path};
  });
  const RawClient slow(endpoint->port());
  slow.Send("GET /slow HTTP/1.1\r\n\r\n");
  started.wait();
  EXPECT_EQ(BodyOf(Get(endpoint->port(), "/quick")), "/quick");
  go_on.count_down();
  EXPECT_EQ(BodyOf(slow.ReadAll()), "/slow");
}

TEST(HttpEndpointTest, SurvivesClientsThatDieBeforeTheirAnswer) {
  std::latch started(1);
  std::latch go_on(1);
  const auto endpoint = Start({.deadline = kNever}, [&](const Request& request) {
    if (request.path == "/large") {
      started.count_down();
      go_on.wait();
    }
    return Response{.body = std::string(10'000'000, 'x')};
  });
  {
    RawClient dying(endpoint->port());
    dying.Send("GET /large HTTP/1.1\r\n\r\n");
    started.wait();
    dying.Reset();
  }
  go_on.count_down();
  EXPECT_EQ(BodyOf(Get(endpoint->port(), "/")).size(), 10'000'000U);
}

TEST(HttpEndpointTest, AHandlerThatThrowsIsAnInternalError) {
  const auto endpoint = Start(
      {.deadline = kNever}, [](const Request&) -> Response { throw std::runtime_error("secret"); });
  ::testing::internal::CaptureStderr();
  const std::string answer = Get(endpoint->port(), "/");
  ::testing::internal::GetCapturedStderr();
  EXPECT_THAT(answer, StartsWith("HTTP/1.1 500 "));
  EXPECT_THAT(answer, ::testing::Not(HasSubstr("secret")));
}

TEST(HttpEndpointTest, StopEndsHandlersThatWaitAndFreesThePort) {
  std::latch started(1);
  std::atomic<bool> asked_to_stop = false;
  const auto endpoint = Start({.deadline = kNever}, [&](const Request& request) {
    std::latch stopped(1);
    const std::stop_callback wake(request.stop, [&] { stopped.count_down(); });
    started.count_down();
    stopped.wait();
    asked_to_stop = true;
    return Response{};
  });
  const RawClient silent(endpoint->port());
  const RawClient waiting(endpoint->port());
  waiting.Send("GET / HTTP/1.1\r\n\r\n");
  started.wait();
  endpoint->Stop();
  endpoint->Stop();
  EXPECT_TRUE(asked_to_stop);
  EXPECT_EQ(silent.ReadAll(), "");
  EXPECT_FALSE(RawClient(endpoint->port()).connected());
}

// cpp-httplib's default, SO_REUSEPORT, would let two processes share one port unnoticed.
TEST(HttpEndpointTest, APortBelongsToOne) {
  const auto first = Start({.deadline = kNever});
  const auto second =
      HttpEndpoint::Start({.address = {.host = "127.0.0.1", .port = first->port()}}, SayOk);
  ASSERT_FALSE(second);
  EXPECT_EQ(second.error().kind, ErrorKind::kAlreadyExists);
  EXPECT_EQ(second.error().message,
            "cannot listen on 127.0.0.1:" + std::to_string(first->port()) +
                ": another process has the port; stop it, or choose another port");
}

TEST(HttpEndpointTest, AnAddressOfAnotherMachineIsRefusedWithWhatToDo) {
  // TEST-NET-1 (RFC 5737) belongs to nobody.
  const auto endpoint = HttpEndpoint::Start({.address = {.host = "192.0.2.1", .port = 0}}, SayOk);
  ASSERT_FALSE(endpoint);
  EXPECT_EQ(endpoint.error().kind, ErrorKind::kInvalidArgument);
  EXPECT_THAT(endpoint.error().message, HasSubstr("leave it out for all of them"));
}

TEST(HttpEndpointTest, WithoutAHostItListensForIpv4Too) {
  auto endpoint = HttpEndpoint::Start({.address = {.host = "", .port = 0}}, SayOk);
  ASSERT_TRUE(endpoint) << endpoint.error().message;
  EXPECT_EQ(BodyOf(Get((*endpoint)->port(), "/")), "ok");
}

}  // namespace
}  // namespace whimbrel::serve
