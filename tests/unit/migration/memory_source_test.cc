#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>

#include "sources.h"
#include "support/subprocess.h"
#include "support/temp_dir.h"
#include "whimbrel/base/hash.h"
#include "whimbrel/migration/source.h"

namespace whimbrel::migration {
namespace {

using ::testing::HasSubstr;

TEST(MemorySourceTest, SortsBytewiseAndKeepsTheBytes) {
  const auto source = InMemory({{"b.sql", "2"}, {"a/z.sql", "1"}, {"B.sql", "3"}, {"a.sql", "4"}});
  ASSERT_EQ(source->files.size(), 4U);
  const std::pair<const char*, const char*> expected[] = {
      {"B.sql", "3"}, {"a.sql", "4"}, {"a/z.sql", "1"}, {"b.sql", "2"}};
  for (std::size_t i = 0; i < 4; ++i) {
    const SourceFile& file = *source->files[i];
    EXPECT_EQ(file.path(), expected[i].first);
    EXPECT_EQ(*file.bytes(), expected[i].second);
    EXPECT_EQ(file.size(), 1U);
    EXPECT_EQ(file.sha256(), Sha256Hex(expected[i].second));
    EXPECT_EQ(ReadAll(file.Open()), expected[i].second);
    EXPECT_EQ(ReadAll(file.Open()), expected[i].second) << "read a second time";
  }
}

TEST(MemorySourceTest, FindsFilesByPath) {
  const auto source = InMemory({{"b.sql", "2"}, {"a.sql", "1"}});
  ASSERT_NE(source->Find("a.sql"), nullptr);
  EXPECT_EQ(*source->Find("a.sql")->bytes(), "1");
  EXPECT_EQ(source->Find("a.sq"), nullptr);
  EXPECT_EQ(source->Find("c.sql"), nullptr);
  EXPECT_EQ(Source().Find("a.sql"), nullptr);
}

TEST(MemorySourceTest, DigestIsWhatSha256sumPrints) {
  const std::vector<TestFile> files = {{"002_b.sql", "select 2;\n"},
                                       {"001_a.sql", "select 1;\n"},
                                       {"README.md", "ä\xFF\0"},
                                       {"a b.sql", ""},
                                       {"Ä.sql", "select 'Ä';"},
                                       {"_.sql", "\r\n"},
                                       {"001_a.SQL", "x"}};
  const whimbrel::testing::TempDir folder;
  for (const TestFile& file : files) folder.Write(file.path, file.text);
  const auto real = whimbrel::testing::RunProcess(
      {.argv = {"sh", "-c", "LC_ALL=C; export LC_ALL; sha256sum -- * | sha256sum"},
       .directory = folder.path()});
  ASSERT_EQ(real.exit_code, 0) << real.err;
  EXPECT_EQ(InMemory(files)->digest, "sha256:" + real.out.substr(0, 64));

  const auto from_folder = OpenFolder(folder.path());
  ASSERT_TRUE(from_folder) << from_folder.error().ToString();
  EXPECT_EQ((*from_folder)->digest, "sha256:" + real.out.substr(0, 64));
}

TEST(MemorySourceTest, DigestDependsOnNamesAndBytesButNotOnTheOrderOfAdding) {
  const std::string digest = InMemory({{"a.sql", "1"}, {"b.sql", "2"}})->digest;
  EXPECT_EQ(InMemory({{"b.sql", "2"}, {"a.sql", "1"}})->digest, digest);
  EXPECT_NE(InMemory({{"b.sql", "1"}, {"a.sql", "2"}})->digest, digest);
  EXPECT_NE(InMemory({{"a.sql", "1"}, {"b.sql", "2"}, {"c.md", ""}})->digest, digest);
  EXPECT_EQ(InMemory({})->digest, "sha256:" + Sha256Hex(""));
}

TEST(MemorySourceTest, NamesBothOriginsOfAPathThatComesTwice) {
  MemorySourceBuilder builder;
  ASSERT_TRUE(builder.Add("001_a.sql", "1", "ConfigMap shop/one"));
  const Result<void> second = builder.Add("001_a.sql", "1", "ConfigMap shop/two");
  ASSERT_FALSE(second) << "equal bytes are no excuse";
  EXPECT_EQ(second.error().kind, ErrorKind::kInvalidArgument);
  EXPECT_THAT(second.error().message,
              HasSubstr("001_a.sql is in ConfigMap shop/one and in ConfigMap shop/two"));
  EXPECT_EQ(std::move(builder).Build()->files.size(), 1U);
}

TEST(MemorySourceTest, RefusesPathsThatLeaveTheSourceOrDoNotFitALine) {
  for (const std::string path :
       {"", "/a.sql", "../a.sql", "a/../b.sql", "a/./b.sql", "./a.sql", "a//b.sql", "a/", "..", ".",
        "a\nb.sql", "a\tb.sql", "a\x7F.sql", "a\\b.sql", "\xFF.sql", "a\xE2\x82"}) {
    MemorySourceBuilder builder;
    const Result<void> added = builder.Add(path, "", "ConfigMap shop/one");
    ASSERT_FALSE(added) << path;
    EXPECT_EQ(added.error().kind, ErrorKind::kInvalidArgument);
    EXPECT_THAT(added.error().message, HasSubstr("ConfigMap shop/one"));
    EXPECT_EQ(added.error().message.find('\n'), std::string::npos);
  }
  for (const std::string path :
       {"a.sql", "a/b/c.sql", "..a", "a..b", ".a", "a b", "ä", "a.", "..."}) {
    MemorySourceBuilder builder;
    EXPECT_TRUE(builder.Add(path, "", "test")) << path;
  }
}

TEST(MemorySourceTest, RefusesAFileAboveTheLimit) {
  MemorySourceBuilder builder;
  EXPECT_TRUE(builder.Add("a.sql", std::string(kMaxMemoryFileBytes, ' '), "test"));
  const Result<void> added =
      builder.Add("b.sql", std::string(kMaxMemoryFileBytes + 1, ' '), "ConfigMap x");
  ASSERT_FALSE(added);
  EXPECT_EQ(added.error().kind, ErrorKind::kInvalidArgument);
  EXPECT_THAT(added.error().message, HasSubstr("b.sql from ConfigMap x has 16777217 bytes"));
}

}  // namespace
}  // namespace whimbrel::migration
