#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>
#include <string>

#include "support/subprocess.h"
#include "support/temp_dir.h"
#include "whimbrel/migration/archive.h"

namespace whimbrel::migration {
namespace {

namespace fs = std::filesystem;
using ::testing::HasSubstr;
using whimbrel::testing::RunProcess;
using whimbrel::testing::TempDir;

/// A folder that is packed by real programs.
class ArchiveToolsTest : public ::testing::Test {
 protected:
  void SetUp() override {
    folder_.Write("sql/001_a.sql", "select 1;\n");
    folder_.Write("sql/002_empty.sql", "");
    folder_.Write("sql/more/003_large.sql", std::string(100'000, 'x'));
    folder_.Write("sql/.hidden/004.sql", "select 4;");
    folder_.Write("sql/._001_a.sql", "Mac OS X");
  }

  /// Runs a shell script where the folder `sql` is; its output is the archive.
  std::string Pack(const std::string& script) const {
    const auto packed = RunProcess({.argv = {"sh", "-c", script}, .directory = folder_.path()});
    EXPECT_EQ(packed.exit_code, 0) << packed.err;
    return packed.out;
  }

  static std::string DigestOf(const std::string& archive) {
    MemorySourceBuilder builder;
    const Result<void> added = AddArchive(archive, "the test", builder);
    return added ? std::move(builder).Build()->digest : added.error().message;
  }

  [[nodiscard]] std::string DigestOfFolder() const {
    return (*OpenFolder(folder_ / "sql"))->digest;
  }

  const TempDir folder_;
};

TEST_F(ArchiveToolsTest, ReadsEveryFormatThatGnuTarWrites) {
  for (const std::string format : {"v7", "oldgnu", "gnu", "ustar", "pax", "posix"}) {
    EXPECT_EQ(DigestOf(Pack("tar --format=" + format + " -C sql -czf - .")), DigestOfFolder())
        << format;
  }
  EXPECT_EQ(DigestOf(Pack("cd sql && tar -cf - * .hidden | gzip -9n")), DigestOfFolder());
}

TEST_F(ArchiveToolsTest, ReadsLongPathsInEveryFormatThatHasThem) {
  folder_.Write("sql/" + std::string(80, 'f') + "/" + std::string(90, 'n') + ".sql", "select 5;");
  folder_.Write("sql/ä/ö ü.sql", "select 6;");
  for (const std::string format : {"oldgnu", "gnu", "ustar", "pax"}) {
    EXPECT_EQ(DigestOf(Pack("tar --format=" + format + " -C sql -czf - .")), DigestOfFolder())
        << format;
  }
  folder_.Write("sql/" + std::string(200, 'n') + ".sql", "select 7;");
  for (const std::string format : {"gnu", "pax"}) {
    EXPECT_EQ(DigestOf(Pack("tar --format=" + format + " -C sql -czf - .")), DigestOfFolder())
        << format;
  }
}

TEST_F(ArchiveToolsTest, ReadsWhatPythonWrites) {
  for (const std::string format : {"USTAR", "GNU", "PAX"}) {
    EXPECT_EQ(DigestOf(Pack("python3 -c \"import sys, tarfile\n"
                            "t = tarfile.open(mode='w|gz', fileobj=sys.stdout.buffer, "
                            "format=tarfile." +
                            format + "_FORMAT)\nt.add('sql', arcname='.')\nt.close()\"")),
              DigestOfFolder())
        << format;
  }
}

TEST_F(ArchiveToolsTest, RefusesLinksUntilTarFollowsThem) {
  fs::create_symlink("001_a.sql", folder_ / "sql/005_link.sql");
  EXPECT_THAT(DigestOf(Pack("tar -C sql -czf - .")),
              HasSubstr("the entry `./005_link.sql` is a symbolic link"));
  EXPECT_EQ(DigestOf(Pack("tar --dereference --hard-dereference -C sql -czf - .")),
            DigestOfFolder());

  fs::remove(folder_ / "sql/005_link.sql");
  fs::create_hard_link(folder_ / "sql/001_a.sql", folder_ / "sql/005_link.sql");
  EXPECT_THAT(DigestOf(Pack("tar -C sql -czf - .")), HasSubstr(" is a hard link"));
  EXPECT_EQ(DigestOf(Pack("tar --hard-dereference -C sql -czf - .")), DigestOfFolder());
}

TEST_F(ArchiveToolsTest, RefusesSparseFilesInEveryFormatThatHasThem) {
  fs::resize_file(folder_ / "sql/001_a.sql", 1'000'000);  // Most of it is a hole.
  for (const std::string options :
       {"--format=gnu", "--format=pax --sparse-version=0.0", "--format=pax --sparse-version=0.1",
        "--format=pax --sparse-version=1.0"}) {
    EXPECT_THAT(DigestOf(Pack("tar --sparse " + options + " -C sql -czf - .")),
                HasSubstr("is a sparse file: pack it without `tar --sparse`"))
        << options;
  }
  EXPECT_EQ(DigestOf(Pack("tar -C sql -czf - .")), DigestOfFolder());
}

TEST_F(ArchiveToolsTest, RefusesAFileThatWasAppendedTwice) {
  EXPECT_THAT(DigestOf(Pack("tar -C sql -cf a.tar 001_a.sql && tar -C sql -rf a.tar 001_a.sql && "
                            "gzip -c a.tar")),
              HasSubstr("the file 001_a.sql is in the test twice"));
}

}  // namespace
}  // namespace whimbrel::migration
