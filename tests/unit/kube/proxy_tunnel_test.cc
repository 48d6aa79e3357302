#include <gtest/gtest.h>

#include <atomic>
#include <future>
#include <string>

#include "connect_proxy.h"
#include "support/eventually.h"
#include "transport_fixture.h"

namespace whimbrel::kube {
namespace {

using Kind = TransportError::Kind;

/// A server that only the proxy can reach: its name cannot be resolved.
HttpTransportOptions Behind(int proxy_port, bool tls = false) {
  return {.server = {.tls = tls, .host = "api.cluster.invalid", .port = 6443},
          .proxy = Proxy{.host = "127.0.0.1", .port = proxy_port}};
}

std::string ErrorFrom(const HttpTransportOptions& options) {
  Collector collector;
  const auto result = Get(*NewHttpTransport(options), collector);
  return result ? "no error" : result.error().message;
}

TEST(ProxyTunnelTest, TlsGoesThroughTheTunnelToTheServerItself) {
  const TestIdentity root = MakeCertificate({.common_name = "root", .is_ca = true});
  const TestIdentity identity = MakeCertificate(
      {.common_name = "server", .subject_alt_name = "DNS:api.cluster.invalid", .issuer = &root});
  SocketServer server(Always(Answer("ok")), {.identity = &identity});
  ConnectProxy proxy(server.port());
  HttpTransportOptions options = Behind(proxy.port(), /*tls=*/true);
  options.proxy->authorization = Secret("Basic dTpw");
  options.tls = Fixed(
      *TlsContext::Create({.server_name = "api.cluster.invalid", .ca_pem = root.CertificatePem()}));
  const auto transport = NewHttpTransport(options);
  for (int i = 0; i < 2; ++i) {
    Collector collector;
    const auto result = Get(*transport, collector);
    ASSERT_TRUE(result) << result.error().message;
    EXPECT_EQ(collector.body, "ok");
  }
  EXPECT_EQ(proxy.accepted(), 1) << "the tunnel is kept";
  EXPECT_EQ(proxy.request(),
            "CONNECT api.cluster.invalid:6443 HTTP/1.1\r\nHost: api.cluster.invalid:6443\r\n"
            "Proxy-Authorization: Basic dTpw\r\n\r\n");
}

TEST(ProxyTunnelTest, ALargeFirstAnswerOfTheServerIsNotTakenForTheProxys) {
  SocketServer server(Always(Answer(std::string(100'000, 'x'))));
  ConnectProxy proxy(server.port());
  Collector collector;
  ASSERT_TRUE(Get(*NewHttpTransport(Behind(proxy.port())), collector));
  EXPECT_EQ(collector.body.size(), 100'000U);
}

TEST(ProxyTunnelTest, SaysWhatTheProxySaid) {
  const struct {
    std::string answer;
    const char* expected;
  } cases[] = {
      {"HTTP/1.1 407 Proxy Authentication Required\r\n\r\n", "wants other credentials (407)"},
      {"HTTP/1.0 403 Forbidden\r\n\r\n",
       "opened no tunnel to api.cluster.invalid:6443 (status 403)"},
      {"SSH-2.0-OpenSSH\r\n\r\n", "opened no tunnel to api.cluster.invalid:6443 (status 0)"},
      {std::string(20'000, 'x'), "did not answer as a proxy does"},
      {"HTTP/1.1 200", "did not answer as a proxy does"},
  };
  for (const auto& test : cases) {
    SocketServer proxy([&](Connection& connection) {
      (void)connection.ReadRequest();
      connection.Write(test.answer);
    });
    HttpTransportOptions options = Behind(proxy.port());
    options.proxy->authorization = Secret("Basic hunter2");
    const std::string error = ErrorFrom(options);
    EXPECT_NE(error.find("the proxy 127.0.0.1:" + std::to_string(proxy.port())), std::string::npos)
        << error;
    EXPECT_NE(error.find(test.expected), std::string::npos) << error;
    EXPECT_EQ(error.find("hunter2"), std::string::npos) << error;
  }
}

TEST(ProxyTunnelTest, AProxyThatIsNotThereIsNamed) {
  int port = 0;
  {
    const SocketServer gone([](Connection&) {});
    port = gone.port();
  }
  EXPECT_NE(ErrorFrom(Behind(port)).find("the proxy 127.0.0.1: cannot connect"), std::string::npos)
      << ErrorFrom(Behind(port));
}

TEST(ProxyTunnelTest, AStopEndsTheWaitForTheProxy) {
  std::atomic<bool> asked = false;
  SocketServer proxy([&](Connection& connection) {
    (void)connection.ReadRequest();
    asked = true;
    connection.AwaitEnd();
  });
  const auto transport = NewHttpTransport(Behind(proxy.port()));
  std::stop_source stop;
  auto exchange = std::async(std::launch::async, [&] {
    Collector collector;
    return Get(*transport, collector, stop.get_token());
  });
  ASSERT_TRUE(testing::Eventually([&] { return asked.load(); }));
  stop.request_stop();
  const auto result = exchange.get();
  ASSERT_FALSE(result);
  EXPECT_EQ(result.error().kind, Kind::kCancelled);
}

}  // namespace
}  // namespace whimbrel::kube
