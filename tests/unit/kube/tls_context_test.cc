#include "kube/tls_context.h"

#include <gtest/gtest.h>

#include <cstdlib>
#include <future>
#include <string>

#include "kube/http_transport.h"
#include "socket_server.h"
#include "support/temp_dir.h"

namespace whimbrel::kube {
namespace {

using Connection = SocketServer::Connection;

class StatusOnly final : public HttpReceiver {
 public:
  bool OnHead(const HttpHead& head) override {
    status = head.status;
    return true;
  }
  bool OnBody(std::string_view) override { return true; }
  int status = 0;
};

void AnswerOk(Connection& connection) {
  while (connection.ReadRequest()) {
    if (!connection.Write("HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok")) return;
  }
}

/// An authority, a server certificate of it for 127.0.0.1 and `kubernetes`, and a foreign
/// authority.
class TlsContextTest : public ::testing::Test {
 protected:
  /// "ok", or why there was no answer.
  std::string Connect(const SocketServer& server, TlsOptions options, int exchanges = 1) {
    if (options.server_name.empty()) options.server_name = "127.0.0.1";
    const std::string name = options.server_name;
    Result<TlsContext> context = TlsContext::Create(std::move(options));
    if (!context) return context.error().message;
    const auto transport =
        NewHttpTransport({.server = {.tls = true, .host = "127.0.0.1", .port = server.port()},
                          .tls = [shared = std::make_shared<const TlsContext>(
                                      std::move(*context))] { return shared; },
                          .server_name = name});
    for (int i = 0; i < exchanges; ++i) {
      StatusOnly receiver;
      const auto result = transport->Exchange({.method = "GET", .target = "/"}, receiver, {});
      if (!result) return result.error().message;
      if (receiver.status != 200) return "status " + std::to_string(receiver.status);
    }
    return "ok";
  }

  std::string ConnectTo(const TestIdentity& identity, TlsOptions options) {
    const SocketServer server(&AnswerOk, {.identity = &identity});
    return Connect(server, std::move(options));
  }

