#pragma once

#include <gtest/gtest.h>

#include <filesystem>
#include <string>

#include "support/postgres_server.h"
#include "support/subprocess.h"
#include "support/temp_dir.h"
#include "unit/kube/test_certificates.h"

namespace whimbrel::cli {

/// A server of its own with a certificate for `localhost` (not for its address) by an authority of
/// its own. Role `encrypted`, password `secret`, logs in over TLS alone; role `certified` by a
/// client's certificate.
class TlsPostgres {
 public:
  TlsPostgres() {
    const kube::TestIdentity own = kube::MakeCertificate(
        {.common_name = "localhost", .subject_alt_name = "DNS:localhost", .issuer = &authority_});
    testing::PgClient sql(server_.target());
    const std::string data = sql.Scalar("SHOW data_directory");
    const testing::TempDir files;
    Install(files.Write("server.crt", own.CertificatePem()), data);
    Install(files.Write("server.key", own.KeyPem()), data);
    Install(files.Write("ca.crt", authority_.CertificatePem()), data);
    Install(files.Write("pg_hba.conf",
                        "hostssl all certified all cert clientcert=verify-full\n"
                        "hostssl all encrypted all scram-sha-256\n"
                        "host all postgres all scram-sha-256\n"),
            data);
    sql.Exec("ALTER SYSTEM SET ssl = on");
    sql.Exec("ALTER SYSTEM SET ssl_ca_file = 'ca.crt'");
    sql.Exec("CREATE ROLE certified LOGIN SUPERUSER");
    sql.Exec("CREATE ROLE encrypted LOGIN SUPERUSER PASSWORD 'secret'");
    server_.Restart();
  }

  [[nodiscard]] const kube::TestIdentity& authority() const { return authority_; }
  [[nodiscard]] testing::PgTarget CreateDatabase() { return server_.CreateDatabase(); }
  /// A new database as `encrypted`, at a name that the certificate has or at one that it has not.
  [[nodiscard]] testing::PgTarget CreateDatabaseAt(const std::string& host) {
    testing::PgTarget target = CreateDatabase().WithUser("encrypted", "secret");
    target.host = host;
    return target;
  }
  /// What `certified` shows.
  [[nodiscard]] kube::TestIdentity ClientCertificate() const {
    return kube::MakeCertificate({.common_name = "certified", .issuer = &authority_});
  }

 private:
  /// The server may be another user than we are.
  static void Install(const std::filesystem::path& file, const std::string& data) {
    const std::string target = data + "/" + file.filename().string();
    std::filesystem::copy(file, target, std::filesystem::copy_options::overwrite_existing);
    std::filesystem::permissions(target, std::filesystem::perms(0600));
    const auto owned = testing::RunProcess({.argv = {"chown", "--reference=" + data, target}});
    EXPECT_EQ(owned.exit_code, 0) << owned.err;
  }

  testing::PostgresServer server_;
  kube::TestIdentity authority_ = kube::MakeCertificate({.common_name = "ca", .is_ca = true});
};

}  // namespace whimbrel::cli
