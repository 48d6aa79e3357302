#include <gtest/gtest.h>

#include <atomic>
#include <mutex>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "connect_proxy.h"
#include "socket_server.h"
#include "support/temp_dir.h"
#include "whimbrel/kube/rest_client.h"

namespace whimbrel::kube {
namespace {

using nlohmann::json;
using testing::TempDir;
using Connection = SocketServer::Connection;

/// A client as a program makes it, from a whole configuration, and a TLS server of 127.0.0.1.
class WholeRestClientTest : public ::testing::Test {
 protected:
  /// Answers 401 to whatever does not carry this token.
  SocketServer::Handler Wants(const std::string& token) {
    return [this, token](Connection& connection) {
      while (const auto request = connection.ReadRequest()) {
        ++requests_;
        const bool right = request->find("Authorization: Bearer " + token) != std::string::npos;
        const std::string body = right ? "{}" : "no";
        connection.Write("HTTP/1.1 " + std::string(right ? "200 OK" : "401 Unauthorized") +
                         "\r\nContent-Length: 2\r\n\r\n" + body);
      }
    };
  }

  Config ConfigFor(int port) {
    return {.server = "https://127.0.0.1:" + std::to_string(port),
            .ca_pem = root_.CertificatePem()};
  }

  /// Prints the file `answer` and counts in the file `runs`.
  ExecPlugin Plugin() {
    return {.api_version = "client.authentication.k8s.io/v1",
            .command = "sh",
            .arguments = {"-c", "echo >> runs.txt; cat answer.json", "plugin"},
            .interactive = ExecPlugin::Interactive::kNever};
  }
  void PlugInGives(const json& status) {
    folder_.Write("answer.json", json{{"apiVersion", "client.authentication.k8s.io/v1"},
                                      {"kind", "ExecCredential"},
                                      {"status", status}}
                                     .dump());
  }
  ExecPlugin PluginInFolder() {
    ExecPlugin plugin = Plugin();
    plugin.arguments[1] = "cd " + folder_.path().string() + " && " + plugin.arguments[1];
    return plugin;
  }
  std::size_t PlugInRuns() { return testing::ReadFile(folder_ / "runs.txt").size(); }

  static ApiResult<Json> Get(ObjectClient& client) {
    return client.Get(ConfigMaps(), {"ns", "a"}, {});
  }

  TempDir folder_;
  std::atomic<int> requests_ = 0;
  TestIdentity root_ = MakeCertificate({.common_name = "root", .is_ca = true});
  TestIdentity server_ = MakeCertificate(
      {.common_name = "server", .subject_alt_name = "IP:127.0.0.1", .issuer = &root_});
};

TEST_F(WholeRestClientTest, ATokenComesFromAPlugInAndIsRenewedWhenItIsRefused) {
  SocketServer server(Wants("second"), {.identity = &server_});
  Config config = ConfigFor(server.port());
  config.exec = PluginInFolder();
  PlugInGives({{"token", "first"}});
  const auto client = NewRestClient(config, {});
  ASSERT_TRUE(client);
  EXPECT_EQ(Get(**client).error().reason, ApiErrorReason::kUnauthorized);
  EXPECT_EQ(PlugInRuns(), 2U) << "the refusal made it look for another one";
  PlugInGives({{"token", "second"}});
  EXPECT_TRUE(Get(**client));
  EXPECT_TRUE(Get(**client));
  EXPECT_EQ(PlugInRuns(), 3U);
}

TEST_F(WholeRestClientTest, APlugInThatFailsIsTheErrorOfTheRequestWhichIsNotSent) {
  SocketServer server(Wants("x"), {.identity = &server_});
  Config config = ConfigFor(server.port());
  config.exec = Plugin();
  config.exec->arguments[1] = "echo 'run login first' >&2; exit 1";
  const auto client = NewRestClient(config, {});
  ASSERT_TRUE(client);
  const auto read = Get(**client);
  ASSERT_FALSE(read);
  EXPECT_EQ(read.error().reason, ApiErrorReason::kUnauthorized);
  EXPECT_NE(read.error().message.find("run login first"), std::string::npos)
      << read.error().message;
  EXPECT_EQ(requests_, 0);
}

TEST_F(WholeRestClientTest, AClientCertificateComesFromAPlugIn) {
  const TestIdentity me = MakeCertificate({.common_name = "me", .issuer = &root_});
  SocketServer server(
      [](Connection& connection) {
        while (connection.ReadRequest()) {
          connection.Write("HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n{}");
        }
      },
      {.identity = &server_, .client_root = &root_});
  Config config = ConfigFor(server.port());
  EXPECT_FALSE(Get(**NewRestClient(config, {}))) << "the server wants a certificate";
  config.exec = PluginInFolder();
  PlugInGives({{"clientCertificateData", me.CertificatePem()}, {"clientKeyData", me.KeyPem()}});
  const auto client = NewRestClient(config, {});
  ASSERT_TRUE(client);
  const auto read = Get(**client);
  EXPECT_TRUE(read) << read.error().ToString();
}

TEST_F(WholeRestClientTest, ATokenGoesThroughTheProxysTunnelToTheServerAlone) {
  SocketServer server(Wants("secret"), {.identity = &server_});
  ConnectProxy proxy(server.port());
  Config config = ConfigFor(server.port());
  config.token = Secret("secret");
  config.proxy_url = Secret("http://127.0.0.1:" + std::to_string(proxy.port()));
  const auto client = NewRestClient(config, {});
  ASSERT_TRUE(client);
  EXPECT_TRUE(Get(**client));
  EXPECT_EQ(proxy.accepted(), 1);
  EXPECT_EQ(proxy.request().find("secret"), std::string::npos);
}

TEST_F(WholeRestClientTest, AProxyThatIsNoneIsRefusedAtOnce) {
  Config config = ConfigFor(1);
  config.proxy_url = Secret("socks5://u:hunter2@p");
  const auto client = NewRestClient(config, {});
  ASSERT_FALSE(client);
  EXPECT_NE(client.error().message.find("does not support"), std::string::npos);
  EXPECT_EQ(client.error().message.find("hunter2"), std::string::npos);
}

}  // namespace
}  // namespace whimbrel::kube
