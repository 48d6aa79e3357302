#include "whimbrel/migration/mounted_folder.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <atomic>
#include <filesystem>
#include <thread>

#include "support/kubelet_volume.h"
#include "support/temp_dir.h"
#include "whimbrel/migration/source.h"

namespace whimbrel::migration {
namespace {

namespace fs = std::filesystem;
using ::testing::HasSubstr;
using whimbrel::testing::KubeletVolume;
using whimbrel::testing::TempDir;

MountedFiles Read(const fs::path& folder) {
  Result<MountedFiles> files = ReadMountedFolder(folder);
  EXPECT_TRUE(files) << files.error().ToString();
  return files.value_or(MountedFiles());
}

TEST(MountedFolderTest, ReadsTheKeysThatTheKubeletLaysOut) {
  const TempDir folder;
  const MountedFiles keys = {
      {"001_a.sql", "SELECT 1;\n"}, {"empty", ""}, {"b", std::string(1, '\0')}};
  const KubeletVolume volume(folder / "v", {keys.begin(), keys.end()});
  EXPECT_EQ(Read(volume.path()), keys);
}

TEST(MountedFolderTest, TakesAKeyThatBeginsWithADotForAFile) {
  const TempDir folder;
  const KubeletVolume volume(folder / "v", {{".psqlrc", "x"}, {"a.sql", "y"}});
  EXPECT_EQ(Read(volume.path()), (MountedFiles{{".psqlrc", "x"}, {"a.sql", "y"}}));
}

TEST(MountedFolderTest, ReadsAPlainFolderAsItIs) {
  const TempDir folder;
  folder.Write("a.sql", "1");
  folder.Write(".hidden", "2");
  folder.Write("below/b.sql", "3");
  EXPECT_EQ(Read(folder.path()), (MountedFiles{{".hidden", "2"}, {"a.sql", "1"}}));
}

TEST(MountedFolderTest, FindsNothingForAnOptionalObjectThatDoesNotExist) {
  const TempDir folder;
  EXPECT_EQ(Read(KubeletVolume(folder / "v").path()), MountedFiles());
}

TEST(MountedFolderTest, ReadsTheNewVersionAfterAnUpdate) {
  const TempDir folder;
  KubeletVolume volume(folder / "v", {{"a", "1"}, {"gone", "1"}});
  volume.Update({{"a", "2"}, {"new", "2"}});
  EXPECT_EQ(Read(volume.path()), (MountedFiles{{"a", "2"}, {"new", "2"}}));
}

TEST(MountedFolderTest, NeverMixesVersionsWhileTheKubeletWrites) {
  const TempDir folder;
  const auto version = [](int i) {
    KubeletVolume::Keys keys;
    for (int key = 0; key < 20; ++key) keys["key" + std::to_string(key)] = std::to_string(i);
    return keys;
  };
  KubeletVolume volume(folder / "v", version(0));
  std::atomic<bool> done = false;
  std::jthread kubelet([&] {
    for (int i = 1; i <= 200; ++i) volume.Update(version(i));
    done = true;
  });
  while (!done) {
    const Result<MountedFiles> files = ReadMountedFolder(volume.path());
    if (!files) {  // A kubelet that writes all the time is more than five tries can bear.
      EXPECT_EQ(files.error().kind, ErrorKind::kUnavailable) << files.error().ToString();
      continue;
    }
    ASSERT_EQ(files->size(), 20U);
    for (const auto& [key, bytes] : *files) ASSERT_EQ(bytes, files->begin()->second) << key;
  }
  kubelet.join();
  EXPECT_EQ(Read(volume.path()).at("key7"), "200");
}

TEST(MountedFolderTest, NamesWhatItCannotRead) {
  const TempDir folder;
  const Result<MountedFiles> missing = ReadMountedFolder(folder / "nowhere");
  ASSERT_FALSE(missing);
  EXPECT_EQ(missing.error().kind, ErrorKind::kNotFound);
  EXPECT_THAT(missing.error().message, HasSubstr("nowhere"));

  const auto file = folder.Write("large", "");
  fs::resize_file(file, kMaxMemoryFileBytes + 1);
  const Result<MountedFiles> large = ReadMountedFolder(folder.path());
  ASSERT_FALSE(large);
  EXPECT_EQ(large.error().kind, ErrorKind::kInvalidArgument);
  EXPECT_THAT(large.error().message, HasSubstr("large has more than"));
}

}  // namespace
}  // namespace whimbrel::migration