  TestIdentity root_ = MakeCertificate({.common_name = "root", .is_ca = true});
  TestIdentity foreign_root_ = MakeCertificate({.common_name = "foreign", .is_ca = true});
  TestIdentity server_ =
      MakeCertificate({.common_name = "apiserver",
                       .subject_alt_name = "IP:127.0.0.1,DNS:kubernetes,DNS:*.example.com",
                       .issuer = &root_});
};

TEST_F(TlsContextTest, AcceptsAServerOfTheAuthorityByAddress) {
  EXPECT_EQ(ConnectTo(server_, {.ca_pem = root_.CertificatePem()}), "ok");
}

TEST_F(TlsContextTest, AcceptsAServerByTheNameThatIsAskedForAndSendsItAsSni) {
  std::promise<std::string> name;
  const SocketServer server(
      [&](Connection& connection) {
        name.set_value(connection.server_name());
        AnswerOk(connection);
      },
      {.identity = &server_});
  EXPECT_EQ(Connect(server, {.server_name = "kubernetes", .ca_pem = root_.CertificatePem()}), "ok");
  EXPECT_EQ(name.get_future().get(), "kubernetes");
}

TEST_F(TlsContextTest, AcceptsAWildcardForOneLabel) {
  EXPECT_EQ(ConnectTo(server_, {.server_name = "a.example.com", .ca_pem = root_.CertificatePem()}),
            "ok");
}

TEST_F(TlsContextTest, KeepsATlsConnection) {
  const SocketServer server(&AnswerOk, {.identity = &server_});
  EXPECT_EQ(Connect(server, {.ca_pem = root_.CertificatePem()}, 3), "ok");
  EXPECT_EQ(server.accepted(), 1);
}

TEST_F(TlsContextTest, FindsTheRightRootAmongSeveral) {
  EXPECT_EQ(ConnectTo(server_, {.ca_pem = foreign_root_.CertificatePem() + root_.CertificatePem()}),
            "ok");
}

TEST_F(TlsContextTest, PassesOverWhatItCannotReadAmongTheRoots) {
  const std::string broken = "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n";
  const std::string cut_off = "-----BEGIN CERTIFICATE-----\nAAAA\n";
  EXPECT_EQ(ConnectTo(server_, {.ca_pem = "text\n" + broken + root_.KeyPem() +
                                          root_.CertificatePem() + cut_off}),
            "ok");
}

TEST_F(TlsContextTest, TrustsAnIntermediateThatIsNamedAsTheAuthority) {
  const TestIdentity intermediate =
      MakeCertificate({.common_name = "intermediate", .issuer = &root_, .is_ca = true});
  const TestIdentity server = MakeCertificate(
      {.common_name = "s", .subject_alt_name = "IP:127.0.0.1", .issuer = &intermediate});
  EXPECT_EQ(ConnectTo(server, {.ca_pem = intermediate.CertificatePem()}), "ok");
}

TEST_F(TlsContextTest, RefusesEveryServerThatItShould) {
  const TestIdentity expired = MakeCertificate({.common_name = "expired",
                                                .subject_alt_name = "IP:127.0.0.1",
                                                .issuer = &root_,
                                                .valid_for = std::chrono::seconds(-60)});
  const TestIdentity name_only = MakeCertificate({.common_name = "kubernetes", .issuer = &root_});
  const TestIdentity not_an_authority = MakeCertificate({.common_name = "leaf", .issuer = &root_});
  const TestIdentity below_a_leaf = MakeCertificate(
      {.common_name = "fake", .subject_alt_name = "IP:127.0.0.1", .issuer = &not_an_authority});
  const std::string root = root_.CertificatePem();
  const struct {
    const char* name;
    const TestIdentity& server;
    TlsOptions options;
    const char* expected;
  } cases[] = {
      {"of another authority",
       server_,
       {.ca_pem = foreign_root_.CertificatePem()},
       "not trusted: unable to get local issuer certificate"},
      {"for another name", server_, {.server_name = "other", .ca_pem = root}, "another host"},
      {"for another address",
       server_,
       {.server_name = "127.0.0.2", .ca_pem = root},
       "another host"},
      {"for a wildcard of another depth",
       server_,
       {.server_name = "a.b.example.com", .ca_pem = root},
       "another host"},
      {"with its name as common name alone",
       name_only,
       {.server_name = "kubernetes", .ca_pem = root},
       "another host"},
      {"whose time is over", expired, {.ca_pem = root}, "certificate has expired"},
      {"signed by what is no authority", below_a_leaf, {.ca_pem = root}, "not trusted"},
  };
  for (const auto& test : cases) {
    const std::string error = ConnectTo(test.server, test.options);
    EXPECT_NE(error.find(test.expected), std::string::npos) << test.name << ": " << error;
  }
}

TEST_F(TlsContextTest, TheSystemsRootsCountOnlyWithoutAnAuthority) {
  const testing::TempDir folder;
  const std::string file = folder.Write("roots.pem", root_.CertificatePem());
  // NOLINTBEGIN(concurrency-mt-unsafe): no other thread of this test reads the environment.
  ::setenv("SSL_CERT_FILE", file.c_str(), 1);
  const std::string with_foreign = ConnectTo(server_, {.ca_pem = foreign_root_.CertificatePem()});
  const std::string without = ConnectTo(server_, {});
  ::unsetenv("SSL_CERT_FILE");
  // NOLINTEND(concurrency-mt-unsafe)
  EXPECT_NE(with_foreign.find("not trusted"), std::string::npos) << with_foreign;
  EXPECT_EQ(without, "ok");
  EXPECT_NE(ConnectTo(server_, {}).find("not trusted"), std::string::npos);
}

TEST_F(TlsContextTest, SkipsVerificationOnlyWhenToldSo) {
  EXPECT_EQ(ConnectTo(server_, {.server_name = "other", .insecure_skip_verify = true}), "ok");
}

TEST_F(TlsContextTest, RefusesTlsBefore1_2) {
  for (const int version : {TLS1_VERSION, TLS1_1_VERSION}) {
    const SocketServer server(&AnswerOk, {.identity = &server_, .max_version = version});
    const std::string error = Connect(server, {.ca_pem = root_.CertificatePem()});
    EXPECT_NE(error.find("cannot set up TLS"), std::string::npos) << error;
  }
  const SocketServer server(&AnswerOk, {.identity = &server_, .max_version = TLS1_2_VERSION});
  EXPECT_EQ(Connect(server, {.ca_pem = root_.CertificatePem()}), "ok");
}

TEST_F(TlsContextTest, ShowsItsCertificateWithTheChain) {
  const TestIdentity intermediate =
      MakeCertificate({.common_name = "intermediate", .issuer = &root_, .is_ca = true});
  const TestIdentity me = MakeCertificate({.common_name = "me", .issuer = &intermediate});
  const SocketServer server(&AnswerOk, {.identity = &server_, .client_root = &root_});
  TlsOptions options{.ca_pem = root_.CertificatePem(),
                     .certificate_pem = me.CertificatePem() + intermediate.CertificatePem(),
                     .key_pem = Secret(me.KeyPem())};
  EXPECT_EQ(Connect(server, options), "ok");
  EXPECT_NE(Connect(server, {.ca_pem = root_.CertificatePem()}), "ok") << "without a certificate";
  options.certificate_pem = me.CertificatePem();
  EXPECT_NE(Connect(server, options), "ok") << "without the chain";
}

TEST_F(TlsContextTest, SaysWhatIsWrongWithKeyAndCertificate) {
  const std::string certificate = server_.CertificatePem();
  const struct {
    const char* name;
    TlsOptions options;
    const char* expected;
  } cases[] = {
      {"no PEM", {.ca_pem = "x"}, "authority of the API server holds no PEM certificate"},
      {"a key as CA", {.ca_pem = root_.KeyPem()}, "holds no PEM certificate"},
      {"a certificate that is none",
       {.certificate_pem = "x", .key_pem = Secret(server_.KeyPem())},
       "the client certificate holds no PEM certificate"},
      {"a key that is none",
       {.certificate_pem = certificate, .key_pem = Secret("hunter2")},
       "not a PEM private key"},
      {"an encrypted key",
       {.certificate_pem = certificate, .key_pem = Secret(server_.KeyPem("hunter2"))},
       "without a pass phrase"},
      {"the key of somebody else",
       {.certificate_pem = certificate, .key_pem = Secret(root_.KeyPem())},
       "does not belong to the client certificate"},
  };
  for (const auto& test : cases) {
    const auto context = TlsContext::Create(test.options);
    ASSERT_FALSE(context) << test.name;
    EXPECT_EQ(context.error().kind, ErrorKind::kInvalidArgument) << test.name;
    EXPECT_NE(context.error().message.find(test.expected), std::string::npos)
        << test.name << ": " << context.error().message;
    EXPECT_EQ(context.error().message.find("hunter2"), std::string::npos) << test.name;
  }
}

}  // namespace
}  // namespace whimbrel::kube
