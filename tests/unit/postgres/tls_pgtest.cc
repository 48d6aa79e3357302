#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstdlib>
#include <filesystem>
#include <memory>

#include "support/postgres_server.h"
#include "support/subprocess.h"
#include "support/temp_dir.h"
#include "whimbrel/postgres/connection.h"

namespace whimbrel::postgres {
namespace {

using whimbrel::testing::PostgresServer;
using whimbrel::testing::ReadFile;
using whimbrel::testing::RunProcess;
using whimbrel::testing::TempDir;

/// A certificate that signs itself, for one host name.
std::string MakeCertificate(const TempDir& folder, const std::string& name,
                            const std::string& host) {
  const auto result = RunProcess(
      {.argv = {"openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt",
                "ec_paramgen_curve:prime256v1", "-nodes", "-days", "2", "-subj", "/CN=" + host,
                "-addext", "subjectAltName=DNS:" + host, "-keyout",
                (folder / (name + ".key")).string(), "-out", (folder / (name + ".crt")).string()}});
  EXPECT_EQ(result.exit_code, 0) << result.err;
  return ReadFile(folder / (name + ".crt"));
}

/// A server of its own, since TLS is the server's setting.
class TlsTest : public ::testing::Test {
 protected:
  static void SetUpTestSuite() {
    folder_ = std::make_unique<TempDir>();
    ca_ = MakeCertificate(*folder_, "server", "localhost");
    other_ca_ = MakeCertificate(*folder_, "other", "localhost");
    // Read by the server, which is another user where we are root.
    std::filesystem::permissions(folder_->path(), std::filesystem::perms::owner_all |
                                                      std::filesystem::perms::group_exec |
                                                      std::filesystem::perms::others_exec);
    server_ = std::make_unique<PostgresServer>();
    whimbrel::testing::PgClient sql(server_->target());
    const std::string target = sql.Scalar("SHOW data_directory");
    std::filesystem::copy(*folder_ / "server.crt", target + "/server.crt");
    std::filesystem::copy(*folder_ / "server.key", target + "/server.key");
    const auto owner = RunProcess({.argv = {"chown", "--reference=" + target,
                                            target + "/server.crt", target + "/server.key"}});
    const auto mode = RunProcess({.argv = {"chmod", "600", target + "/server.key"}});
    ASSERT_EQ(owner.exit_code + mode.exit_code, 0);
    sql.Exec("ALTER SYSTEM SET ssl = on");
    server_->Restart();
  }
  static void TearDownTestSuite() {
    server_.reset();
    folder_.reset();
  }

  PgResult<Connection> Open(const std::string& host, const TlsSettings& tls) {
    const auto& target = server_->target();
    ConnectionParameters parameters;
    parameters.values = {{"host", host},
                         {"port", std::to_string(target.port)},
                         {"dbname", target.dbname},
                         {"user", target.user}};
    parameters.password = Secret(target.password);
    EXPECT_TRUE(AddTls(parameters, tls).has_value());
    return Connection::Open(parameters, {.application_name = "test"});
  }

  static inline std::unique_ptr<TempDir> folder_;
  static inline std::unique_ptr<PostgresServer> server_;
  static inline std::string ca_;
  static inline std::string other_ca_;
};

TEST_F(TlsTest, VerifiesTheServerAgainstTheGivenCa) {
  auto connection = Open("localhost", {.mode = "verify-full", .ca_pem = ca_});
  ASSERT_TRUE(connection.has_value()) << connection.error().message;
  auto rows = connection->Execute("SELECT ssl FROM pg_stat_ssl WHERE pid = pg_backend_pid()");
  ASSERT_TRUE(rows.has_value());
  EXPECT_EQ((*rows)[0][0], "t");
}

TEST_F(TlsTest, TakesALargeStatementPastLibpq) {
  auto connection = Open("localhost", {.mode = "verify-full", .ca_pem = ca_});
  ASSERT_TRUE(connection.has_value()) << connection.error().message;
  const std::string large(std::size_t{9} << 20, 'x');
  const auto rows = connection->Execute("SELECT length('" + large + "')");
  ASSERT_TRUE(rows.has_value()) << rows.error().ToString();
  EXPECT_EQ((*rows)[0][0], std::to_string(large.size()));
  EXPECT_TRUE(connection->Execute("SELECT 1").has_value());
}

TEST_F(TlsTest, RefusesAnotherCa) {
  auto connection = Open("localhost", {.mode = "verify-full", .ca_pem = other_ca_});
  ASSERT_FALSE(connection.has_value());
  EXPECT_THAT(connection.error().message, ::testing::HasSubstr("certificate"));
}

/// The home directory of this process for one test. gtest runs one test at a time.
class ScopedHome {
 public:
  explicit ScopedHome(const std::filesystem::path& path) : before_(Value()) {
    setenv("HOME", path.c_str(), 1);
  }
  ~ScopedHome() { setenv("HOME", before_.c_str(), 1); }
  ScopedHome(const ScopedHome&) = delete;
  ScopedHome& operator=(const ScopedHome&) = delete;

 private:
  static std::string Value() {
    const char* value = std::getenv("HOME");
    return value == nullptr ? "" : value;
  }
  std::string before_;
};

TEST_F(TlsTest, TheHomeDirectoryHasNoSayInATenantsConnection) {
  const TempDir home;
  std::filesystem::create_directory(home / ".postgresql");
  // Found by libpq, it would make `require` verify the server against this CA.
  std::filesystem::copy(*folder_ / "other.crt", home / ".postgresql/root.crt");
  // No key beside it: found by libpq, it would fail.
  std::filesystem::copy(*folder_ / "other.crt", home / ".postgresql/postgresql.crt");
  const ScopedHome scoped(home.path());
  auto connection = Open("localhost", {.mode = "require"});
  EXPECT_TRUE(connection.has_value()) << connection.error().message;
}

TEST_F(TlsTest, VerifyingWithoutACaSaysWhatIsMissing) {
  auto connection = Open("localhost", {.mode = "verify-full"});
  ASSERT_FALSE(connection.has_value());
  EXPECT_THAT(connection.error().message, ::testing::HasSubstr("root certificate file"));
}

TEST_F(TlsTest, RefusesAnotherHost) {
  auto connection = Open("127.0.0.1", {.mode = "verify-full", .ca_pem = ca_});
  ASSERT_FALSE(connection.has_value());
  EXPECT_THAT(connection.error().message, ::testing::HasSubstr("127.0.0.1"));
}

}  // namespace
}  // namespace whimbrel::postgres
