#include <gtest/gtest.h>

#include <string>

#include "resolve.h"
#include "whimbrel/base/hash.h"

namespace whimbrel::migration {
namespace {

struct Sections {
  std::string up;
  std::optional<std::string> down;

  friend bool operator==(const Sections&, const Sections&) = default;
  friend std::ostream& operator<<(std::ostream& out, const Sections& s) {
    return out << "up=<" << s.up << "> down=" << (s.down ? "<" + *s.down + ">" : "none");
  }
};

Sections Cut(const std::string& text) {
  const auto resolved = ResolveFiles({{"1_a.sql", text}}, Format::kNumbered);
  if (!resolved) return {"error: " + resolved.error().ToString(), std::nullopt};
  const ResolvedMigration& migration = resolved->versioned.front();
  Sections sections{ReadAll(migration.up.Open()), std::nullopt};
  if (migration.down) sections.down = ReadAll(migration.down->Open());
  return sections;
}

TEST(DownSectionTest, BeginsWithTheMarkersLine) {
  for (const char* marker :
       {"-- Migration Down", "-- Down", "-- +migrate Down", "--DOWN", "-- Down Migration",
        "-- ==== DOWN ====", "  -- Down", "-- Migration Down: drop it", "-- Down (rollback)"}) {
    const std::string down =
        std::string(marker).substr(std::string(marker).find("--")) + "\nselect 2;\n";
    for (const std::string up :
         {"select 1;\n", "select 1;\r\n", "select 1;\r", "select 1; -- one\n",
          "-- Migration Up\nselect 1;\n\n\n", "select 1;\n/* two */\n"}) {
      const std::string text = up + marker + "\nselect 2;\n";
      const std::string indent = std::string(marker).starts_with(' ') ? "  " : "";
      EXPECT_EQ(Cut(text), (Sections{up + indent, down})) << text;
    }
  }
}

TEST(DownSectionTest, TakesTheRuledLinesAboveTheMarkerWithIt) {
  EXPECT_EQ(
      Cut("select 1;\n\n-- =====\n-- MIGRATION DOWN (ROLLBACK)\n-- =====\n\nselect 2;"),
      (Sections{"select 1;\n\n", "-- =====\n-- MIGRATION DOWN (ROLLBACK)\n-- =====\n\nselect 2;"}));
  EXPECT_EQ(Cut("select 1;\n-- =====\n-- one\n--\n-----\n-- Down\nselect 2;"),
            (Sections{"select 1;\n-- =====\n-- one\n", "--\n-----\n-- Down\nselect 2;"}));
  EXPECT_EQ(Cut("-- =====\nselect 1;\n-- Down\nselect 2;"),
            (Sections{"-- =====\nselect 1;\n", "-- Down\nselect 2;"}));
}

TEST(DownSectionTest, IsAbsentWhereItHoldsNoStatement) {
  EXPECT_EQ(Cut("select 1;\n-- Migration Down\n-- DROP TABLE a;\n"),
            (Sections{"select 1;\n", std::nullopt}));
  EXPECT_EQ(
      Cut("select 1;\n\n-- =====\n-- MIGRATION DOWN\n-- =====\n\n/*\nBEGIN;\nDROP TABLE a;\n*/"),
      (Sections{"select 1;\n\n", std::nullopt}));
  EXPECT_EQ(Cut("select 1;\n-- Down"), (Sections{"select 1;\n", std::nullopt}));
}

TEST(DownSectionTest, IsNotMarkedWithinStringsStatementsAndBlockComments) {
  for (const char* text : {
           "select '\n-- Migration Down\n';",
           "select $$\n-- Migration Down\n$$;",
           "do $body$\nbegin\n-- Down\nnull;\nend $body$;",
           "select \"\n-- Down\n\" from a;",
           "select E'\\'\n-- Down\n';",
           "/*\n-- Migration Down\n*/ select 1;",
           "/* /* */\n-- Migration Down\n*/ select 1;",
           "create table a (\n  -- Down\n  b int);",
           "select 1\n-- Down\n, 2;",
           "select 1;\n/*\n-- Migration Down\ndrop table a;\n*/\n",
           "select 1; -- Down\nselect 2;",
           "select 1 -- Down\n;",
           "; -- Down\nselect 2;",
           "/* x */ -- Down\nselect 2;",
           "copy a from stdin;\n-- Down\n\\.\nselect 1;",
           "create function f() returns int begin atomic\n  select 1;\n  -- Down\n  select "
           "2;\nend;",
       }) {
    EXPECT_EQ(Cut(text), (Sections{text, std::nullopt})) << text;
  }
}

TEST(DownSectionTest, IsFoundBehindAllOfThese) {
  for (const char* up : {
           "select '\n-- Migration Down\n';\n",
           "select $$\n-- Down\n$$;\n",
           "select 1;\n/*\n-- Migration Down\n*/\n",
           "copy a from stdin;\n-- Down\n\\.\n",
           "create function f() returns int begin atomic\n  select 1;\n  -- Down\n  select "
           "2;\nend;\n",
           "set standard_conforming_strings = off;\nselect '\\'\n-- Down\n';\n",
           "select 1; -- Down\n",
       }) {
    EXPECT_EQ(Cut(std::string(up) + "-- Migration Down\nselect 2;"),
              (Sections{up, "-- Migration Down\nselect 2;"}))
        << up;
  }
}

TEST(DownSectionTest, LeavesRemarksAlone) {
  for (const char* text : {
           "-- Down payments of orders\nselect 1;\nselect 2;",
           "select 1;\n-- downloads\nselect 2;",
           "-- DOWN (rollback): see below\nselect 1;\nselect 2;",
           "-- Down: DROP TABLE a;\nselect 1;",
           "-- a note that says a\n-- down migration exists somewhere.\nselect 1;",
           "select 1;\n-- DOWN: drop table a;\n-- drop table b;\n",
           "select 1;\n-- Down migration of users\n",
           "select 1;\n-- Up\nselect 2;",
       }) {
    EXPECT_EQ(Cut(text), (Sections{text, std::nullopt})) << text;
  }
}

TEST(DownSectionTest, TakesAnEmptyUpPartOnlyWhereItIsMarked) {
  EXPECT_EQ(Cut("-- +migrate Up\n\n-- +migrate Down\nselect 2;"),
            (Sections{"-- +migrate Up\n\n", "-- +migrate Down\nselect 2;"}));
  EXPECT_EQ(Cut("-- Up Migration\n-- Down Migration\n"),
            (Sections{"-- Up Migration\n", std::nullopt}));
}

TEST(DownSectionTest, MayRepeatItsHeadingBeforeItsFirstStatement) {
  EXPECT_EQ(Cut("select 1;\n-- Down\n-- Migration Down\nselect 2;"),
            (Sections{"select 1;\n", "-- Down\n-- Migration Down\nselect 2;"}));
}

TEST(DownSectionTest, KnowsWhereItBegins) {
  const auto resolved = ResolveFiles(
      {{"1_a.sql", "\xEF\xBB\xBFselect 'ä';\n  -- Down\nselect 2;\r\n"}}, Format::kNumbered);
  ASSERT_TRUE(resolved) << resolved.error().ToString();
  const ResolvedMigration& migration = resolved->versioned.front();
  EXPECT_EQ(migration.up.begin, 3U);
  EXPECT_EQ(migration.up.end, migration.down->begin);
  EXPECT_EQ(migration.down->start,
            (SourcePosition{.file = "1_a.sql", .line = 2, .column = 3, .offset = 18}));
  EXPECT_EQ(migration.sum, Sha256Hex("select 'ä';"));
  EXPECT_EQ(migration.raw_sum, Sha256Hex("select 'ä';\n  "));
  EXPECT_EQ(migration.down_sum, Sha256Hex("-- Down\nselect 2;"));
}

TEST(DownSectionTest, ChangesNothingOfTheUpPartsSum) {
  const std::string without = "create table a ();\n";
  for (const char* down :
       {"-- Down\ndrop table a;", "\n\n-- ===\n-- Down\n-- ===\n-- drop table a;",
        "-- Migration Down\ndrop table a cascade;\n"}) {
    const auto one = ResolveFiles({{"1_a.sql", without}}, Format::kNumbered);
    const auto other = ResolveFiles({{"1_a.sql", without + down}}, Format::kNumbered);
    ASSERT_TRUE(one && other);
    EXPECT_EQ(one->versioned.front().sum, other->versioned.front().sum) << down;
  }
}

TEST(DownSectionTest, IsRefusedWhereItIsInDoubt) {
  ExpectRefusals(
      {
          {"before all statements",
           {{"1_a.sql", "-- Migration Down: reverses 1\ndrop table a;"}},
           {"1_a.sql:1:1", "above it there is no statement"}},
          {"two sections",
           {{"1_a.sql", "select 1;\n-- Down\nselect 2;\n-- Down\nselect 3;"}},
           {"1_a.sql:4:1", "second down section"}},
          {"up after down",
           {{"1_a.sql", "select 1;\n-- Down\nselect 2;\n  -- Migration Up\nselect 3;"}},
           {"1_a.sql:4:3", "may not follow the down section"}},
          {"down first", {{"1_a.sql", "-- Down\nselect 2;\n-- Up\nselect 1;"}}, {"1_a.sql:1:1"}},
          {"a heading or a remark, with statements on both sides",
           {{"1_a.sql", "select 1;\n-- DOWN: 00007_insert_data\ndelete from a;"}},
           {"1_a.sql:2:1", "write `-- Migration Down` alone"}},
          {"two words in a sentence, with statements on both sides",
           {{"1_a.sql", "select 1;\n-- Down Migration for users table\ndrop table users;"}},
           {"1_a.sql:2:1"}},
          {"a string that is not closed",
           {{"1_a.sql", "select 'a;\n-- Down\nselect 2;"}},
           {"1_a.sql:1:8", "not closed"}},
      },
      Format::kNumbered);
}

TEST(DownSectionTest, IsRefusedInTheStyleOfToolsThatAreNotSupportedYet) {
  ExpectRefusals(
      {
          {"goose",
           {{"1_a.sql", "-- +goose Up\nselect 1;\n-- +goose Down\nselect 2;"}},
           {"1_a.sql:1:1", "goose", "not supported yet"}},
          {"dbmate",
           {{"1_a.sql", "-- migrate:up\nselect 1;\n\n-- migrate:down\nselect 2;"}},
           {"1_a.sql:1:1", "dbmate"}},
          {"tern",
           {{"1_a.sql", "select 1;\n---- create above / drop below ----\nselect 2;"}},
           {"1_a.sql:2:1", "tern"}},
          {"Liquibase",
           {{"1_a.sql", "--liquibase formatted sql\n--changeset a:1\nselect 1;"}},
           {"1_a.sql:1:1", "Liquibase"}},
          {"Atlas", {{"1_a.sql", "-- atlas:checkpoint\nselect 1;"}}, {"1_a.sql:1:1", "Atlas"}},
      },
      Format::kNumbered);
  EXPECT_EQ(Cut("select '\n-- +goose Down\n';"),
            (Sections{"select '\n-- +goose Down\n';", std::nullopt}));
}

}  // namespace
}  // namespace whimbrel::migration
