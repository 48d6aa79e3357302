#include "support/temp_dir.h"

#include <gtest/gtest.h>

#include <filesystem>

namespace whimbrel::testing {
namespace {

TEST(TempDirTest, GoesWithAllThatIsInIt) {
  std::filesystem::path path;
  {
    const TempDir folder;
    path = folder.path();
    folder.Write("a/b.txt", "text");
    EXPECT_EQ(ReadFile(path / "a/b.txt"), "text");
  }
  EXPECT_FALSE(std::filesystem::exists(path));
}

TEST(TempDirTest, IsAnotherOneEachTime) { EXPECT_NE(TempDir().path(), TempDir().path()); }

}  // namespace
}  // namespace whimbrel::testing
