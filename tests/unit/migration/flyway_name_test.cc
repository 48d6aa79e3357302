#include "migration/flyway_name.h"

#include <gtest/gtest.h>

namespace whimbrel::migration {
namespace {

using Kind = FlywayName::Kind;

TEST(FlywayNameTest, ReadsMigrations) {
  const struct {
    const char* path;
    Kind kind;
    const char* version;
    const char* description;
  } cases[] = {
      {"V1__initial_schema.sql", Kind::kVersioned, "1", "initial schema"},
      {"V20251118195800__add_payments.sql", Kind::kVersioned, "20251118195800", "add payments"},
      {"V1_2__a.sql", Kind::kVersioned, "1.2", "a"},
      {"V001.02__a.sql", Kind::kVersioned, "001.02", "a"},
      {"V1__a__b.sql", Kind::kVersioned, "1", "a  b"},
      {"V1___a.sql", Kind::kVersioned, "1", " a"},
      {"V1__.sql", Kind::kVersioned, "1", ""},
      {"V1.sql", Kind::kVersioned, "1", ""},
      {"V1.2.sql", Kind::kVersioned, "1.2", ""},
      {"V1__a.SQL", Kind::kVersioned, "1", "a"},
      {"V1__a.b.sql", Kind::kVersioned, "1", "a.b"},
      {"V1__größer.sql", Kind::kVersioned, "1", "größer"},
      {"x/V2/V1__a.sql", Kind::kVersioned, "1", "a"},
      {"R__order_totals.sql", Kind::kRepeatable, "", "order totals"},
      {"R__1__a.sql", Kind::kRepeatable, "", "1  a"},
      {"B3__base.sql", Kind::kBaseline, "3", "base"},
  };
  for (const auto& c : cases) {
    const Result<FlywayName> name = ParseFlywayName(c.path);
    ASSERT_TRUE(name) << c.path << ": " << name.error().ToString();
    EXPECT_EQ(name->kind, c.kind) << c.path;
    EXPECT_EQ(name->version.display(), c.version) << c.path;
    EXPECT_EQ(name->description, c.description) << c.path;
  }
}

TEST(FlywayNameTest, KnowsWhatElseMigrateWouldRunAndWhatItWouldNot) {
  const struct {
    const char* path;
    Kind kind;
  } cases[] = {
      {"beforeMigrate.sql", Kind::kCallback},
      {"afterMigrate__refresh.sql", Kind::kCallback},
      {"x/afterEachMigrate.SQL", Kind::kCallback},
      {"beforeValidate.sql", Kind::kCallback},
      {"createSchema.sql", Kind::kCallback},
      {"afterConnect.sql", Kind::kCallback},
      {"beforeConnect.sh", Kind::kScript},
      {"V1__a.sh", Kind::kScript},
      {"V1__a.py", Kind::kScript},
      {"R__a.ps1", Kind::kScript},
      {"V1__a.java", Kind::kScript},
      {"B1__a.class", Kind::kScript},
      // Callbacks of other commands, and what only looks like one.
      {"afterClean.sql", Kind::kOther},
      {"beforeUndo.sql", Kind::kOther},
      {"afterInfo__x.sql", Kind::kOther},
      {"beforeMigrateX.sql", Kind::kOther},
      {"beforeMigrate_x.sql", Kind::kOther},
      {"beforemigrate.sql", Kind::kOther},
      // Undo migrations wait for an undo.
      {"U1__a.sql", Kind::kOther},
      {"U1_a.sql", Kind::kOther},
      // Anything else.
      {"001_a.sql", Kind::kOther},
      {"V.sql", Kind::kOther},
      {"R.sql", Kind::kOther},
      {"Views.sql", Kind::kOther},
      {"Readme.sql", Kind::kOther},
      {"v_orders.sql", Kind::kOther},
      {"v1.sql", Kind::kOther},
      {"b2b_partners.sql", Kind::kOther},
      {"r_totals.sql", Kind::kOther},
      {"V1__a.txt", Kind::kOther},
      {"V1__a.sql.bak", Kind::kOther},
      {"V1__a", Kind::kOther},
      {"V1_a.sh", Kind::kOther},
      {".sql", Kind::kOther},
      {"README.md", Kind::kOther},
  };
  for (const auto& c : cases) {
    const Result<FlywayName> name = ParseFlywayName(c.path);
    ASSERT_TRUE(name) << c.path << ": " << name.error().ToString();
    EXPECT_EQ(name->kind, c.kind) << c.path;
  }
}

TEST(FlywayNameTest, RefusesNamesThatFlywayWouldLeaveOutWithoutAWord) {
  const struct {
    const char* path;
    const char* says;
  } cases[] = {
      {"V1_a.sql", "two underscores"},
      {"V1-a.sql", "two underscores"},
      {"V1 a.sql", "two underscores"},
      {"V1a__b.sql", "version of digits"},
      {"V1.__a.sql", "version of digits"},
      {"V1..2__a.sql", "version of digits"},
      {"V__a.sql", "version of digits"},
      {"V_a.sql", "version of digits"},
      {"V-1__a.sql", "version of digits"},
      {"V+1__a.sql", "version of digits"},
      {"B1_a.sql", "two underscores"},
      {"R_a.sql", "a repeatable has no version and two underscores"},
      {"R1__a.sql", "a repeatable has no version"},
      {"R__.sql", "a repeatable needs a description"},
      {"v1__a.sql", "upper case"},
      {"b1__a.sql", "upper case"},
      {"r__a.sql", "upper case"},
  };
  for (const auto& c : cases) {
    const Result<FlywayName> name = ParseFlywayName(c.path);
    ASSERT_FALSE(name) << c.path;
    EXPECT_EQ(name.error().kind, ErrorKind::kInvalidArgument);
    EXPECT_TRUE(name.error().message.starts_with(c.path)) << name.error().message;
    EXPECT_NE(name.error().message.find(c.says), std::string::npos) << name.error().message;
  }
}

}  // namespace
}  // namespace whimbrel::migration
