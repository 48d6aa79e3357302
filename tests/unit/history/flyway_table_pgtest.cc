#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>

#include "history/flyway_table.h"
#include "support/postgres_server.h"
#include "unit/history/database.h"
#include "unit/history/migrations.h"

namespace whimbrel::history {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using testing::PgClient;
using testing::PgTarget;
using testing::SharedPostgres;

class FlywayTableTest : public ::testing::Test {
 protected:
  std::unique_ptr<ToolTable> Open(std::string schema = "") {
    return Ok(OpenToolTable(connection_, migration::Format::kFlyway,
                            {.schema = std::move(schema), .table = "", .column = ""}));
  }

  void Apply(ToolTable& table, const migration::ResolvedMigration& migration) {
    Ok(connection_.Execute(
        table.OnAppliedSql(migration, {.duration = std::chrono::milliseconds(7)})));
  }

  PgTarget database_ = SharedPostgres().CreateDatabase();
  PgClient admin_{database_};
  postgres::Connection connection_ = Connect(database_);
};

TEST_F(FlywayTableTest, IsTheTableThatFlywayMakes) {
  Ok(Open()->Create(connection_));
  // reference/peers-measured.md §6: pg_dump of a table that Flyway 11 made.
  EXPECT_EQ(
      admin_.Text(
          "SELECT attname, format_type(atttypid, atttypmod), attnotnull, "
          "pg_get_expr(adbin, adrelid) FROM pg_attribute a LEFT JOIN pg_attrdef d ON adrelid = "
          "attrelid AND adnum = attnum WHERE attrelid = 'flyway_schema_history'::regclass "
          "AND attnum > 0 ORDER BY attnum"),
      "installed_rank|integer|t|\nversion|character varying(50)|f|\n"
      "description|character varying(200)|t|\ntype|character varying(20)|t|\n"
      "script|character varying(1000)|t|\nchecksum|integer|f|\n"
      "installed_by|character varying(100)|t|\n"
      "installed_on|timestamp without time zone|t|now()\nexecution_time|integer|t|\n"
      "success|boolean|t|");
  EXPECT_EQ(admin_.Text("SELECT indexdef FROM pg_indexes WHERE tablename = "
                        "'flyway_schema_history' ORDER BY indexname"),
            "CREATE UNIQUE INDEX flyway_schema_history_pk ON public.flyway_schema_history USING "
            "btree (installed_rank)\n"
            "CREATE INDEX flyway_schema_history_s_idx ON public.flyway_schema_history USING btree "
            "(success)");
}

TEST_F(FlywayTableTest, WritesRowsAsFlywayDoes) {
  auto table = Open();
  Ok(table->Create(connection_));
  const std::string description(201, 'd');
  Apply(*table, Versioned("001.1", "add orders", "sub/V001_1__add_orders.sql", "-133051733"));
  Apply(*table, Repeatable(description, "R__d.sql", "78787420"));
  EXPECT_EQ(admin_.Text("SELECT installed_rank, version, description, type, script, checksum, "
                        "installed_by, execution_time, success FROM flyway_schema_history ORDER BY "
                        "installed_rank"),
            "1|001.1|add orders|SQL|sub/V001_1__add_orders.sql|-133051733|postgres|7|t\n"
            "2||" +
                std::string(197, 'd') + "...|SQL|R__d.sql|78787420|postgres|7|t");
  EXPECT_EQ(
      admin_.Scalar("SELECT bool_and(installed_on BETWEEN now() - interval '1 hour' AND now()) "
                    "FROM flyway_schema_history"),
      "t");
}

TEST_F(FlywayTableTest, CountsOnFromTheLastRank) {
  auto table = Open();
  Ok(table->Create(connection_));
  admin_.Exec(
      "INSERT INTO flyway_schema_history VALUES (41, '1', 'one', 'SQL', 'V1__one.sql', 1, "
      "'someone', now(), 5, true)");
  Apply(*table, Versioned("2", "two", "V2__two.sql", "2"));
  EXPECT_EQ(admin_.Scalar("SELECT max(installed_rank) FROM flyway_schema_history"), "42");
}

TEST_F(FlywayTableTest, LeavesTheMarkOfASchemaThatItMade) {
  auto table = Open("app's");
  Ok(table->Create(connection_));
  EXPECT_EQ(admin_.Text("SELECT installed_rank, version, description, type, script, checksum, "
                        "execution_time, success FROM \"app's\".flyway_schema_history"),
            "0||<< Flyway Schema Creation >>|SCHEMA|\"app's\"||0|t");
  EXPECT_TRUE(Ok(table->Read(connection_, {})).applied.empty());
  Apply(*table, Versioned("1", "one", "V1__one.sql", "1"));
  EXPECT_EQ(admin_.Scalar("SELECT max(installed_rank) FROM \"app's\".flyway_schema_history"), "1");
}

TEST_F(FlywayTableTest, WritesABaselineAsFlywayDoes) {
  auto table = Open();
  Ok(table->Create(connection_));
  Ok(connection_.Execute(table->OnBaselineSql(migration::Version::Parse("003").value(), {})));
  EXPECT_EQ(admin_.Text("SELECT installed_rank, version, description, type, script, checksum, "
                        "execution_time, success FROM flyway_schema_history"),
            "1|003|<< Flyway Baseline >>|BASELINE|<< Flyway Baseline >>||0|t");
}

TEST_F(FlywayTableTest, ReadsEverythingThatARowSays) {
  auto table = Open();
  Ok(table->Create(connection_));
  admin_.Exec(
      "INSERT INTO flyway_schema_history VALUES "
      "(1, '3', '<< Flyway Baseline >>', 'BASELINE', '<< Flyway Baseline >>', NULL, 'x', "
      "'2026-01-02 03:04:05.678901', 0, true), "
      "(2, '004', 'four', 'SQL', 'V004__four.sql', -17, 'x', '2026-01-02 03:04:05.678901', 0, "
      "false)");
  Ok(connection_.Execute("SET timezone = 'UTC'"));
  const ToolHistory history = Ok(table->Read(connection_, {}));
  EXPECT_EQ(history.baseline_version, "3");
  ASSERT_EQ(history.applied.size(), 1U);
  const ToolRow& row = history.applied[0];
  EXPECT_EQ(row.id, "4");
  EXPECT_EQ(row.version, "004");
  EXPECT_EQ(row.sum, "-17");
  EXPECT_TRUE(row.failed);
  EXPECT_EQ(row.applied_at, ParseRfc3339("2026-01-02T03:04:05.678901Z").value());
}

TEST_F(FlywayTableTest, HoldsFlywaysOwnLock) {
  EXPECT_THAT(Open()->Locks().advisory_keys, ElementsAre(77433833903597));
  EXPECT_FALSE(Open()->Locks().lock_table_in_transaction);
}

TEST_F(FlywayTableTest, RefusesATableOfAnotherTool) {
  admin_.Exec("CREATE TABLE flyway_schema_history (version text, dirty boolean)");
  auto table = OpenToolTable(connection_, migration::Format::kFlyway, {});
  ASSERT_FALSE(table.has_value());
  EXPECT_THAT(Explain(table.error()),
              HasSubstr("public.flyway_schema_history is not Flyway's history: it has no column "
                        "installed_rank (its columns: version, dirty)"));
}

TEST_F(FlywayTableTest, RefusesAColumnName) {
  auto table = OpenToolTable(connection_, migration::Format::kFlyway,
                             {.schema = "", .table = "history", .column = "name"});
  ASSERT_FALSE(table.has_value());
  EXPECT_THAT(Explain(table.error()), HasSubstr("names the column name"));
}

}  // namespace
}  // namespace whimbrel::history
