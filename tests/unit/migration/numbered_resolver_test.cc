#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>

#include "resolve.h"
#include "whimbrel/base/hash.h"

namespace whimbrel::migration {
namespace {

using namespace std::string_literals;
using ::testing::ElementsAre;

/// The one migration of one file.
ResolvedMigration ResolveOne(const std::string& text, const std::string& path = "001_a.sql") {
  Result<ResolvedMigrations> resolved = ResolveFiles({{path, text}}, Format::kNumbered);
  EXPECT_TRUE(resolved) << text << "\n" << (resolved ? "" : resolved.error().ToString());
  if (!resolved || resolved->versioned.size() != 1) return {};
  return resolved->versioned.front();
}

std::vector<std::string> Order(const Result<ResolvedMigrations>& resolved) {
  if (!resolved) return {resolved.error().ToString()};
  std::vector<std::string> paths;
  for (const ResolvedMigration& migration : resolved->versioned) paths.push_back(migration.path);
  return paths;
}

TEST(NumberedResolverTest, ReadsNumberAndDescriptionFromTheName) {
  const struct {
    const char* path;
    const char* display;
    const char* canonical;
    const char* description;
  } cases[] = {
      {"001_create_users.sql", "001", "1", "create_users"},
      {"20250603120000_add_stock.sql", "20250603120000", "20250603120000", "add_stock"},
      {"db/migrations/7_x.sql", "7", "7", "x"},
      {"9.up/7_x.sql", "7", "7", "x"},
      {"42.sql", "42", "42", ""},
      {"1_.sql", "1", "1", ""},
      {"1__x.sql", "1", "1", "_x"},
      {"0_start.sql", "0", "0", "start"},
      {"1_v1.2 - größer.sql", "1", "1", "v1.2 - größer"},
      {"1_x.SQL", "1", "1", "x"},
      {"1_x.up.sql", "1", "1", "x"},
      {"123456789012345678901234567890_x.sql", "123456789012345678901234567890",
       "123456789012345678901234567890", "x"},
  };
  for (const auto& c : cases) {
    const ResolvedMigration migration = ResolveOne("select 1;", c.path);
    EXPECT_EQ(migration.kind, Kind::kVersioned) << c.path;
    EXPECT_EQ(migration.version.display(), c.display) << c.path;
    EXPECT_EQ(migration.id(), c.canonical) << c.path;
    EXPECT_EQ(migration.description, c.description) << c.path;
    EXPECT_EQ(migration.path, c.path);
    EXPECT_EQ(migration.down, std::nullopt) << c.path;
  }
}

TEST(NumberedResolverTest, OrdersByNumberAcrossFolders) {
  EXPECT_THAT(
      Order(ResolveFiles({{"10_a.sql", ""},
                          {"9_b.sql", ""},
                          {"a/0011_c.sql", ""},
                          {"z/8_d.sql", ""},
                          {"20250603120000_e.sql", ""}},
                         Format::kNumbered)),
      ElementsAre("z/8_d.sql", "9_b.sql", "10_a.sql", "a/0011_c.sql", "20250603120000_e.sql"));
}

TEST(NumberedResolverTest, IgnoresWhatIsNoSql) {
  const auto resolved = ResolveFiles(
      {{"1_a.sql", ""}, {"README.md", "\xFF"}, {"atlas.sum", ""}, {"2_b.sql.bak", ""}, {"3_c", ""}},
      Format::kNumbered);
  ASSERT_TRUE(resolved) << resolved.error().ToString();
  EXPECT_THAT(resolved->ignored, ElementsAre("2_b.sql.bak", "3_c", "README.md", "atlas.sum"));
  EXPECT_EQ(resolved->versioned.size(), 1U);
  EXPECT_EQ(resolved->format, Format::kNumbered);
  EXPECT_EQ(resolved->format_reason, "");
}

TEST(NumberedResolverTest, RefusesNamesAndSetsOfFilesThatDoNotFit) {
  std::vector<BadCase> cases = {
      {"equal numbers",
       {{"001_a.sql", ""}, {"1_b.sql", ""}},
       {"001_a.sql and 1_b.sql have the same version"}},
      {"equal numbers in two folders",
       {{"x/001_a.sql", ""}, {"y/001_a.sql", ""}},
       {"x/001_a.sql and y/001_a.sql have the same version"}},
      {"two up files", {{"1_a.sql", ""}, {"1_a.up.sql", ""}}, {"1_a.sql and 1_a.up.sql have"}},
      {"two down files",
       {{"1_a.sql", ""}, {"1_a.down.sql", ""}, {"01_a.down.sql", ""}},
       {"01_a.down.sql and 1_a.down.sql have the same version"}},
      {"a down file alone",
       {{"1_a.sql", ""}, {"2_b.down.sql", ""}},
       {"2_b.down.sql: there is no file that it undoes"}},
      {"a down file of another name",
       {{"1_a.up.sql", ""}, {"1_b.down.sql", ""}},
       {"1_b.down.sql and 1_a.up.sql", "other descriptions"}},
      {"a down file and a down section",
       {{"1_a.sql", "select 1;\n-- Down\nselect 2;"}, {"1_a.down.sql", "select 2;"}},
       {"1_a.sql has a down section, and 1_a.down.sql undoes it too"}},
  };
  for (const char* path : {"a.sql", "a_1.sql", "001-a.sql", "1.2_a.sql", "001 a.sql", "001a.sql",
                           "V1__a.sql", ".sql", "_1.sql", "-1_a.sql", "x/a.sql", "a.down.sql"}) {
    cases.push_back({path, {{"1_ok.sql", ""}, {path, ""}}, {path, "<number>_<description>.sql"}});
  }
  ExpectRefusals(cases, Format::kNumbered);
}

TEST(NumberedResolverTest, RefusesTextThatPostgresqlWouldRefuseAndSaysWhere) {
  ExpectRefusals(
      {
          {"NUL", {{"1_a.sql", "select 1;\n  \0"s}}, {"1_a.sql:2:3", "NUL"}},
          {"Latin-1", {{"1_a.sql", "-- ä\n-- \xE4"}}, {"1_a.sql:2:4", "UTF-8"}},
          {"the column counts characters", {{"1_a.sql", "-- äö€😀\xFF"}}, {"1_a.sql:1:8"}},
          {"a byte order mark takes no column", {{"1_a.sql", "\xEF\xBB\xBF\xFF"}}, {"1_a.sql:1:1"}},
          {"U+FFFD", {{"1_a.sql", "select 'caf\xEF\xBF\xBD'"}}, {"1_a.sql:1:12", "U+FFFD"}},
          {"cut off", {{"1_a.sql", "select '\xE2\x82"}}, {"1_a.sql:1:9", "UTF-8"}},
          {"UTF-16", {{"1_a.sql", "\xFF\xFEs\0e\0"s}}, {"1_a.sql:1:1", "UTF-8"}},
          {"in a down file",
           {{"1_a.sql", ""}, {"1_a.down.sql", "\n\0"s}},
           {"1_a.down.sql:2:1", "NUL"}},
      },
      Format::kNumbered);
}

TEST(NumberedResolverTest, SumsTheNormalisedTextAndTheBytes) {
  const std::string plain = Sha256Hex("select 1;\nselect 2;");
  const struct {
    const char* name;
    const char* text;
    const char* up;
  } cases[] = {
      {"as it is", "select 1;\nselect 2;", "select 1;\nselect 2;"},
      {"a line end", "select 1;\nselect 2;\n", "select 1;\nselect 2;\n"},
      {"CR LF", "select 1;\r\nselect 2;\r\n\r\n", "select 1;\r\nselect 2;\r\n\r\n"},
      {"byte order mark", "\xEF\xBB\xBFselect 1;\nselect 2;", "select 1;\nselect 2;"},
      {"all of it", "\xEF\xBB\xBFselect 1;\r\nselect 2; \n", "select 1;\r\nselect 2; \n"},
      {"a down section", "select 1;\nselect 2;\n\n-- Down\nselect 3;", "select 1;\nselect 2;\n\n"},
      {"a comment for a down section", "select 1;\nselect 2;\n-- Down (none)",
       "select 1;\nselect 2;\n"},
  };
  for (const auto& c : cases) {
    const ResolvedMigration migration = ResolveOne(c.text);
    EXPECT_EQ(migration.sum, plain) << c.name;
    EXPECT_EQ(migration.raw_sum, Sha256Hex(c.up)) << c.name;
    EXPECT_EQ(ReadAll(migration.up.Open()), c.up) << c.name;
  }
  EXPECT_NE(ResolveOne("select 1;\n\nselect 2;").sum, plain);
  EXPECT_NE(ResolveOne(" select 1;\nselect 2;").sum, plain);
  EXPECT_EQ(ResolveOne("").sum, Sha256Hex(""));
  EXPECT_EQ(ResolveOne("\xEF\xBB\xBF").raw_sum, Sha256Hex(""));
}

TEST(NumberedResolverTest, StartsBehindAByteOrderMark) {
  const ResolvedMigration migration = ResolveOne("\xEF\xBB\xBFselect 1;");
  EXPECT_EQ(migration.up.begin, 3U);
  EXPECT_EQ(migration.up.start,
            (SourcePosition{.file = "001_a.sql", .line = 1, .column = 1, .offset = 3}));
}

TEST(NumberedResolverTest, TakesTheDownFileOfAMigration) {
  const std::vector<TestFile> sets[] = {
      {{"001_a.sql", "select 1;"}, {"001_a.down.sql", "select 2;\r\n"}},
      {{"001_a.up.sql", "select 1;"}, {"1_a.down.sql", "select 2;\r\n"}},
      {{"001_a.up.sql", "select 1;"}, {"down/001_a.DOWN.SQL", "\xEF\xBB\xBFselect 2;\r\n"}},
  };
  for (const auto& files : sets) {
    const auto resolved = ResolveFiles(files, Format::kNumbered);
    ASSERT_TRUE(resolved) << resolved.error().ToString();
    ASSERT_EQ(resolved->versioned.size(), 1U);
    const ResolvedMigration& migration = resolved->versioned.front();
    EXPECT_EQ(ReadAll(migration.up.Open()), "select 1;");
    EXPECT_EQ(migration.sum, Sha256Hex("select 1;"));
    ASSERT_TRUE(migration.down);
    EXPECT_EQ(ReadAll(migration.down->Open()), "select 2;\r\n");
    EXPECT_EQ(migration.down_sum, Sha256Hex("select 2;"));
  }
}

TEST(NumberedResolverTest, TakesAFileWithoutStatementsForAMigration) {
  for (const char* text : {"", "\n", "-- nothing yet\n", "/* -- Down */"}) {
    const ResolvedMigration migration = ResolveOne(text);
    EXPECT_EQ(ReadAll(migration.up.Open()), text);
    EXPECT_EQ(migration.down, std::nullopt) << text;
  }
}

TEST(NumberedResolverTest, NoticesThatAFileIsNotTheOneThatWasHashed) {
  for (const char* now : {"select 2;", "select 1; ", "select 1", ""}) {
    Source source;
    source.files.push_back(std::make_shared<ChunkedFile>("1_a.sql", "select 1;", now, 4));
    const auto resolved = Resolve(source, Format::kNumbered);
    ASSERT_FALSE(resolved) << now;
    EXPECT_EQ(resolved.error().kind, ErrorKind::kSourceChanged) << now;
    EXPECT_NE(resolved.error().message.find("1_a.sql"), std::string::npos);
  }
}

}  // namespace
}  // namespace whimbrel::migration
