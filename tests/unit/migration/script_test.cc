#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "sources.h"
#include "whimbrel/migration/resolved_migration.h"

namespace whimbrel::migration {
namespace {

using ::testing::HasSubstr;

TEST(ScriptTest, OpensItsPartOfTheFileHoweverTheFileIsRead) {
  const std::string text = "0123456789";
  std::vector<SourceFilePtr> files = InMemory({{"a.sql", text}})->files;
  for (const std::size_t piece : {1, 3, 4, 10, 100}) {
    files.push_back(InPieces({{"a.sql", text}}, piece)->files.front());
  }
  for (const SourceFilePtr& file : files) {
    for (std::size_t begin = 0; begin <= text.size(); ++begin) {
      for (std::size_t end = begin; end <= text.size(); ++end) {
        const Script script{.file = file, .begin = begin, .end = end, .start = {}};
        EXPECT_EQ(ReadAll(script.Open()), text.substr(begin, end - begin))
            << begin << " to " << end;
      }
    }
  }
}

TEST(ScriptTest, SaysWhenTheFileHasBecomeShorter) {
  const auto file = std::make_shared<ChunkedFile>("a.sql", "0123456789", "0123", 3);
  const Script script{.file = file, .begin = 2, .end = 10, .start = {}};
  Result<std::unique_ptr<ByteSource>> stream = script.Open();
  ASSERT_TRUE(stream);
  EXPECT_EQ(*(*stream)->Read(), "2");
  EXPECT_EQ(*(*stream)->Read(), "3");
  const Result<std::string_view> piece = (*stream)->Read();
  ASSERT_FALSE(piece);
  EXPECT_EQ(piece.error().kind, ErrorKind::kSourceChanged);
  EXPECT_THAT(piece.error().message, HasSubstr("a.sql"));
}

TEST(FormatTest, HasANameBothWays) {
  for (const Format format : {Format::kAuto, Format::kNumbered, Format::kFlyway}) {
    EXPECT_FALSE(ToString(format).empty());
    EXPECT_EQ(ParseFormat(ToString(format)), format);
  }
  EXPECT_EQ(ParseFormat("flyway"), std::nullopt);
  EXPECT_EQ(ParseFormat(""), std::nullopt);
}

TEST(ResolvedMigrationTest, HasAnIdentityAndALabel) {
  ResolvedMigration migration;
  migration.version = *Version::Parse("002.0");
  migration.description = "add orders";
  EXPECT_EQ(migration.id(), "2");
  EXPECT_EQ(migration.Label(), "002.0");
  migration.kind = Kind::kRepeatable;
  EXPECT_EQ(migration.id(), "add orders");
  EXPECT_EQ(migration.Label(), "R add orders");
}

}  // namespace
}  // namespace whimbrel::migration
