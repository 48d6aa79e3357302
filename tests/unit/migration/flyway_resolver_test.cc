#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "resolve.h"
#include "whimbrel/base/hash.h"

namespace whimbrel::migration {
namespace {

using ::testing::ElementsAre;

TEST(FlywayResolverTest, ResolvesVersionedAndRepeatableMigrationsOfAllFolders) {
  const auto resolved = ResolveFiles({{"V2__b.sql", "select 2;\n"},
                                      {"V10__c.sql", ""},
                                      {"a/V1_1__a.sql", "SELECT 1;\r\n"},
                                      {"R__view_orders.sql", "select 3;"},
                                      {"views/R__a.sql", "select 4;"},
                                      {"U2__b.sql", "${no matter}"},
                                      {"README.md", ""},
                                      {"schema.sql", "\xFF"}},
                                     Format::kFlyway);
  ASSERT_TRUE(resolved) << resolved.error().ToString();
  EXPECT_EQ(resolved->format, Format::kFlyway);
  std::vector<std::string> paths;
  for (const auto& m : resolved->versioned) paths.push_back(m.path);
  EXPECT_THAT(paths, ElementsAre("a/V1_1__a.sql", "V2__b.sql", "V10__c.sql"));
  paths.clear();
  for (const auto& m : resolved->repeatable) paths.push_back(m.path);
  EXPECT_THAT(paths, ElementsAre("views/R__a.sql", "R__view_orders.sql"));
  EXPECT_THAT(resolved->ignored, ElementsAre("README.md", "U2__b.sql", "schema.sql"));

  const ResolvedMigration& first = resolved->versioned.front();
  EXPECT_EQ(first.kind, Kind::kVersioned);
  EXPECT_EQ(first.id(), "1.1");
  EXPECT_EQ(first.description, "a");
  EXPECT_EQ(first.sum, "78787420");
  EXPECT_EQ(first.raw_sum, Sha256Hex("SELECT 1;\r\n"));
  EXPECT_EQ(ReadAll(first.up.Open()), "SELECT 1;\r\n");
  EXPECT_EQ(first.down, std::nullopt);
  const ResolvedMigration& repeatable = resolved->repeatable.back();
  EXPECT_EQ(repeatable.kind, Kind::kRepeatable);
  EXPECT_EQ(repeatable.id(), "view orders");
  EXPECT_TRUE(repeatable.version.empty());
}

TEST(FlywayResolverTest, LeavesAByteOrderMarkOut) {
  const auto resolved = ResolveFiles({{"V1__a.sql", "\xEF\xBB\xBFSELECT 1;"}}, Format::kFlyway);
  ASSERT_TRUE(resolved) << resolved.error().ToString();
  const ResolvedMigration& migration = resolved->versioned.front();
  EXPECT_EQ(migration.sum, "78787420");
  EXPECT_EQ(migration.raw_sum, Sha256Hex("SELECT 1;"));
  EXPECT_EQ(migration.up.begin, 3U);
  EXPECT_EQ(ReadAll(migration.up.Open()), "SELECT 1;");
}

TEST(FlywayResolverTest, OrdersRepeatablesAsJavaOrdersStrings) {
  // U+1F600 is written with surrogates (0xD83D), which come before U+FF21 there, but not in UTF-8.
  const auto resolved = ResolveFiles({{"R__b.sql", ""},
                                      {"R__B.sql", ""},
                                      {"R__b c.sql", ""},
                                      {"R__ä.sql", ""},
                                      {"R__\xEF\xBC\xA1.sql", ""},
                                      {"R__\xF0\x9F\x98\x80.sql", ""},
                                      {"R__\xED\x9F\xBF.sql", ""}},
                                     Format::kFlyway);
  ASSERT_TRUE(resolved) << resolved.error().ToString();
  std::vector<std::string> descriptions;
  for (const auto& m : resolved->repeatable) descriptions.push_back(m.description);
  EXPECT_THAT(descriptions, ElementsAre("B", "b", "b c", "ä", "\xED\x9F\xBF", "\xF0\x9F\x98\x80",
                                        "\xEF\xBC\xA1"));
}

TEST(FlywayResolverTest, KnowsNoDownSections) {
  const std::string text = "select 1;\n-- Migration Down\nselect 2;";
  const auto resolved = ResolveFiles({{"V1__a.sql", text}}, Format::kFlyway);
  ASSERT_TRUE(resolved) << resolved.error().ToString();
  EXPECT_EQ(ReadAll(resolved->versioned.front().up.Open()), text);
}

TEST(FlywayResolverTest, RefusesWhatItCannotResolve) {
  const TestFile ok = {"V1__ok.sql", ""};
  ExpectRefusals(
      {
          {"equal versions",
           {{"V1__a.sql", ""}, {"V1.0__b.sql", ""}},
           {"V1.0__b.sql and V1__a.sql have the same version"}},
          {"equal descriptions",
           {{"R__a_b.sql", ""}, {"x/R__a b.sql", ""}},
           {"R__a_b.sql and x/R__a b.sql have the same description"}},
          {"a name with one underscore",
           {ok, {"V2_b.sql", ""}},
           {"V2_b.sql", "V1_2__add_orders.sql"}},
          {"NUL", {{"V1__a.sql", std::string("a\0", 2)}}, {"V1__a.sql:1:2", "NUL"}},
          {"Latin-1", {{"R__a.sql", "\n\xE4"}}, {"R__a.sql:2:1", "UTF-8"}},
      },
      Format::kFlyway);
}

TEST(FlywayResolverTest, RefusesWhatFlywayWouldUseAndIsNotSupportedYet) {
  const TestFile ok = {"V1__ok.sql", "select 1;"};
  ExpectRefusals(
      {
          {"baseline migration", {ok, {"B1__a.sql", ""}}, {"B1__a.sql", "not supported yet"}},
          {"callback", {ok, {"x/afterMigrate.sql", ""}}, {"x/afterMigrate.sql", "callbacks"}},
          {"script", {ok, {"V2__a.sh", ""}}, {"V2__a.sh", "no SQL"}},
          {"configuration",
           {ok, {"V1__ok.sql.conf", ""}},
           {"V1__ok.sql.conf", "configuration files"}},
          {"placeholder",
           {{"V1__a.sql", "create table\n  ${schema}.a ()"}},
           {"V1__a.sql:2:3", "placeholders are not supported yet"}},
          {"placeholder within a function, behind a byte order mark",
           {{"R__a.sql", "\xEF\xBB\xBF$$ 'ä${a}' $$"}},
           {"R__a.sql:1:6", "placeholder"}},
      },
      Format::kFlyway);
}

TEST(FlywayResolverTest, IgnoresAConfigurationOfNothing) {
  const auto resolved = ResolveFiles(
      {{"V1__a.sql", ""}, {"V2__b.sql.conf", ""}, {"flyway.conf", ""}}, Format::kFlyway);
  ASSERT_TRUE(resolved) << resolved.error().ToString();
  EXPECT_THAT(resolved->ignored, ElementsAre("V2__b.sql.conf", "flyway.conf"));
}

}  // namespace
}  // namespace whimbrel::migration
