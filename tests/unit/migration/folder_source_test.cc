#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/stat.h>

#include <filesystem>
#include <fstream>
#include <string>

#include "sources.h"
#include "support/subprocess.h"
#include "support/temp_dir.h"
#include "whimbrel/base/hash.h"
#include "whimbrel/migration/source.h"

namespace whimbrel::migration {
namespace {

namespace fs = std::filesystem;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::Pointee;
using whimbrel::testing::TempDir;

std::vector<std::string> PathsOf(const Result<std::shared_ptr<const Source>>& source) {
  std::vector<std::string> paths;
  if (!source) return {source.error().ToString()};
  for (const SourceFilePtr& file : (*source)->files) paths.push_back(file->path());
  return paths;
}

TEST(FolderSourceTest, FindsTheFilesOfAllFoldersSortedByPath) {
  const TempDir folder;
  for (const char* name : {"b.sql", "a/2.sql", "a/b/1.sql", "a.sql", "README.md"})
    folder.Write(name, name);
  EXPECT_THAT(PathsOf(OpenFolder(folder.path())),
              ElementsAre("README.md", "a.sql", "a/2.sql", "a/b/1.sql", "b.sql"));
}

TEST(FolderSourceTest, HashesAndReadsEachFileInChunks) {
  const TempDir folder;
  std::string large(std::size_t{3} << 20, 'x');
  large[1'000'000] = '\n';
  folder.Write("large.sql", large);
  folder.Write("empty.sql", "");
  folder.Write("small.sql", "select 1;");
  const auto source = OpenFolder(folder.path());
  ASSERT_TRUE(source) << source.error().ToString();
  for (const auto& [name, text] : {std::pair<std::string, std::string>{"empty.sql", ""},
                                   {"large.sql", large},
                                   {"small.sql", "select 1;"}}) {
    const SourceFile* file = (*source)->Find(name);
    ASSERT_NE(file, nullptr) << name;
    EXPECT_EQ(file->size(), text.size()) << name;
    EXPECT_EQ(file->sha256(), Sha256Hex(text)) << name;
    EXPECT_TRUE(ReadAll(file->Open()) == text) << name;
  }
  auto stream = (*source)->Find("large.sql")->Open();
  ASSERT_TRUE(stream);
  EXPECT_EQ((*stream)->Read()->size(), std::size_t{256} << 10);
}

TEST(FolderSourceTest, KeepsTheBytesOfSmallFilesUntilThereIsNoRoom) {
  const TempDir folder;
  const std::size_t largest = std::size_t{64} << 10;
  folder.Write("empty.sql", "");
  folder.Write("large.sql", std::string(largest + 1, 'x'));
  folder.Write("small.sql", "select 1;");
  auto source = *OpenFolder(folder.path());
  EXPECT_EQ(source->Find("large.sql")->bytes(), nullptr);
  EXPECT_THAT(source->Find("empty.sql")->bytes(), Pointee(std::string()));
  EXPECT_THAT(source->Find("small.sql")->bytes(), Pointee(std::string("select 1;")));

  for (int i = 0; i < 130; ++i)
    folder.Write("many/" + std::to_string(i) + ".sql", std::string(largest, 'x'));
  source = *OpenFolder(folder.path());
  std::size_t kept = 0;
  for (const SourceFilePtr& file : source->files) kept += file->bytes() ? file->bytes()->size() : 0;
  EXPECT_LE(kept, std::size_t{8} << 20);
  EXPECT_GT(kept, std::size_t{7} << 20);
}

TEST(FolderSourceTest, ReadsManyFilesBySeveralThreadsAndStopsAtTheFirstFailure) {
  const TempDir folder;
  std::vector<TestFile> files;
  for (int i = 0; i < 2000; ++i)
    files.push_back({std::to_string(i) + ".sql", "select " + std::to_string(i) + ";"});
  for (const TestFile& file : files) folder.Write(file.path, file.text);
  const auto source = OpenFolder(folder.path());
  ASSERT_TRUE(source) << source.error().ToString();
  EXPECT_EQ((*source)->files.size(), files.size());
  EXPECT_EQ((*source)->digest, InMemory(files)->digest);

  fs::resize_file(folder / "1000.sql", kMaxFolderFileBytes + 1);
  const auto refused = OpenFolder(folder.path());
  ASSERT_FALSE(refused);
  EXPECT_THAT(refused.error().message, HasSubstr("1000.sql is larger than"));
}

TEST(FolderSourceTest, ReadsWhatIsInTheFolderNowWhenAFileIsOpened) {
  const TempDir folder;
  folder.Write("a.sql", "select 1;");
  const auto source = *OpenFolder(folder.path());
  folder.Write("a.sql", "select 22;");
  const SourceFile& file = *source->files.front();
  EXPECT_EQ(file.sha256(), Sha256Hex("select 1;"));
  EXPECT_EQ(ReadAll(file.Open()), "select 22;");
}

TEST(FolderSourceTest, DigestOfFoldersInFoldersIsWhatSha256sumPrintsForTheirPaths) {
  const TempDir folder;
  for (const char* name : {"b.sql", "a/2.sql", "a.sql", "a-b.sql", "a b/c.sql"})
    folder.Write(name, name);
  const auto real = whimbrel::testing::RunProcess(
      {.argv = {"sh", "-c",
                "LC_ALL=C; export LC_ALL; find . -type f -printf '%P\\0' | sort -z | "
                "xargs -0 sha256sum | sha256sum"},
       .directory = folder.path()});
  ASSERT_EQ(real.exit_code, 0) << real.err;
  EXPECT_EQ((*OpenFolder(folder.path()))->digest, "sha256:" + real.out.substr(0, 64));
}

TEST(FolderSourceTest, ReadsAMountedConfigMapOnce) {
  const TempDir folder;
  folder.Write("..2026_11_21/001_a.sql", "select 1;");
  folder.Write("..2026_11_21/002_b.sql", "select 2;");
  fs::create_directory_symlink("..2026_11_21", folder / "..data");
  fs::create_symlink("..data/001_a.sql", folder / "001_a.sql");
  fs::create_symlink("..data/002_b.sql", folder / "002_b.sql");
  const auto source = OpenFolder(folder.path());
  EXPECT_THAT(PathsOf(source), ElementsAre("001_a.sql", "002_b.sql"));
  EXPECT_EQ((*source)->digest,
            InMemory({{"001_a.sql", "select 1;"}, {"002_b.sql", "select 2;"}})->digest);
}

TEST(FolderSourceTest, LeavesOutHiddenAndSpecialFiles) {
  const TempDir folder;
  folder.Write(".hidden.sql", "");
  folder.Write(".git/config.sql", "");
  folder.Write("a.sql", "");
  ASSERT_EQ(mkfifo((folder / "pipe.sql").c_str(), 0600), 0);  // Opening it would wait for ever.
  EXPECT_THAT(PathsOf(OpenFolder(folder.path())), ElementsAre("a.sql"));
}

TEST(FolderSourceTest, FollowsLinksToFoldersButNotInCircles) {
  const TempDir folder;
  folder.Write("real/1.sql", "");
  fs::create_directory_symlink("real", folder / "link");
  EXPECT_THAT(PathsOf(OpenFolder(folder.path())), ElementsAre("link/1.sql", "real/1.sql"));

  fs::create_directory_symlink("..", folder / "real/up");
  const auto source = OpenFolder(folder.path());
  ASSERT_FALSE(source);
  EXPECT_EQ(source.error().kind, ErrorKind::kInvalidArgument);
  EXPECT_THAT(source.error().message, HasSubstr("/up leads back to a folder that it lies in"));
}

TEST(FolderSourceTest, NamesWhatCannotBeRead) {
  const TempDir folder;
  folder.Write("file", "");
  auto source = OpenFolder(folder / "none");
  ASSERT_FALSE(source);
  EXPECT_EQ(source.error().kind, ErrorKind::kNotFound);
  EXPECT_THAT(source.error().message, HasSubstr((folder / "none").string()));

  source = OpenFolder(folder / "file");
  ASSERT_FALSE(source);
  EXPECT_EQ(source.error().kind, ErrorKind::kInvalidArgument);
  EXPECT_THAT(source.error().message, HasSubstr((folder / "file").string()));

  fs::create_symlink("nowhere", folder / "dangling.sql");
  source = OpenFolder(folder.path());
  ASSERT_FALSE(source);
  EXPECT_EQ(source.error().kind, ErrorKind::kNotFound);
  EXPECT_THAT(source.error().message, HasSubstr("dangling.sql"));
}

TEST(FolderSourceTest, RefusesNamesThatDoNotFitALine) {
  const TempDir folder;
  folder.Write("a\nb.sql", "");
  const auto source = OpenFolder(folder.path());
  ASSERT_FALSE(source);
  EXPECT_EQ(source.error().kind, ErrorKind::kInvalidArgument);
  EXPECT_THAT(source.error().message, HasSubstr("`a?b.sql`"));
}

TEST(FolderSourceTest, RefusesAFileAboveTheLimitWithoutReadingIt) {
  const TempDir folder;
  const fs::path path = folder.Write("dump.sql", "");
  fs::resize_file(path, kMaxFolderFileBytes + 1);  // A hole: takes no space.
  const auto source = OpenFolder(folder.path());
  ASSERT_FALSE(source);
  EXPECT_EQ(source.error().kind, ErrorKind::kInvalidArgument);
  EXPECT_THAT(source.error().message, HasSubstr("dump.sql is larger than the 1024 MiB"));
}

TEST(FolderSourceTest, ShowsAFileThatIsGoneOnlyWhenItIsRead) {
  const TempDir folder;
  const fs::path path = folder.Write("a.sql", "select 1;");
  const auto source = OpenFolder(folder.path());
  ASSERT_TRUE(source);
  fs::remove(path);
  const auto stream = (*source)->files.front()->Open();
  ASSERT_FALSE(stream);
  EXPECT_EQ(stream.error().kind, ErrorKind::kNotFound);
  EXPECT_THAT(stream.error().message, HasSubstr("a.sql"));
}

}  // namespace
}  // namespace whimbrel::migration
