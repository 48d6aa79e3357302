#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>
#include <memory>

#include "unit/cli/runner_fixture.h"
#include "unit/kube/test_certificates.h"

namespace whimbrel::cli {
namespace {

using ::testing::HasSubstr;
using whimbrel::kube::MakeCertificate;
using whimbrel::kube::TestIdentity;
using whimbrel::testing::PgClient;
using whimbrel::testing::PgTarget;
using whimbrel::testing::PostgresServer;
using whimbrel::testing::RunProcess;
using whimbrel::testing::TempDir;

const Keys kFiles = {{"001_a.sql", "CREATE TABLE a (id int);\n"}};

/// A server of its own, which wants TLS and, of one role, a client's certificate.
class RunnerTlsTest : public ::testing::Test {
 protected:
  static void SetUpTestSuite() {
    ca_ = std::make_unique<TestIdentity>(MakeCertificate({.common_name = "ca", .is_ca = true}));
    const TestIdentity own = MakeCertificate(
        {.common_name = "localhost", .subject_alt_name = "DNS:localhost", .issuer = ca_.get()});
    server_ = std::make_unique<PostgresServer>();
    PgClient sql(server_->target());
    const std::string data = sql.Scalar("SHOW data_directory");
    const TempDir files;
    Install(files.Write("server.crt", own.CertificatePem()), data);
    Install(files.Write("server.key", own.KeyPem()), data);
    Install(files.Write("ca.crt", ca_->CertificatePem()), data);
    Install(files.Write("pg_hba.conf",
                        "hostssl all certified all cert clientcert=verify-full\n"
                        "hostssl all encrypted all scram-sha-256\n"
                        "host all postgres all scram-sha-256\n"),
            data);
    sql.Exec("ALTER SYSTEM SET ssl = on");
    sql.Exec("ALTER SYSTEM SET ssl_ca_file = 'ca.crt'");
    sql.Exec("CREATE ROLE certified LOGIN SUPERUSER");
    sql.Exec("CREATE ROLE encrypted LOGIN SUPERUSER PASSWORD 'secret'");
    server_->Restart();
  }
  static void TearDownTestSuite() {
    server_.reset();
    ca_.reset();
  }

  /// The server may be another user than we are.
  static void Install(const std::filesystem::path& file, const std::string& data) {
    const std::string target = data + "/" + file.filename().string();
    std::filesystem::copy(file, target, std::filesystem::copy_options::overwrite_existing);
    std::filesystem::permissions(target, std::filesystem::perms(0600));
    const auto owned = RunProcess({.argv = {"chown", "--reference=" + data, target}});
    ASSERT_EQ(owned.exit_code, 0) << owned.err;
  }

  /// verify-full of `host` against `authority`.
  static std::unique_ptr<RunnerPod> Pod(const std::string& host, const TestIdentity& authority) {
    PgTarget target = server_->CreateDatabase().WithUser("encrypted", "secret");
    target.host = host;
    auto pod = std::make_unique<RunnerPod>(kFiles, target);
    pod->task.request.database.tls.mode = "verify-full";
    pod->task.authority = "Secret shop/ca, key ca.crt";
    pod->Mount("authority", {{"ca.pem", authority.CertificatePem()}});
    return pod;
  }

  static inline std::unique_ptr<PostgresServer> server_;
  static inline std::unique_ptr<TestIdentity> ca_;
};

TEST_F(RunnerTlsTest, VerifiesTheServerWithTheMountedAuthority) {
  const auto pod = Pod("localhost", *ca_);
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

  const auto by_host = Pod("127.0.0.1", *ca_);
  EXPECT_EQ(by_host->Run().exit_code, 1);
  EXPECT_THAT(by_host->FailureMessage(), HasSubstr("does not match host name \"127.0.0.1\""));
}

TEST_F(RunnerTlsTest, LogsInWithTheMountedClientCertificate) {
  const TestIdentity client = MakeCertificate({.common_name = "certified", .issuer = ca_.get()});
  const auto pod = Pod("localhost", *ca_);
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
  const auto without_ca = Pod("localhost", *ca_);
  without_ca->Unmount("authority");
  EXPECT_EQ(without_ca->Run().exit_code, 1);
  EXPECT_EQ(without_ca->Ending(), "SecretNotFound transient uncounted");
  EXPECT_EQ(without_ca->FailureMessage(), "Secret shop/ca, key ca.crt does not exist");

  const auto without_key = Pod("localhost", *ca_);
  without_key->task.client_certificate = "client";
  without_key->Mount("client", {{"tls.crt", ca_->CertificatePem()}});
  EXPECT_EQ(without_key->Run().exit_code, 1);
  EXPECT_EQ(without_key->Ending(), "SecretNotFound transient uncounted");
  EXPECT_EQ(without_key->FailureMessage(), "Secret shop/client has no key tls.key");
}

}  // namespace
}  // namespace whimbrel::cli
