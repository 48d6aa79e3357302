#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>

#include "history/name_table.h"
#include "support/postgres_server.h"
#include "unit/history/database.h"
#include "unit/history/migrations.h"

namespace whimbrel::history {
namespace {

using migration::Format;
using ::testing::HasSubstr;
using testing::PgClient;
using testing::PgTarget;
using testing::SharedPostgres;

class NameTableTest : public ::testing::Test {
 protected:
  Result<std::unique_ptr<ToolTable>, ToolTableError> Open(const std::string& name) {
    return OpenToolTable(connection_, Format::kNumbered, ParseTableName(name).value());
  }

  PgTarget database_ = SharedPostgres().CreateDatabase();
  PgClient admin_{database_};
  postgres::Connection connection_ = Connect(database_);
};

TEST_F(NameTableTest, NumberedHasNoTableUnlessOneIsNamed) {
  EXPECT_EQ(Ok(OpenToolTable(connection_, Format::kNumbered, {})), nullptr);
}

TEST_F(NameTableTest, ANewTableHasAKeyAndATime) {
  Ok(Ok(Open("migrations"))->Create(connection_));
  EXPECT_EQ(
      admin_.Text("SELECT attname, format_type(atttypid, atttypmod), attnotnull, "
                  "pg_get_expr(adbin, adrelid) FROM pg_attribute LEFT JOIN pg_attrdef ON adrelid = "
                  "attrelid AND adnum = attnum WHERE attrelid = 'migrations'::regclass AND "
                  "attnum > 0 ORDER BY attnum"),
      "name|text|t|\napplied_at|timestamp with time zone|t|now()");
  EXPECT_EQ(admin_.Scalar("SELECT pg_get_constraintdef(oid) FROM pg_constraint WHERE conrelid = "
                          "'migrations'::regclass AND contype = 'p'"),
            "PRIMARY KEY (name)");
}

TEST_F(NameTableTest, WritesTheNameOfTheFileAlone) {
  auto table = Ok(Open("migrations"));
  Ok(table->Create(connection_));
  Ok(connection_.Execute(
      table->OnAppliedSql(Versioned("1", "users", "ops/sql/001_users.sql", "a"), {})));
  EXPECT_EQ(admin_.Scalar("SELECT name FROM migrations"), "001_users.sql");
}

TEST_F(NameTableTest, KeepsTablesAsPeopleHaveThem) {
  const std::pair<const char*, std::string> cases[] = {
      {"a serial key",
       "(id serial PRIMARY KEY, name varchar(255) NOT NULL UNIQUE, run_on timestamp "
       "NOT NULL DEFAULT now())"},
      {"an identity key",
       "(id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY, name text NOT NULL)"},
      {"a generated column",
       "(name text PRIMARY KEY, upper_name text GENERATED ALWAYS AS "
       "(upper(name)) STORED NOT NULL)"},
      {"a domain with a default", "(name text PRIMARY KEY, batch with_default NOT NULL)"},
      {"columns that may be null", "(name text, batch int, checksum text)"},
      {"partitions", "(name text) PARTITION BY HASH (name)"},
  };
  admin_.Exec("CREATE DOMAIN with_default AS int DEFAULT 1");
  for (const auto& [description, columns] : cases) {
    SCOPED_TRACE(description);
    admin_.Exec("DROP TABLE IF EXISTS migrations; CREATE TABLE migrations " + columns);
    auto table = Open("migrations(name)");
    ASSERT_TRUE(table.has_value()) << Explain(table.error());
    if (columns.ends_with("HASH (name)")) {
      admin_.Exec(
          "CREATE TABLE p PARTITION OF migrations FOR VALUES WITH (MODULUS 1, REMAINDER 0)");
    }
    const auto source = Resolved({Versioned("1", "users", "001_users.sql", "a")});
    Ok(connection_.Execute((*table)->OnAppliedSql(source.versioned[0], {})));
    EXPECT_EQ(Ok((*table)->Read(connection_, source)).applied.size(), 1U);
  }
}

TEST_F(NameTableTest, RefusesATableWhoseOtherColumnsWantValues) {
  admin_.Exec(
      "CREATE TABLE migrations (id int NOT NULL, name text NOT NULL, batch int NOT NULL, "
      "note text)");
  auto table = Open("migrations");
  ASSERT_FALSE(table.has_value());
  EXPECT_THAT(Explain(table.error()), HasSubstr("public.migrations"));
  EXPECT_THAT(Explain(table.error()), HasSubstr(": id, batch (NOT NULL without default)"));
}

TEST_F(NameTableTest, RefusesATableWithoutTheColumn) {
  admin_.Exec("CREATE TABLE migrations (id serial, filename text)");
  auto table = Open("migrations");
  ASSERT_FALSE(table.has_value());
  EXPECT_THAT(Explain(table.error()), HasSubstr("no column name (its columns: id, filename)"));
  EXPECT_TRUE(Open("migrations(filename)").has_value());
}

TEST_F(NameTableTest, AViewIsNoHistory) {
  admin_.Exec("CREATE VIEW migrations AS SELECT 'a'::text AS name");
  auto table = Ok(Open("migrations"));
  EXPECT_FALSE(Ok(table->Read(connection_, {})).exists);
}

}  // namespace
}  // namespace whimbrel::history
