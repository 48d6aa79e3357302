#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <csignal>
#include <nlohmann/json.hpp>

#include "support/eventually.h"
#include "support/subprocess.h"
#include "unit/cli/manifests.h"
#include "unit/migration/archives.h"
#include "whimbrel/base/hash.h"

namespace whimbrel::cli {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;
using whimbrel::testing::PgClient;
using whimbrel::testing::PgTarget;
using whimbrel::testing::ProcessResult;
using whimbrel::testing::RunProcess;
using whimbrel::testing::SharedPostgres;
using whimbrel::testing::TempDir;

/// `whimbrel run -f`: the controller itself over manifests in a folder.
class RunManifestsTest : public ::testing::Test {
 protected:
  void SetUp() override {
    folder_.Write("1-secret.yaml", SecretYaml("quickstart-db", database_));
    folder_.Write("2-configmap.yaml", Example("quickstart", "2-configmap.yaml"));
    folder_.Write("3-databasemigration.yaml", Example("quickstart", "3-databasemigration.yaml"));
  }
  ProcessResult Run(std::vector<std::string> more = {}) {
    std::vector<std::string> argv = {WHIMBREL_BINARY, "run", "-f", folder_.path().string()};
    argv.insert(argv.end(), more.begin(), more.end());
    return RunProcess({.argv = argv});
  }
  void AddMigration(const std::string& name, const std::string& sql) {
    folder_.Write("2-configmap.yaml", Example("quickstart", "2-configmap.yaml") + "  " + name +
                                          ": |\n    " + sql + "\n");
  }

