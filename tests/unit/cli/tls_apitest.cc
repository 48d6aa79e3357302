// A resource's way to a database that wants TLS: what verifies the server, what the client shows,
// and logins that change under way.

#include <memory>

#include "unit/cli/cluster_fixture.h"
#include "unit/cli/tls_postgres.h"

namespace whimbrel::cli {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;
using ::testing::Not;
using whimbrel::kube::MakeCertificate;
using whimbrel::kube::TestIdentity;
using whimbrel::testing::Eventually;
using whimbrel::testing::PgClient;
using whimbrel::testing::PgTarget;

/// Lets an attempt fail soon, and be followed by another.
constexpr const char* kImpatient =
    "  execution: {mode: InProcess, retry: {initialSeconds: 1, maxSeconds: 1}}\n";

std::string Block(const std::string& key, const std::string& pem) {
  std::string indented = "  " + key + ": |\n    ";
  for (const char c : pem) indented += c == '\n' ? std::string("\n    ") : std::string(1, c);
  return indented + "\n";
}

class TlsTest : public ClusterTest {
 protected:
  static void SetUpTestSuite() { server_ = std::make_unique<TlsPostgres>(); }
  static void TearDownTestSuite() { server_.reset(); }

  TlsTest() { Apply(ConfigMapYaml("files", "001_a.sql", "CREATE TABLE a (id int);")); }

  void ApplyCa(const std::string& kind, const std::string& name, const TestIdentity& ca) {
    Apply("apiVersion: v1\nkind: " + kind + "\nmetadata: {name: " + name + "}\n" +
          (kind == "Secret" ? "stringData:\n" : "data:\n") + Block("ca.crt", ca.CertificatePem()));
  }
  /// A resource of the name of its Secret, which verifies in full with `tls`.
  void ApplyMigration(const std::string& name, const PgTarget& target, const std::string& tls) {
    Apply(SecretYaml(name, target));
    std::string yaml = MigrationYaml(name, name, "files", kImpatient);
    const std::string secret = "      name: " + name + "\n";
    const std::size_t at = yaml.find(secret) + secret.size();
    Apply(yaml.insert(
        at, "    ready: {timeoutSeconds: 1}\n    tls: {mode: VerifyFull, " + tls + "}\n"));
  }

