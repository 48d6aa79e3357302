#include "whimbrel/serve/tls_identity.h"

#include <gmock/gmock.h>
#include <openssl/ssl.h>
#include <openssl/x509v3.h>

#include <fstream>

#include "raw_client.h"
#include "serve/self_signed.h"
#include "support/fake_clock.h"
#include "support/temp_dir.h"
#include "whimbrel/base/pem.h"
#include "whimbrel/serve/http_endpoint.h"

namespace whimbrel::serve {
namespace {

using ::testing::EndsWith;
using ::testing::HasSubstr;
using ::testing::StartsWith;

/// What one TLS client saw.
struct Visit {
  std::string answer;  ///< Empty: no handshake.
  std::string serial;  ///< Of the server's certificate.
  std::string version;
};

Visit VisitByTls(std::uint16_t port, int max_version = TLS1_3_VERSION) {
  const RawClient client(port);
  const CPtr<SSL_CTX, SSL_CTX_free> context(SSL_CTX_new(TLS_client_method()));
  // Else OpenSSL itself would not even offer the old versions.
  SSL_CTX_set_security_level(context.get(), 0);
  SSL_CTX_set_max_proto_version(context.get(), max_version);
  const CPtr<SSL, SSL_free> ssl(SSL_new(context.get()));
  SSL_set_fd(ssl.get(), client.fd());
  if (SSL_connect(ssl.get()) != 1) return {};
  Visit visit{.version = SSL_get_version(ssl.get())};
  const CertificatePtr certificate(SSL_get1_peer_certificate(ssl.get()));
  const CPtr<char, free> serial(
      i2s_ASN1_INTEGER(nullptr, X509_get_serialNumber(certificate.get())));
  visit.serial = serial.get();
  const std::string request = "GET / HTTP/1.1\r\nHost: x\r\n\r\n";
  SSL_write(ssl.get(), request.data(), static_cast<int>(request.size()));
  std::array<char, 4096> buffer{};
  int count = 0;
  while ((count = SSL_read(ssl.get(), buffer.data(), buffer.size())) > 0) {
    visit.answer.append(buffer.data(), static_cast<std::size_t>(count));
  }
  return visit;
}

std::unique_ptr<HttpEndpoint> Serve(std::shared_ptr<TlsIdentity> tls, std::string body = "ok") {
  auto endpoint = HttpEndpoint::Start(
      {.address = {.host = "127.0.0.1"}, .tls = std::move(tls), .deadline = std::chrono::hours(1)},
      [body](const Request&) { return Response{.body = body}; });
  EXPECT_TRUE(endpoint) << endpoint.error().message;
  return *std::move(endpoint);
}

SelfSignedPair NewPair() { return *MakeSelfSigned(std::chrono::system_clock::now()); }

void Write(const testing::TempDir& folder, const SelfSignedPair& pair) {
  folder.Write("tls.crt", pair.certificate_pem);
  folder.Write("tls.key", pair.key_pem.Reveal());
}

TEST(TlsIdentityTest, ServesWithACertificateMadeInMemory) {
  const auto identity = TlsIdentity::SelfSigned();
  ASSERT_TRUE(identity) << identity.error().message;
  const auto endpoint = Serve(*identity, std::string(1'000'000, 'x'));
  const Visit visit = VisitByTls(endpoint->port());
  EXPECT_THAT(visit.answer, StartsWith("HTTP/1.1 200 OK\r\n"));
  EXPECT_EQ(BodyOf(visit.answer).size(), 1'000'000U);
  EXPECT_EQ(visit.version, "TLSv1.3");
}

TEST(TlsIdentityTest, SpeaksNothingOlderThanTls12) {
  const auto endpoint = Serve(*TlsIdentity::SelfSigned());
  EXPECT_EQ(VisitByTls(endpoint->port(), TLS1_2_VERSION).version, "TLSv1.2");
  EXPECT_EQ(VisitByTls(endpoint->port(), TLS1_1_VERSION).answer, "");
}

TEST(TlsIdentityTest, SilentAndWrongClientsDelayNobody) {
  const auto endpoint = Serve(*TlsIdentity::SelfSigned());
  std::vector<RawClient> others;
  for (int i = 0; i < 32; ++i) {
    others.emplace_back(endpoint->port());
    // The beginning of a handshake.
    if (i % 2 == 0) others.back().Send("\x16\x03\x01");
  }
  EXPECT_EQ(Get(endpoint->port(), "/").find("200"), std::string::npos);
  EXPECT_THAT(VisitByTls(endpoint->port()).answer, EndsWith("ok"));
}

TEST(TlsIdentityTest, RenewsItsOwnCertificateBeforeItEnds) {
  testing::FakeClock clock;
  const auto identity = TlsIdentity::SelfSigned(clock);
  const auto endpoint = Serve(*identity);
  const std::string first = VisitByTls(endpoint->port()).serial;
  EXPECT_EQ(VisitByTls(endpoint->port()).serial, first);
  clock.Advance(std::chrono::hours(24 * 300));
  EXPECT_NE(VisitByTls(endpoint->port()).serial, first);
}

TEST(TlsIdentityTest, ReadsItsFilesAgainWhenTheyChange) {
  testing::FakeClock clock;
  const testing::TempDir folder;
  Write(folder, NewPair());
  const auto identity = TlsIdentity::FromFiles(folder / "tls.crt", folder / "tls.key", clock);
  ASSERT_TRUE(identity) << identity.error().message;
  const auto endpoint = Serve(*identity);
  const std::string first = VisitByTls(endpoint->port()).serial;

  ::testing::internal::CaptureStderr();
  folder.Write("tls.crt", NewPair().certificate_pem);  // Its key has not come yet.
  clock.Advance(std::chrono::seconds(10));
  EXPECT_EQ(VisitByTls(endpoint->port()).serial, first);
  EXPECT_THAT(::testing::internal::GetCapturedStderr(),
              HasSubstr("the key does not belong to the certificate"));

  Write(folder, NewPair());
  EXPECT_EQ(VisitByTls(endpoint->port()).serial, first) << "it is not looked at each time";
  clock.Advance(std::chrono::seconds(10));
  const std::string second = VisitByTls(endpoint->port()).serial;
  EXPECT_NE(second, first);
  EXPECT_NE(second, "");
}

TEST(TlsIdentityTest, RefusesFilesItCannotUseAndSaysWhy) {
  const testing::TempDir folder;
  const SelfSignedPair pair = NewPair();
  const SelfSignedPair other = NewPair();
  struct Case {
    std::string certificate;
    std::string key;
    const char* why;
  };
  const Case cases[] = {
      {"", std::string(pair.key_pem.Reveal()), "does not begin with a PEM certificate"},
      {std::string(pair.key_pem.Reveal()), "", "does not begin with a PEM certificate"},
      {pair.certificate_pem, "nothing", "is not a PEM private key"},
      {pair.certificate_pem, std::string(other.key_pem.Reveal()), "does not belong"},
  };
  for (const Case& c : cases) {
    const auto identity = TlsIdentity::FromFiles(folder.Write("tls.crt", c.certificate),
                                                 folder.Write("tls.key", c.key));
    ASSERT_FALSE(identity);
    EXPECT_EQ(identity.error().kind, ErrorKind::kInvalidArgument);
    EXPECT_THAT(identity.error().message, HasSubstr(c.why));
    EXPECT_THAT(identity.error().message, ::testing::Not(HasSubstr("PRIVATE KEY")));
  }
  const auto missing = TlsIdentity::FromFiles(folder / "none.crt", folder / "none.key");
  ASSERT_FALSE(missing);
  EXPECT_THAT(missing.error().message, HasSubstr("cannot read '" + (folder / "none.crt").string()));
}

}  // namespace
}  // namespace whimbrel::serve
