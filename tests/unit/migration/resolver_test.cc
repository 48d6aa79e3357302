#include "whimbrel/migration/resolver.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <set>

#include "resolve.h"
#include "support/temp_dir.h"

namespace whimbrel::migration {
namespace {

using ::testing::HasSubstr;

TEST(ResolverTest, DetectsTheFormatByNamesAndSaysWhy) {
  const struct {
    const char* name;
    std::vector<TestFile> files;
    Format format;
    const char* reason;
  } cases[] = {
      {"numbered",
       {{"001_a.sql", ""}, {"002_b.sql", ""}},
       Format::kNumbered,
       "2 files have names such as 001_a.sql"},
      {"timestamps",
       {{"20250603120000_a.sql", ""}},
       Format::kNumbered,
       "1 file is called 20250603120000_a.sql"},
      {"Flyway",
       {{"V1__a.sql", ""}, {"R__b.sql", ""}, {"README.md", ""}},
       Format::kFlyway,
       "2 files have names such as R__b.sql"},
      {"Flyway with repeatables alone", {{"R__b.sql", ""}}, Format::kFlyway, "R__b.sql"},
      {"mostly Flyway",
       {{"V1__a.sql", ""}, {"V2__a.sql", ""}, {"001_b.sql", ""}},
       Format::kFlyway,
       "2 files have names such as V1__a.sql; rather than Numbered (1 file is called 001_b.sql)"},
  };
  for (const auto& c : cases) {
    const auto resolved = ResolveFiles(c.files, Format::kAuto);
    ASSERT_TRUE(resolved) << c.name << ": " << resolved.error().ToString();
    EXPECT_EQ(resolved->format, c.format) << c.name;
    EXPECT_THAT(resolved->format_reason, HasSubstr(c.reason)) << c.name;
  }
}

TEST(ResolverTest, RefusesToGuess) {
  ExpectRefusals(
      {
          {"as many of each",
           {{"V1__a.sql", ""}, {"001_b.sql", ""}},
           {"Numbered (1 file is called 001_b.sql)", "Flyway (1 file is called V1__a.sql)",
            "source.format"}},
          {"mostly numbered: the other one does not fit",
           {{"001_a.sql", ""}, {"002_b.sql", ""}, {"V1__a.sql", ""}},
           {"V1__a.sql", "Numbered"}},
          {"numbered by name, goose by content",
           {{"001_a.sql", "-- +goose Up\nselect 1;"}},
           {"001_a.sql:1:1", "goose"}},
          {"nothing at all", {}, {"holds no migration", "found no file at all"}},
          {"nothing that fits",
           {{"a.md", ""}, {"b.sql", ""}, {"c", ""}, {"d", ""}, {"e", ""}, {"f", ""}, {"g", ""}},
           {"<number>_<description>.sql (Numbered)", "V<version>__<description>.sql",
            "a.md, b.sql, c, d, e and 2 more"}},
          {"a typo alone", {{"V1_a.sql", ""}}, {"found V1_a.sql"}},
      },
      Format::kAuto);
}

TEST(ResolverTest, FindsNothingWhereAnotherFormatIsAskedFor) {
  ExpectRefusals(
      {{"Flyway", {{"001_a.sql", ""}}, {"R__<description>.sql (Flyway); found 001_a.sql"}}},
      Format::kFlyway);
  ExpectRefusals({{"Numbered",
                   {{"a.md", ""}},
                   {"Looked for files called <number>_<description>.sql "
                    "(Numbered); found a.md"}}},
                 Format::kNumbered);
}

TEST(ResolverTest, HasOneResolverForEachFormat) {
  std::set<Format> formats;
  for (const MigrationResolver* resolver : Resolvers()) {
    EXPECT_TRUE(formats.insert(resolver->format()).second);
    EXPECT_NE(resolver->format(), Format::kAuto);
    EXPECT_FALSE(resolver->Pattern().empty());
    EXPECT_EQ(resolver->Detect(Source()).files, 0);
  }
  EXPECT_EQ(formats.size(), 2U);
}

TEST(ResolverTest, ResolvesAFolder) {
  const whimbrel::testing::TempDir folder;
  folder.Write("a/001_a.sql", "select 1;\n-- Down\nselect 2;\n");
  folder.Write("002_b.sql", std::string(600'000, ' ') + "select 'ä';");
  const auto source = OpenFolder(folder.path());
  ASSERT_TRUE(source) << source.error().ToString();
  const auto resolved = Resolve(**source, Format::kAuto);
  ASSERT_TRUE(resolved) << resolved.error().ToString();
  ASSERT_EQ(resolved->versioned.size(), 2U);
  EXPECT_EQ(ReadAll(resolved->versioned[0].up.Open()), "select 1;\n");
  EXPECT_EQ(ReadAll(resolved->versioned[0].down->Open()), "-- Down\nselect 2;\n");

  folder.Write("002_b.sql", "select 3;");
  const auto again = Resolve(**source, Format::kAuto);
  ASSERT_FALSE(again);
  EXPECT_EQ(again.error().kind, ErrorKind::kSourceChanged);
  EXPECT_THAT(again.error().message, HasSubstr("002_b.sql"));
}

}  // namespace
}  // namespace whimbrel::migration