  static inline std::unique_ptr<TlsPostgres> server_;
};

TEST_F(TlsTest, VerifiesTheServerWithAnAuthorityOfEitherKind) {
  auto controller = StartController();
  ApplyCa("ConfigMap", "public-ca", server_->authority());
  ApplyCa("Secret", "secret-ca", server_->authority());
  ApplyMigration("by-config-map", server_->CreateDatabaseAt("localhost"),
                 "caRef: {name: public-ca}");
  ApplyMigration("by-secret", server_->CreateDatabaseAt("localhost"),
                 "caRef: {kind: Secret, name: secret-ca}");
  EXPECT_TRUE(BecomesReady("by-config-map"));
  EXPECT_TRUE(BecomesReady("by-secret"));
}

TEST_F(TlsTest, ShowsThatTheAuthorityIsAnotherAndGoesOnWithTheRightOne) {
  auto controller = StartController();
  for (const char* kind : {"ConfigMap", "Secret"}) {
    const std::string name = kind == std::string("Secret") ? "by-secret" : "by-config-map";
    ApplyCa(kind, "ca", MakeCertificate({.common_name = "other", .is_ca = true}));
    const PgTarget target = server_->CreateDatabaseAt("localhost");
    ApplyMigration(name, target, std::string("caRef: {kind: ") + kind + ", name: ca}");
    ASSERT_TRUE(GetsReason(name, "WaitingForDatabase"));
    EXPECT_TRUE(Eventually([&] {
      return Condition(name, "Ready", "message").find("certificate verify failed") !=
             std::string::npos;
    })) << Condition(name, "Ready", "message");
    ApplyCa(kind, "ca", server_->authority());
    EXPECT_TRUE(BecomesReady(name));
  }
}

TEST_F(TlsTest, ShowsThatTheCertificateIsForAnotherHost) {
  auto controller = StartController();
  ApplyCa("ConfigMap", "ca", server_->authority());
  ApplyMigration("app", server_->CreateDatabaseAt("127.0.0.1"), "caRef: {name: ca}");
  ASSERT_TRUE(GetsReason("app", "WaitingForDatabase"));
  EXPECT_TRUE(Eventually([&] {
    return Condition("app", "Ready", "message").find("does not match host name \"127.0.0.1\"") !=
           std::string::npos;
  })) << Condition("app", "Ready", "message");
}

TEST_F(TlsTest, LogsInWithAClientCertificate) {
  auto controller = StartController();
  const TestIdentity client = server_->ClientCertificate();
  ApplyCa("ConfigMap", "ca", server_->authority());
  Apply(
      "apiVersion: v1\nkind: Secret\nmetadata: {name: client}\ntype: kubernetes.io/tls\n"
      "stringData:\n" +
      Block("tls.crt", client.CertificatePem()) + Block("tls.key", client.KeyPem()));
  PgTarget target = server_->CreateDatabase();
  const std::string connection =
      "connection: {host: localhost, port: " + std::to_string(target.port) +
      ", dbname: " + target.dbname + ", user: certified}";
  Apply(
      "apiVersion: whimbrel.dev/v1alpha1\nkind: DatabaseMigration\nmetadata: {name: app}\n"
      "spec:\n  source: {configMaps: [{name: files}]}\n  database:\n    " +
      connection +
      "\n    tls: {mode: VerifyFull, caRef: {name: ca}, clientCertSecretRef: {name: client}}\n" +
      kImpatient);
  EXPECT_TRUE(BecomesReady("app"));
  EXPECT_EQ(PgClient(target).Scalar("SELECT count(*) FROM a"), "0");
}

class LoginTest : public ClusterTest {};

TEST_F(LoginTest, APasswordThatChangesUnderARunIsReadAgainForTheNextOne) {
  const PgTarget login = database_.WithUser("login_" + database_.dbname, "c4n4ry-first");
  sql_.Exec("CREATE ROLE " + login.user + " LOGIN SUPERUSER PASSWORD 'c4n4ry-first'");
  auto controller = StartController();
  Apply(SecretYaml("db", login));
  Apply(ConfigMapYaml("files", "001_slow.sql",
                      "SELECT pg_sleep(600) WHERE to_regclass('public.rotated') IS NULL;\n"
                      "CREATE TABLE done (id int);"));
  Apply(MigrationYaml("app", "db", "files", kImpatient));
  const std::string sleeping =
      " FROM pg_stat_activity WHERE usename = '" + login.user + "' AND wait_event = 'PgSleep'";
  ASSERT_TRUE(Eventually([&] { return sql_.Scalar("SELECT count(*)" + sleeping) == "1"; }));

  sql_.Exec("CREATE TABLE public.rotated ()");
  sql_.Exec("ALTER ROLE " + login.user + " PASSWORD 'c4n4ry-second'");
  Apply(SecretYaml("db", login.WithUser(login.user, "c4n4ry-second")));
  sql_.Exec("SELECT pg_terminate_backend(pid)" + sleeping);
  EXPECT_TRUE(BecomesReady("app"));
  EXPECT_EQ(sql_.Scalar("SELECT count(*) FROM done"), "0");
  EXPECT_THAT(Kubectl({"get", "dbmig,events.events.k8s.io", "-o", "yaml"}),
              Not(HasSubstr("c4n4ry")));
  EXPECT_THAT(controller->err() + controller->out(), Not(HasSubstr("c4n4ry")));
}

TEST_F(LoginTest, AUriThatNamesAFileIsRefusedAndNoPartOfItIsShown) {
  auto controller = StartController();
  Apply("apiVersion: v1\nkind: Secret\nmetadata: {name: db}\nstringData:\n  uri: " +
        database_.Uri() + "?sslrootcert=/c4n4ry\n");
  Apply(ConfigMapYaml("files", "001_a.sql", "CREATE TABLE a (id int);"));
  Apply(MigrationYaml("app", "db", "files"));
  ASSERT_TRUE(GetsReason("app", "InvalidSpec"));
  EXPECT_THAT(Condition("app", "Ready", "message"),
              AllOf(HasSubstr("the option \"sslrootcert\" is not allowed here"),
                    Not(HasSubstr("c4n4ry")), Not(HasSubstr(database_.password))));
  EXPECT_EQ(sql_.Scalar("SELECT to_regclass('a') IS NULL"), "t");
}

}  // namespace
}  // namespace whimbrel::cli
