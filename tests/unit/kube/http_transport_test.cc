#include "kube/http_transport.h"

#include <gtest/gtest.h>

#include <chrono>
#include <future>
#include <string>
#include <vector>

#include "support/eventually.h"
#include "transport_fixture.h"

namespace whimbrel::kube {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;
using Kind = TransportError::Kind;

TEST(HttpTransportTest, SendsTheRequestAsItIsGiven) {
  std::promise<std::string> received;
  SocketServer server([&](Connection& connection) {
    received.set_value(connection.ReadRequest().value_or(""));
    connection.Write(Answer("ok"));
  });
  ServerUrl url = UrlOf(server);
  url.prefix = "/prefix";
  const auto transport = NewHttpTransport({.server = url, .server_name = "other-name"});
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
      NewHttpTransport({.server = {.tls = false, .host = "127.0.0.1", .port = port}});
  Collector collector;
  const auto result = Get(*transport, collector);
  ASSERT_FALSE(result);
  EXPECT_EQ(result.error().kind, Kind::kConnect);
  EXPECT_NE(result.error().message.find("Connection refused"), std::string::npos)
      << result.error().message;
}

TEST(HttpTransportTest, SaysThatANameCannotBeResolved) {
  const auto transport =
      NewHttpTransport({.server = {.tls = false, .host = "no..name", .port = 1}});
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
  const auto result = Get(*NewHttpTransport({.server = url}), collector);
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

}  // namespace
}  // namespace whimbrel::kube