  TempDir folder_;
  PgTarget database_ = SharedPostgres().CreateDatabase();
  PgClient sql_{database_};
};

TEST_F(RunManifestsTest, MigratesAndShowsWhatKubectlWouldShow) {
  const ProcessResult result = Run();
  EXPECT_EQ(result.exit_code, 0) << result.out << result.err;
  EXPECT_THAT(result.out,
              AllOf(HasSubstr("NAME"), HasSubstr("READY"), HasSubstr("quickstart   True"),
                    HasSubstr("UpToDate"), HasSubstr("create_customers")));
  EXPECT_EQ(sql_.Scalar("SELECT count(*) FROM customer_totals"), "0");
}

TEST_F(RunManifestsTest, ShowsAFailureWithItsSourceLineAndRecoversWhenMended) {
  ASSERT_EQ(Run().exit_code, 0);
  AddMigration("004_bad.sql", "ALTER TABLE custmers ADD COLUMN phone text;");
  const ProcessResult broken = Run();
  EXPECT_EQ(broken.exit_code, 3) << broken.err;
  EXPECT_THAT(broken.out, AllOf(HasSubstr("MigrationFailed"), HasSubstr("004_bad.sql:1:1"),
                                HasSubstr(" 1 | ALTER TABLE custmers ADD COLUMN phone text;"),
                                HasSubstr("^"), HasSubstr("SQLSTATE 42P01")));
  AddMigration("004_bad.sql", "ALTER TABLE customers ADD COLUMN phone text;");
  EXPECT_EQ(Run().exit_code, 0);
}

TEST_F(RunManifestsTest, ReadsAnArchiveAndShowsTheLineInIt) {
  const auto pack = [&](const std::string& sql) {
    folder_.Write(
        "2-configmap.yaml",
        "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: packed}\nbinaryData:\n"
        "  migrations.tar.gz: " +
            Base64Encode(migration::Gzip(migration::Tar({.path = "./001_a.sql", .content = sql}) +
                                         migration::TarEnd())) +
            "\n");
  };
  folder_.Write("3-databasemigration.yaml",
                "apiVersion: whimbrel.dev/v1alpha1\nkind: DatabaseMigration\nmetadata:\n"
                "  name: packed\nspec:\n  database: {secretRef: {name: quickstart-db}}\n"
                "  source: {archive: {configMap: packed}}\n");
  pack("SELECT 1;\nSELECT oops;\n");
  const ProcessResult broken = Run();
  EXPECT_EQ(broken.exit_code, 3) << broken.err;
  EXPECT_THAT(broken.out, AllOf(HasSubstr("001_a.sql:2:8"), HasSubstr(" 2 | SELECT oops;")));
  pack("CREATE TABLE packed (id int);\n");
  const ProcessResult mended = Run();
  EXPECT_EQ(mended.exit_code, 0) << mended.out << mended.err;
  EXPECT_EQ(sql_.Scalar("SELECT count(*) FROM packed"), "0");
}

TEST_F(RunManifestsTest, SpeaksJson) {
  const nlohmann::json list = nlohmann::json::parse(Run({"-o", "json"}).out);
  EXPECT_EQ(list.at("items").at(0).at("status").at("currentVersion"), "003");
}

TEST_F(RunManifestsTest, NamesWhatIsMissing) {
  folder_.Write("1-secret.yaml", "");
  const ProcessResult result = Run();
  EXPECT_EQ(result.exit_code, 1);
  EXPECT_THAT(result.out, AllOf(HasSubstr("SecretNotFound"), HasSubstr("quickstart-db")));
}

TEST_F(RunManifestsTest, RejectsUnknownFieldsAsStrictValidationDoes) {
  folder_.Write("3-databasemigration.yaml",
                MigrationYaml("quickstart", "quickstart-db", "quickstart-sql",
                              "  execution:\n    mode: InProcess\n    lockTimeoutSecs: 3\n"));
  const ProcessResult result = Run();
  EXPECT_EQ(result.exit_code, 2);
  EXPECT_THAT(result.err, HasSubstr("unknown field \"spec.execution.lockTimeoutSecs\""));
}

TEST_F(RunManifestsTest, RejectsImpossibleValues) {
  folder_.Write("3-databasemigration.yaml",
                MigrationYaml("quickstart", "quickstart-db", "quickstart-sql",
                              "  execution:\n    mode: Sideways\n"));
  const ProcessResult result = Run();
  EXPECT_EQ(result.exit_code, 2);
  EXPECT_THAT(result.err, AllOf(HasSubstr("spec.execution.mode"), HasSubstr("Sideways")));
}

TEST_F(RunManifestsTest, SaysAtSigtermWhatItKnows) {
  AddMigration("004_slow.sql", "SELECT pg_sleep(300);");
  whimbrel::testing::Subprocess process(
      {.argv = {WHIMBREL_BINARY, "run", "-f", folder_.path().string()}});
  ASSERT_TRUE(whimbrel::testing::Eventually([&] {
    return sql_.Scalar(
               "SELECT count(*) FROM pg_stat_activity WHERE query LIKE 'SELECT pg_sleep%' AND "
               "datname = current_database()") == "1";
  }));
  process.Signal(SIGTERM);
  EXPECT_EQ(process.Wait(std::chrono::seconds(10)), 1);
  EXPECT_THAT(process.out(), AllOf(HasSubstr("NAME"), HasSubstr("quickstart   ")));
  EXPECT_THAT(process.err(), HasSubstr("stopped before every resource was Ready"));
  EXPECT_EQ(sql_.Scalar("SELECT count(*) FROM whimbrel.whimbrel_migration"), "3");
}

TEST_F(RunManifestsTest, NamesTheSqlThatGivesAWeakRoleItsRights) {
  PgTarget weak = database_.WithUser("weak_" + database_.dbname, "weak");
  sql_.Exec("CREATE ROLE " + weak.user + " LOGIN PASSWORD 'weak'");
  folder_.Write("1-secret.yaml", SecretYaml("quickstart-db", weak));
  const ProcessResult result = Run();
  EXPECT_EQ(result.exit_code, 3);
  EXPECT_THAT(result.out,
              AllOf(HasSubstr("PermissionDenied"), HasSubstr("CREATE SCHEMA \"whimbrel\" AUTHOR")));
}

TEST_F(RunManifestsTest, MigratesInProcessWhatAClusterWouldRunAsAJob) {
  folder_.Write("3-databasemigration.yaml", MigrationYaml("quickstart", "quickstart-db",
                                                          "quickstart-sql", "  execution: {}\n"));
  const ProcessResult result = Run();
  EXPECT_EQ(result.exit_code, 0) << result.out << result.err;
}

}  // namespace
}  // namespace whimbrel::cli
