#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <memory>

#include "unit/cli/runner_fixture.h"
#include "unit/cli/tls_postgres.h"

namespace whimbrel::cli {
namespace {

using ::testing::HasSubstr;
using whimbrel::kube::MakeCertificate;
using whimbrel::kube::TestIdentity;
using whimbrel::testing::PgClient;
using whimbrel::testing::PgTarget;

const Keys kFiles = {{"001_a.sql", "CREATE TABLE a (id int);\n"}};

class RunnerTlsTest : public ::testing::Test {
 protected:
  static void SetUpTestSuite() { server_ = std::make_unique<TlsPostgres>(); }
  static void TearDownTestSuite() { server_.reset(); }

  /// verify-full of `host` against `authority`.
  static std::unique_ptr<RunnerPod> Pod(const std::string& host, const TestIdentity& authority) {
    auto pod = std::make_unique<RunnerPod>(kFiles, server_->CreateDatabaseAt(host));
    pod->task.request.database.tls.mode = "verify-full";
    pod->task.authority = "Secret shop/ca, key ca.crt";
    pod->Mount("authority", {{"ca.pem", authority.CertificatePem()}});
    return pod;
  }
  static const TestIdentity& ca() { return server_->authority(); }

  static inline std::unique_ptr<TlsPostgres> server_;
};

TEST_F(RunnerTlsTest, VerifiesTheServerWithTheMountedAuthority) {
  const auto pod = Pod("localhost", ca());
  const auto result = pod->Run();
  EXPECT_EQ(result.exit_code, 0) << result.err;
  EXPECT_EQ(pod->Ending(), "Succeeded 001");
}

TEST_F(RunnerTlsTest, RefusesAnotherAuthorityAndAnotherHost) {
  const TestIdentity other = MakeCertificate({.common_name = "other", .is_ca = true});
  const auto by_authority = Pod("localhost", other);
  EXPECT_EQ(by_authority->Run().exit_code, 1);
  EXPECT_EQ(by_authority->Ending(), "WaitingForDatabase transient uncounted");
  EXPECT_THAT(by_authority->FailureMessage(), HasSubstr("certificate verify failed"));

  const auto by_host = Pod("127.0.0.1", ca());
  EXPECT_EQ(by_host->Run().exit_code, 1);
  EXPECT_THAT(by_host->FailureMessage(), HasSubstr("does not match host name \"127.0.0.1\""));
}

TEST_F(RunnerTlsTest, LogsInWithTheMountedClientCertificate) {
  const TestIdentity client = server_->ClientCertificate();
  const auto pod = Pod("localhost", ca());
  PgTarget target = server_->CreateDatabase();
  pod->task.secret.clear();
  pod->Unmount("credentials");
  pod->task.request.database.connection = report::PasswordlessConnection{
      .host = "localhost", .port = target.port, .dbname = target.dbname, .user = "certified"};
  pod->task.client_certificate = "client";
  pod->Mount("client", {{"tls.crt", client.CertificatePem()}, {"tls.key", client.KeyPem()}});
  const auto result = pod->Run();
  EXPECT_EQ(result.exit_code, 0) << result.err;
  EXPECT_EQ(pod->Ending(), "Succeeded 001");
  EXPECT_EQ(PgClient(target).Scalar("SELECT count(*) FROM a"), "0");
}

TEST_F(RunnerTlsTest, NamesTheCertificateThatIsMissing) {
  const auto without_ca = Pod("localhost", ca());
  without_ca->Unmount("authority");
  EXPECT_EQ(without_ca->Run().exit_code, 1);
  EXPECT_EQ(without_ca->Ending(), "SecretNotFound transient uncounted");
  EXPECT_EQ(without_ca->FailureMessage(), "Secret shop/ca, key ca.crt does not exist");

  const auto without_key = Pod("localhost", ca());
  without_key->task.client_certificate = "client";
  without_key->Mount("client", {{"tls.crt", ca().CertificatePem()}});
  EXPECT_EQ(without_key->Run().exit_code, 1);
  EXPECT_EQ(without_key->Ending(), "SecretNotFound transient uncounted");
  EXPECT_EQ(without_key->FailureMessage(), "Secret shop/client has no key tls.key");
}

}  // namespace
}  // namespace whimbrel::cli
