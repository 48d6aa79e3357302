#include "kube/http_transport.h"

#include <gtest/gtest.h>

#include <chrono>
#include <future>
#include <iostream>
#include <string>
#include <vector>

#include "socket_server.h"
#include "support/eventually.h"

namespace whimbrel::kube {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;
using Connection = SocketServer::Connection;
using Kind = TransportError::Kind;

/// Keeps what comes.
class Collector : public HttpReceiver {
 public:
  bool OnHead(const HttpHead& new_head) override {
    head = new_head;
    return take_head;
  }
  bool OnBody(std::string_view bytes) override {
    body.append(bytes);
    if (on_bytes) on_bytes();
    return body.size() <= limit;
  }

  HttpHead head;
  std::string body;
  bool take_head = true;
  std::size_t limit = SIZE_MAX;
  std::function<void()> on_bytes;
};

ServerUrl UrlOf(const SocketServer& server) {
  return {.tls = false, .host = "127.0.0.1", .port = server.port()};
}

std::unique_ptr<HttpTransport> TransportTo(const SocketServer& server) {
  return NewHttpTransport(UrlOf(server), std::nullopt, "");
}

std::string Answer(const std::string& body, const std::string& headers = "") {
  return "HTTP/1.1 200 OK\r\nContent-Length: " + std::to_string(body.size()) + "\r\n" + headers +
         "\r\n" + body;
}

/// Answers every request of every connection with the same text.
SocketServer::Handler Always(std::string answer) {
  return [answer](Connection& connection) {
    while (connection.ReadRequest()) {
      if (!connection.Write(answer)) return;
    }
  };
}

Result<void, TransportError> Get(HttpTransport& transport, Collector& collector,
                                 std::stop_token stop = {}) {
  return transport.Exchange({.method = "GET", .target = "/x"}, collector, std::move(stop));
}

TEST(HttpTransportTest, SendsTheRequestAsItIsGiven) {
  std::promise<std::string> received;
  SocketServer server([&](Connection& connection) {
    received.set_value(connection.ReadRequest().value_or(""));
    connection.Write(Answer("ok"));
  });
  ServerUrl url = UrlOf(server);
  url.prefix = "/prefix";
  const auto transport = NewHttpTransport(url, std::nullopt, "other-name");
  Collector collector;
  ASSERT_TRUE(transport->Exchange({.method = "PATCH",
                                   .target = "/a%2Fb?c=d%20e",
                                   .headers = {{"Content-Type", "application/json"},
                                               {"Authorization", "Bearer t"},
                                               {"User-Agent", "w"},
                                               {"Accept", "a"}},
                                   .body = "{}"},
                                  collector, {}));
  EXPECT_EQ(collector.body, "ok");
  const std::string request = received.get_future().get();
  EXPECT_EQ(request,
            "PATCH /prefix/a%2Fb?c=d%20e HTTP/1.1\r\n"
            "Accept: a\r\n"
            "Authorization: Bearer t\r\n"
            "Content-Length: 2\r\n"
            "Content-Type: application/json\r\n"
            "Host: 127.0.0.1:" +
                std::to_string(server.port()) +
                "\r\n"
                "User-Agent: w\r\n\r\n{}");
}

TEST(HttpTransportTest, ReadsBodiesOfEveryFraming) {
  const struct {
    const char* name;
    std::string answer;
  } cases[] = {
      {"with a length", Answer("hello")},
      {"in chunks",
       "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"
       "2\r\nhe\r\n1;x=y\r\nl\r\n2\r\nlo\r\n0\r\n\r\n"},
      {"until the connection ends", "HTTP/1.1 200 OK\r\n\r\nhello"},
  };
  for (const auto& test : cases) {
    SocketServer server([&](Connection& connection) {
      (void)connection.ReadRequest();
      for (const char c : test.answer) connection.Write(std::string(1, c));
    });
    Collector collector;
    const auto result = Get(*TransportTo(server), collector);
    EXPECT_TRUE(result) << test.name << ": " << result.error().message;
    EXPECT_EQ(collector.body, "hello") << test.name;
  }
}

TEST(HttpTransportTest, ReadsTheHead) {
  SocketServer server(
      Always("HTTP/1.1 429 Too Many Requests\r\nRetry-After: 7\r\n"
             "Warning: 299 - \"old field\"\r\nWarning: 299 - \"b\"\r\n"
             "Content-Length: 0\r\n\r\n"));
  Collector collector;
  ASSERT_TRUE(Get(*TransportTo(server), collector));
  EXPECT_EQ(collector.head.status, 429);
  EXPECT_EQ(collector.head.retry_after, seconds(7));
  EXPECT_EQ(collector.head.warnings,
            (std::vector<std::string>{"299 - \"old field\"", "299 - \"b\""}));
}

TEST(HttpTransportTest, AnAnswerWithoutABodyHasAHeadAllTheSame) {
  SocketServer server(Always("HTTP/1.1 204 No Content\r\nRetry-After: later\r\n\r\n"));
  Collector collector;
  ASSERT_TRUE(Get(*TransportTo(server), collector));
  EXPECT_EQ(collector.head.status, 204);
  EXPECT_EQ(collector.head.retry_after, std::nullopt);
}

TEST(HttpTransportTest, NeverFollowsARedirect) {
  SocketServer server(
      Always("HTTP/1.1 302 Found\r\nLocation: /elsewhere\r\nContent-Length: 0\r\n\r\n"));
  Collector collector;
  ASSERT_TRUE(Get(*TransportTo(server), collector));
  EXPECT_EQ(collector.head.status, 302);
}

TEST(HttpTransportTest, KeepsItsConnection) {
  SocketServer server(Always(Answer("ok")));
  const auto transport = TransportTo(server);
  for (int i = 0; i < 3; ++i) {
    Collector collector;
    EXPECT_TRUE(Get(*transport, collector));
  }
  EXPECT_EQ(server.accepted(), 1);
}

TEST(HttpTransportTest, AWatchHasAConnectionOfItsOwn) {
  SocketServer server(Always(Answer("ok")));
  const auto transport = TransportTo(server);
  Collector collector;
  EXPECT_TRUE(Get(*transport, collector));
  EXPECT_TRUE(transport->Exchange({.method = "GET", .target = "/x", .own_connection = true},
                                  collector, {}));
  EXPECT_EQ(server.accepted(), 2);
  EXPECT_TRUE(Get(*transport, collector));
  EXPECT_EQ(server.accepted(), 2);
}

TEST(HttpTransportTest, ThreadsDoNotShareAConnectionAtOneTime) {
  constexpr int kThreads = 4;
  std::atomic<int> arrived = 0;
  SocketServer server([&](Connection& connection) {
    while (connection.ReadRequest()) {
      ++arrived;
      // Nobody is answered before all have asked.
      if (!testing::Eventually([&] { return arrived >= kThreads; })) return;
      connection.Write(Answer("ok"));
    }
  });
  const auto transport = TransportTo(server);
  std::vector<std::future<bool>> exchanges;
  for (int i = 0; i < kThreads; ++i) {
    exchanges.push_back(std::async(std::launch::async, [&] {
      Collector collector;
      return Get(*transport, collector).has_value();
    }));
  }
  for (auto& exchange : exchanges) EXPECT_TRUE(exchange.get());
  EXPECT_EQ(server.accepted(), kThreads);
}

TEST(HttpTransportTest, AConnectionThatTheServerClosedWhileIdleIsNotUsedAgain) {
  SocketServer server([](Connection& connection) {
    (void)connection.ReadRequest();
    connection.Write(Answer("ok"));
  });
  const auto transport = TransportTo(server);
  for (int i = 1; i <= 3; ++i) {
    Collector collector;
    const auto result = Get(*transport, collector);
    // The end of the connection may still be on its way when the next request begins; a GET is then
    // sent again by the layer above.
    EXPECT_TRUE(result || result.error().reused_connection) << result.error().message;
  }
  EXPECT_GE(server.accepted(), 2);
}

TEST(HttpTransportTest, SaysHowAConnectionFailed) {
  const struct {
    const char* name;
    std::function<void(Connection&)> handler;
    Kind kind;
    bool answered;
  } cases[] = {
      {"ended before the answer", [](Connection& c) { (void)c.ReadRequest(); }, Kind::kBroken,
       false},
      {"reset before the answer",
       [](Connection& c) {
         (void)c.ReadRequest();
         c.Reset();
       },
       Kind::kBroken, false},
      {"ended in the head",
       [](Connection& c) {
         (void)c.ReadRequest();
         c.Write("HTTP/1.1 200 OK\r\nConte");
       },
       Kind::kBroken, false},
      {"ended in the body",
       [](Connection& c) {
         (void)c.ReadRequest();
         c.Write("HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nhello");
       },
       Kind::kBroken, true},
      {"ended in a chunk",
       [](Connection& c) {
         (void)c.ReadRequest();
         c.Write("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n10\r\nhel");
       },
       Kind::kBroken, true},
      {"ended between two chunks",
       [](Connection& c) {
         (void)c.ReadRequest();
         c.Write("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nhe\r\n");
       },
       Kind::kBroken, true},
      {"is no HTTP",
       [](Connection& c) {
         (void)c.ReadRequest();
         c.Write("SSH-2.0-OpenSSH_9.2\r\n");
       },
       Kind::kBroken, false},
  };
  for (const auto& test : cases) {
    SocketServer server(test.handler);
    Collector collector;
    const auto result = Get(*TransportTo(server), collector);
    ASSERT_FALSE(result) << test.name;
    EXPECT_EQ(result.error().kind, test.kind) << test.name << ": " << result.error().message;
    EXPECT_EQ(result.error().answered, test.answered) << test.name;
    EXPECT_FALSE(result.error().reused_connection) << test.name;
  }
}

TEST(HttpTransportTest, ASilentServerIsGivenUpInTime) {
  SocketServer server([](Connection& connection) { connection.AwaitEnd(); });
  Collector collector;
  const auto result = TransportTo(server)->Exchange(
      {.method = "GET", .target = "/x", .timeout = milliseconds(100)}, collector, {});
  ASSERT_FALSE(result);
  EXPECT_EQ(result.error().kind, Kind::kTimeout) << result.error().message;
}

TEST(HttpTransportTest, ASlowAnswerIsGivenUpInTimeAlthoughBytesKeepComing) {
  SocketServer server([](Connection& connection) {
    (void)connection.ReadRequest();
    connection.Write("HTTP/1.1 200 OK\r\n\r\n");
    while (connection.Write("x")) {
    }
  });
  Collector collector;
  const auto result = TransportTo(server)->Exchange(
      {.method = "GET", .target = "/x", .timeout = milliseconds(100)}, collector, {});
  ASSERT_FALSE(result);
  EXPECT_EQ(result.error().kind, Kind::kTimeout) << result.error().message;
}

TEST(HttpTransportTest, EndsWhenTheReceiverHadEnough) {
  SocketServer server(Always(Answer(std::string(100'000, 'x'))));
  Collector collector;
  collector.limit = 10;
  const auto body = Get(*TransportTo(server), collector);
  ASSERT_FALSE(body);
  EXPECT_EQ(body.error().kind, Kind::kAbandoned);
  collector.take_head = false;
  const auto head = Get(*TransportTo(server), collector);
  ASSERT_FALSE(head);
  EXPECT_EQ(head.error().kind, Kind::kAbandoned);
}

TEST(HttpTransportTest, SaysThatNobodyListens) {
  int port = 0;
  {
    const SocketServer gone([](Connection&) {});
    port = gone.port();
  }
  const auto transport =
      NewHttpTransport({.tls = false, .host = "127.0.0.1", .port = port}, std::nullopt, "");
  Collector collector;
  const auto result = Get(*transport, collector);
  ASSERT_FALSE(result);
  EXPECT_EQ(result.error().kind, Kind::kConnect);
  EXPECT_NE(result.error().message.find("Connection refused"), std::string::npos)
      << result.error().message;
}

TEST(HttpTransportTest, SaysThatANameCannotBeResolved) {
  const auto transport =
      NewHttpTransport({.tls = false, .host = "no..name", .port = 1}, std::nullopt, "");
  Collector collector;
  const auto result = Get(*transport, collector);
  ASSERT_FALSE(result);
  EXPECT_EQ(result.error().kind, Kind::kConnect);
  EXPECT_NE(result.error().message.find("cannot resolve the host name no..name"), std::string::npos)
      << result.error().message;
}

TEST(HttpTransportTest, ResolvesNames) {
  SocketServer server(Always(Answer("ok")));
  ServerUrl url = UrlOf(server);
  url.host = "localhost";  // ::1 first, where nobody listens, on many machines.
  Collector collector;
  const auto result = Get(*NewHttpTransport(url, std::nullopt, ""), collector);
  EXPECT_TRUE(result) << result.error().message;
}

TEST(HttpTransportTest, SendsNothingThatCouldSmuggleAHeader) {
  SocketServer server(Always(Answer("ok")));
  const auto transport = TransportTo(server);
  const HttpRequest requests[] = {
      {.method = "GET", .target = "/x HTTP/1.1\r\nX: y"},
      {.method = "GET", .target = "/x y"},
      {.method = "GET", .target = "/x", .headers = {{"Authorization", "Bearer a\r\nX: y"}}},
      {.method = "GET", .target = "/x", .headers = {{"A\n", "b"}}},
      {.method = "GET", .target = "/x", .headers = {{"A", std::string("b\0", 2)}}},
  };
  for (const HttpRequest& request : requests) {
    Collector collector;
    EXPECT_FALSE(transport->Exchange(request, collector, {})) << request.target;
  }
  EXPECT_EQ(server.accepted(), 0);
}

TEST(HttpTransportTest, AWriteToAConnectionThatIsGoneDoesNotKillTheProcess) {
  SocketServer server([](Connection& connection) { connection.Reset(); });
  const auto transport = TransportTo(server);
  for (int i = 0; i < 3; ++i) {
    Collector collector;
    const auto result = transport->Exchange(
        {.method = "POST", .target = "/x", .body = std::string(5'000'000, 'x')}, collector, {});
    EXPECT_FALSE(result);
  }
}

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
  const auto transport = NewHttpTransport(UrlOf(server), std::move(*tls), "");
  Collector collector;
  EXPECT_LT(CancelLatency(
                *transport, [&] { return server.accepted() > 0; }, collector),
            kAtOnce);
}

TEST(HttpTransportCancelTest, EndsAHungConnectAtOnce) {
  // A listener that accepts nothing: once its queue is full, the kernel drops what asks to connect.
  const testing::UniqueFd listener(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  socklen_t size = sizeof(address);
  auto* const any = reinterpret_cast<sockaddr*>(&address);
  ASSERT_EQ(::bind(listener.get(), any, size), 0);
  ASSERT_EQ(::listen(listener.get(), 0), 0);
  ASSERT_EQ(::getsockname(listener.get(), any, &size), 0);
  std::vector<testing::UniqueFd> queue;
  pollfd last{};
  do {
    ASSERT_LT(queue.size(), 100U) << "the queue never fills up";
    queue.emplace_back(::socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0));
    (void)::connect(queue.back().get(), any, size);
    last = {.fd = queue.back().get(), .events = POLLOUT, .revents = 0};
  } while (::poll(&last, 1, 100) == 1);

  const auto transport = NewHttpTransport(
      {.tls = false, .host = "127.0.0.1", .port = ntohs(address.sin_port)}, std::nullopt, "");
  Collector collector;
  std::atomic<int> asked = 0;
  // Whether the connect has begun cannot be seen from here: both orders must work.
  EXPECT_LT(CancelLatency(
                *transport, [&] { return ++asked > 3; }, collector),
            kAtOnce);
}

}  // namespace
}  // namespace whimbrel::kube
