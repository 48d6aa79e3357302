#include <gtest/gtest.h>

#include <fstream>

#include "support/temp_dir.h"
#include "unit/engine/run_fixture.h"
#include "unit/postgres/peak_memory.h"

namespace whimbrel::engine {
namespace {

using postgres::kMiB;
using postgres::PeakOf;
using whimbrel::testing::PgClient;
using whimbrel::testing::PgTarget;
using whimbrel::testing::SharedPostgres;
using whimbrel::testing::TempDir;

// What is measured here is what is allocated; tests/bench/memory_bench.cc measures the process.
class MemoryTest : public ::testing::Test {
 protected:
  PgTarget database_ = SharedPostgres().CreateDatabase();

  /// The most that running a file takes: `begin`, `unit` so many times, `end`.
  std::size_t PeakOfRun(const std::string& begin, const std::string& unit, std::size_t times,
                        const std::string& end) {
    const TempDir folder;
    {
      std::ofstream file(folder.Write("001_large.sql", begin), std::ios::app);
      for (std::size_t i = 0; i < times; ++i) file << unit;
      file << end;
    }
    report::RunRequest request = RequestFor(database_, {});
    return PeakOf([&] {
      const auto source = migration::OpenFolder(folder.path());
      ASSERT_TRUE(source) << source.error().ToString();
      request.source = *source;
      const report::RunReport report = Execute(request);
      EXPECT_EQ(Ending(report), "Succeeded 001") << (report.failure ? report.failure->message : "");
    });
  }
};

TEST_F(MemoryTest, AStatementIsKeptOnce) {
  constexpr std::size_t kSize = 40 * kMiB;
  const std::size_t peak = PeakOfRun("CREATE TABLE t (a text);\nINSERT INTO t VALUES ('",
                                     std::string(kMiB, 'x'), kSize / kMiB, "');\nSELECT 1;\n");
  EXPECT_LT(peak, 2 * kSize + 32 * kMiB);
  EXPECT_EQ(PgClient(database_).Scalar("SELECT length(a) FROM t"), std::to_string(kSize));
}

TEST_F(MemoryTest, TheDataOfACopyIsNot) {
  const std::string row = std::string(100'000, 'x') + "\n";
  const std::size_t peak = PeakOfRun("CREATE TABLE t (a text);\nCOPY t FROM stdin;\n", row, 600,
                                     "\\.\nINSERT INTO t VALUES ('');\n");
  EXPECT_LT(peak, 32 * kMiB) << "of 57 MiB";
  EXPECT_EQ(PgClient(database_).Scalar("SELECT count(*) FROM t"), "601");
}

TEST_F(MemoryTest, NorAreTheFilesThatAMigrationIncludes) {
  const TempDir folder;
  folder.Write("001_a.sql", "CREATE TABLE t (a text);\n\\set n 1\n\\i data.sql\n\\i data.sql\n");
  {
    std::ofstream file(folder.Write("data.sql", "COPY t FROM stdin;\n"), std::ios::app);
    for (int i = 0; i < 300; ++i) file << std::string(100'000, 'x') << "\n";
  }
  report::RunRequest request = RequestFor(database_, {});
  const std::size_t peak = PeakOf([&] {
    request.source = *migration::OpenFolder(folder.path());
    EXPECT_EQ(Ending(Execute(request)), "Succeeded 001");
  });
  EXPECT_LT(peak, 32 * kMiB) << "of 57 MiB";
  EXPECT_EQ(PgClient(database_).Scalar("SELECT count(*) FROM t"), "600");
}

}  // namespace
}  // namespace whimbrel::engine
