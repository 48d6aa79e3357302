// What docs/sources.md tells people to type, typed into the real tar and the real kubectl.

#include "unit/cli/cluster_fixture.h"

namespace whimbrel::cli {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;
using whimbrel::testing::EventuallyEquals;
using whimbrel::testing::TempDir;

constexpr const char* kArchive = R"(apiVersion: whimbrel.dev/v1alpha1
kind: DatabaseMigration
metadata:
  name: orders
spec:
  database:
    secretRef:
      name: orders-db
  source:
    archive:
      configMap: orders-sql
  execution:
    mode: InProcess
)";

class ArchiveOnClusterTest : public ClusterTest {
 protected:
  void SetUp() override {
    files_.Write("001_orders.sql", "CREATE TABLE orders (id int);\n\\ir parts/totals.sql\n");
    files_.Write("parts/totals.sql", "CREATE VIEW totals AS SELECT count(*) FROM orders;\n");
    controller_ = StartController();
    Apply(SecretYaml("orders-db", database_));
  }

  std::string Pack(const std::string& options = "") {
    const auto packed = whimbrel::testing::RunProcess(
        {.argv = {"sh", "-c", "tar -C '" + files_.path().string() + "' " + options + " -czf - ."}});
    EXPECT_EQ(packed.exit_code, 0) << packed.err;
    return packed.out;
  }
  void CreateArchive(const std::string& bytes) {
    Kubectl({"create", "configmap", "orders-sql", "--from-file=migrations.tar.gz=/dev/stdin"},
            bytes);
  }
  void ReplaceArchive(const std::string& bytes) {
    Kubectl({"apply", "--server-side", "--force-conflicts", "-f", "-"},
            Kubectl({"create", "configmap", "orders-sql",
                     "--from-file=migrations.tar.gz=/dev/stdin", "--dry-run=client", "-o", "yaml"},
                    bytes));
  }
  std::string Status(const std::string& path) {
    return Kubectl({"get", "dbmig", "orders", "-o", "jsonpath={.status." + path + "}"});
  }

  const TempDir files_;
  std::unique_ptr<whimbrel::testing::Subprocess> controller_;
};

TEST_F(ArchiveOnClusterTest, IsWaitedForAppliedAndNoticedWhenItIsReplaced) {
  Apply(kArchive);
  ASSERT_TRUE(GetsReason("orders", "SourceNotFound"));
  CreateArchive(Pack());
  ASSERT_TRUE(BecomesReady("orders"));
  EXPECT_EQ(sql_.Scalar("SELECT count FROM totals"), "0");
  EXPECT_EQ(Status("source.resolved[*].name"), "orders-sql");
  EXPECT_EQ(Status("source.files"), "2");
  const std::string digest = Status("source.digest");
  const auto real = whimbrel::testing::RunProcess(
      {.argv = {"sh", "-c", "LC_ALL=C sha256sum 001_orders.sql parts/totals.sql | sha256sum"},
       .directory = files_.path()});
  EXPECT_EQ(digest, "sha256:" + real.out.substr(0, 64));

  files_.Write("002_customers.sql", "CREATE TABLE customers (id int);\n");
  ReplaceArchive(Pack("--format=pax"));
  EXPECT_TRUE(EventuallyEquals<std::string>([&] { return Status("currentVersion"); }, "002"));
  EXPECT_NE(Status("source.digest"), digest);
  EXPECT_EQ(sql_.Scalar("SELECT count(*) FROM customers"), "0");
}

TEST_F(ArchiveOnClusterTest, SaysWhichEntryItRefusesUntilItIsMended) {
  std::filesystem::create_symlink("/etc/passwd", files_ / "002_passwd.sql");
  CreateArchive(Pack());
  Apply(kArchive);
  ASSERT_TRUE(GetsReason("orders", "InvalidSource"));
  EXPECT_THAT(Condition("orders", "Ready", "message"),
              AllOf(HasSubstr("ConfigMap " + ns_ + "/orders-sql, key migrations.tar.gz"),
                    HasSubstr("`./002_passwd.sql` is a symbolic link")));
  std::filesystem::remove(files_ / "002_passwd.sql");
  ReplaceArchive(Pack());
  EXPECT_TRUE(BecomesReady("orders"));
}

}  // namespace
}  // namespace whimbrel::cli
