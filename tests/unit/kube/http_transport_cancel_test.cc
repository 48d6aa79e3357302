#include <gtest/gtest.h>

#include <atomic>
#include <chrono>
#include <future>
#include <string>
#include <vector>

#include "kube/http_transport.h"
#include "support/eventually.h"
#include "support/loopback.h"
#include "transport_fixture.h"

namespace whimbrel::kube {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;
using Kind = TransportError::Kind;

/// Requests a stop once `condition` holds, and returns how long the exchange went on after that.
milliseconds CancelLatency(HttpTransport& transport, const std::function<bool()>& condition,
                           Collector& collector) {
  std::stop_source stop;
  auto exchange = std::async(std::launch::async, [&] {
    return transport.Exchange({.method = "GET", .target = "/x", .timeout = seconds(60)}, collector,
                              stop.get_token());
  });
  EXPECT_TRUE(testing::Eventually(condition));
  const auto begin = std::chrono::steady_clock::now();
  stop.request_stop();
  const auto result = exchange.get();
  const auto latency = std::chrono::steady_clock::now() - begin;
  EXPECT_TRUE(!result && result.error().kind == Kind::kCancelled);
  return std::chrono::duration_cast<milliseconds>(latency);
}

// Generous for a busy machine under sanitizers, and far from every timeout.
constexpr milliseconds kAtOnce{2000};

TEST(HttpTransportCancelTest, AStopBeforeTheRequestSendsNothing) {
  SocketServer server(Always(Answer("ok")));
  std::stop_source stop;
  stop.request_stop();
  Collector collector;
  const auto result = Get(*TransportTo(server), collector, stop.get_token());
  ASSERT_FALSE(result);
  EXPECT_EQ(result.error().kind, Kind::kCancelled);
}

TEST(HttpTransportCancelTest, EndsAnIdleWatchAtOnce) {
  SocketServer server([](Connection& connection) {
    (void)connection.ReadRequest();
    connection.Write("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n1\r\nx\r\n");
    connection.AwaitEnd();
  });
  const auto transport = TransportTo(server);
  Collector collector;
  std::atomic<bool> watching = false;
  collector.on_bytes = [&] { watching = true; };
  EXPECT_LT(CancelLatency(
                *transport, [&] { return watching.load(); }, collector),
            kAtOnce);
}

TEST(HttpTransportCancelTest, EndsAHungTlsHandshakeAtOnce) {
  SocketServer server([](Connection& connection) { connection.AwaitEnd(); });
  auto tls = TlsContext::Create({.server_name = "127.0.0.1", .insecure_skip_verify = true});
  ASSERT_TRUE(tls);
  const auto transport = NewHttpTransport(
      {.server = {.host = "127.0.0.1", .port = server.port()}, .tls = Fixed(std::move(*tls))});
  Collector collector;
  EXPECT_LT(CancelLatency(
                *transport, [&] { return server.accepted() > 0; }, collector),
            kAtOnce);
}

TEST(HttpTransportCancelTest, EndsAHungConnectAtOnce) {
  // A listener that accepts nothing: once its queue is full, the kernel drops what asks to connect.
  const FileDescriptor listener(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
  sockaddr_in address = testing::Loopback(0);
  socklen_t size = sizeof(address);
  auto* const any = reinterpret_cast<sockaddr*>(&address);
  ASSERT_EQ(::bind(listener.get(), any, size), 0);
  ASSERT_EQ(::listen(listener.get(), 0), 0);
  ASSERT_EQ(::getsockname(listener.get(), any, &size), 0);
  std::vector<FileDescriptor> queue;
  pollfd last{};
  do {
    ASSERT_LT(queue.size(), 100U) << "the queue never fills up";
    queue.emplace_back(::socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0));
    (void)::connect(queue.back().get(), any, size);
    last = {.fd = queue.back().get(), .events = POLLOUT, .revents = 0};
  } while (::poll(&last, 1, 100) == 1);

  const auto transport = NewHttpTransport(
      {.server = {.tls = false, .host = "127.0.0.1", .port = ntohs(address.sin_port)}});
  Collector collector;
  std::atomic<int> asked = 0;
  // Whether the connect has begun cannot be seen from here: both orders must work.
  EXPECT_LT(CancelLatency(
                *transport, [&] { return ++asked > 3; }, collector),
            kAtOnce);
}

}  // namespace
}  // namespace whimbrel::kube
