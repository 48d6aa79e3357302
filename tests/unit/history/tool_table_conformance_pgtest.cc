#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <memory>
#include <string>
#include <vector>

#include "support/postgres_server.h"
#include "unit/history/database.h"
#include "unit/history/migrations.h"
#include "whimbrel/history/tool_tables.h"

namespace whimbrel::history {
namespace {

using migration::Format;
using migration::ResolvedMigration;
using migration::ResolvedMigrations;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using testing::PgClient;
using testing::PgTarget;
using testing::SharedPostgres;

/// What every tool's adapter has to be told so that this suite can judge it. A new adapter is one
/// row here.
struct Tool {
  const char* name;
  Format format;
  const char* table;          ///< Its name in this suite, without schema.
  const char* column;         ///< Empty: the tool has columns of its own.
  const char* deletes_first;  ///< SQL that takes the first migration back, `$` for the table.
  bool keeps_sums;
  ResolvedMigrations source;
};

Tool Flyway() {
  return {
      .name = "Flyway",
      .format = Format::kFlyway,
      .table = "flyway_schema_history",
      .column = "",
      .deletes_first = "DELETE FROM $ WHERE version = '1'",
      .keeps_sums = true,
      .source = Resolved({Versioned("1", "one", "V1__one.sql", "78787420"),
                          Versioned("2.010", "it's \\ two", "sub/V2.010__it's_\\_two.sql", "-5")},
                         {Repeatable("view", "R__view.sql", "0")})};
}

Tool NameTable() {
  return {.name = "NameTable",
          .format = Format::kNumbered,
          .table = "migrations",
          .column = "file",
          .deletes_first = "DELETE FROM $ WHERE file = '001_one.sql'",
          .keeps_sums = false,
          .source = Resolved({Versioned("001", "one", "001_one.sql", "a"),
                              Versioned("002", "it's \\ two", "sub/002_it's_\\_two.sql", "b")})};
}

class ToolTableConformance : public ::testing::TestWithParam<Tool> {
 protected:
  [[nodiscard]] const Tool& tool() const { return GetParam(); }

  [[nodiscard]] std::vector<const ResolvedMigration*> Migrations() const {
    std::vector<const ResolvedMigration*> all;
    for (const auto& migration : tool().source.versioned) all.push_back(&migration);
    for (const auto& migration : tool().source.repeatable) all.push_back(&migration);
    return all;
  }

  std::unique_ptr<ToolTable> Open(postgres::Connection& connection, std::string schema = "public") {
    return Ok(OpenToolTable(
        connection, tool().format,
        {.schema = std::move(schema), .table = tool().table, .column = tool().column}));
  }

  ToolHistory Read(ToolTable& table) { return Ok(table.Read(connection_, tool().source)); }

  std::string AppliedSql(ToolTable& table, const ResolvedMigration& migration) {
    return table.OnAppliedSql(migration, {.duration = std::chrono::milliseconds(7)});
  }

  std::vector<std::string> Ids(ToolTable& table) {
    std::vector<std::string> ids;
    for (const ToolRow& row : Read(table).applied) ids.push_back(row.id);
    return ids;
  }

  [[nodiscard]] std::vector<std::string> AllIds() const {
    std::vector<std::string> ids;
    for (const ResolvedMigration* migration : Migrations()) ids.push_back(migration->id());
    return ids;
  }

  void ApplyAll(ToolTable& table) {
    for (const ResolvedMigration* migration : Migrations()) {
      Ok(connection_.Execute(AppliedSql(table, *migration)));
    }
  }

  std::string WithTable(std::string sql, const ToolTable& table) {
    return sql.replace(sql.find('$'), 1, table.QuotedName());
  }

  PgTarget database_ = SharedPostgres().CreateDatabase();
  PgClient admin_{database_};
  postgres::Connection connection_ = Connect(database_);
};

INSTANTIATE_TEST_SUITE_P(Tools, ToolTableConformance, ::testing::Values(Flyway(), NameTable()),
                         [](const auto& test) { return std::string(test.param.name); });

TEST_P(ToolTableConformance, OpeningAndReadingWriteNothing) {
  auto table = Open(connection_);
  const ToolHistory history = Read(*table);
  EXPECT_FALSE(history.exists);
  EXPECT_THAT(history.applied, IsEmpty());
  EXPECT_EQ(admin_.Scalar("SELECT count(*) FROM pg_class WHERE relnamespace = "
                          "'public'::regnamespace"),
            "0");
}

TEST_P(ToolTableConformance, ANewTableIsEmpty) {
  auto table = Open(connection_);
  Ok(table->Create(connection_));
  const ToolHistory history = Read(*table);
  EXPECT_TRUE(history.exists);
  EXPECT_THAT(history.applied, IsEmpty());
  EXPECT_EQ(history.baseline_version, "");
  EXPECT_EQ(connection_.transaction_status(), postgres::TransactionStatus::kIdle);
}

TEST_P(ToolTableConformance, CreatingTwiceIsHarmless) {
  auto early = Open(connection_);
  auto table = Open(connection_);
  Ok(table->Create(connection_));
  ApplyAll(*table);
  Ok(table->Create(connection_));
  Ok(early->Create(connection_));
  EXPECT_EQ(Ids(*early), AllIds());
}

TEST_P(ToolTableConformance, WhatWasAppliedIsRead) {
  auto table = Open(connection_);
  Ok(table->Create(connection_));
  ApplyAll(*table);
  auto later = Open(connection_);
  const ToolHistory history = Read(*later);
  const auto migrations = Migrations();
  ASSERT_EQ(history.applied.size(), migrations.size());
  for (std::size_t i = 0; i < migrations.size(); ++i) {
    const ToolRow& row = history.applied[i];
    EXPECT_EQ(row.kind, migrations[i]->kind);
    EXPECT_EQ(row.id, migrations[i]->id());
    EXPECT_EQ(row.version, migrations[i]->version.display());
    EXPECT_EQ(row.description, migrations[i]->description);
    EXPECT_EQ(row.path, migrations[i]->path);
    EXPECT_FALSE(row.failed);
    EXPECT_EQ(row.sum, tool().keeps_sums ? std::optional(migrations[i]->sum) : std::nullopt);
  }
}

TEST_P(ToolTableConformance, TheOpenTransactionSeesItsOwnRowAndARollbackLeavesNothing) {
  auto table = Open(connection_);
  Ok(table->Create(connection_));
  const ResolvedMigration& first = *Migrations()[0];
  Ok(connection_.Execute("BEGIN"));
  Ok(connection_.Execute(AppliedSql(*table, first)));
  EXPECT_THAT(Ids(*table), ElementsAre(first.id()));
  connection_.Rollback();
  EXPECT_THAT(Ids(*table), IsEmpty());
}

TEST_P(ToolTableConformance, ReadingATableThatIsNotThereLeavesTheTransactionGood) {
  auto table = Open(connection_);
  Ok(connection_.Execute("BEGIN"));
  EXPECT_FALSE(Read(*table).exists);
  Ok(connection_.Execute("SELECT 1"));
}

TEST_P(ToolTableConformance, ADeletedRowIsNoLongerApplied) {
  auto table = Open(connection_);
  Ok(table->Create(connection_));
  ApplyAll(*table);
  admin_.Exec(WithTable(tool().deletes_first, *table));
  std::vector<std::string> expected = AllIds();
  expected.erase(expected.begin());
  EXPECT_EQ(Ids(*table), expected);
}

TEST_P(ToolTableConformance, ABaselineCountsUpToItsVersion) {
  auto table = Open(connection_);
  Ok(table->Create(connection_));
  const ResolvedMigration& first = tool().source.versioned[0];
  Ok(connection_.Execute(table->OnBaselineSql(first.version, tool().source)));
  const ToolHistory history = Read(*table);
  if (history.applied.empty()) {
    EXPECT_EQ(history.baseline_version, first.id());
  } else {
    EXPECT_THAT(Ids(*table), ElementsAre(first.id()));
  }
}

TEST_P(ToolTableConformance, ATableThatWasDroppedIsNotThere) {
  auto table = Open(connection_);
  Ok(table->Create(connection_));
  EXPECT_TRUE(Read(*table).exists);
  admin_.Exec("DROP TABLE " + table->QuotedName());
  EXPECT_FALSE(Read(*table).exists);
  Ok(table->Create(connection_));
  EXPECT_TRUE(Read(*table).exists);
}

TEST_P(ToolTableConformance, ATableMadeBySomebodyElseMeanwhileIsRead) {
  auto table = Open(connection_);
  auto other = Connect(database_);
  Ok(Open(other)->Create(other));
  EXPECT_TRUE(Read(*table).exists);
}

TEST_P(ToolTableConformance, AMigrationMayLeaveAnySessionSettings) {
  auto table = Open(connection_);
  Ok(
      connection_.Execute("SET search_path = ''; SET standard_conforming_strings = off; SET "
                          "datestyle = 'German'; SET timezone = 'Asia/Kathmandu'"));
  Ok(table->Create(connection_));
  ApplyAll(*table);
  EXPECT_EQ(Ids(*table), AllIds());
}

TEST_P(ToolTableConformance, WithoutASchemaTheFirstOnSearchPathThatHasTheTableIsTaken) {
  admin_.Exec("CREATE SCHEMA first; CREATE SCHEMA second");
  Ok(Open(connection_, "second")->Create(connection_));
  Ok(connection_.Execute("SET search_path = nowhere, first, second, public"));
  EXPECT_EQ(Open(connection_, "")->QualifiedName(), std::string("second.") + tool().table);
}

TEST_P(ToolTableConformance, WithoutATableItIsMadeInTheCurrentSchema) {
  admin_.Exec("CREATE SCHEMA first; CREATE SCHEMA second");
  Ok(connection_.Execute("SET search_path = nowhere, first, second, public"));
  auto table = Open(connection_, "");
  EXPECT_EQ(table->QualifiedName(), std::string("first.") + tool().table);
  Ok(table->Create(connection_));
  EXPECT_TRUE(Read(*Open(connection_, "first")).exists);
}

TEST_P(ToolTableConformance, WithoutAnySchemaItSaysSo) {
  Ok(connection_.Execute("SET search_path = ''"));
  auto table = OpenToolTable(connection_, tool().format,
                             {.schema = "", .table = tool().table, .column = tool().column});
  ASSERT_FALSE(table.has_value());
  EXPECT_THAT(Explain(table.error()), HasSubstr("history.table"));
}

TEST_P(ToolTableConformance, NamesOfAnyKindAreQuoted) {
  admin_.Exec("CREATE SCHEMA \"Odd \"\"schema's\"");
  const TableName name{
      .schema = "Odd \"schema's", .table = "T\u00e4ble's \"x\"", .column = tool().column};
  auto table = Ok(OpenToolTable(connection_, tool().format, name));
  EXPECT_EQ(table->QualifiedName(), name.schema + "." + name.table);
  EXPECT_THAT(table->Describe(), HasSubstr(name.table));
  Ok(table->Create(connection_));
  ApplyAll(*table);
  EXPECT_EQ(Ids(*table), AllIds());
}

TEST_P(ToolTableConformance, TwoWritersAreKeptApart) {
  auto table = Open(connection_);
  Ok(table->Create(connection_));
  const ToolLocks locks = table->Locks();
  EXPECT_TRUE(locks.lock_table_in_transaction || !locks.advisory_keys.empty());
  Ok(connection_.Execute("BEGIN"));
  Ok(connection_.Execute("LOCK TABLE " + table->QuotedName() + " IN SHARE ROW EXCLUSIVE MODE"));
  Ok(connection_.Execute(AppliedSql(*table, *Migrations()[0])));
  // A reader is never in the way; whoever writes is.
  admin_.Exec("SET lock_timeout = '1ms'");
  admin_.Exec(WithTable("SELECT FROM $", *table));
  EXPECT_EQ(admin_.SqlstateOf(AppliedSql(*table, *Migrations()[1])), "55P03");
  Ok(connection_.Commit());
}

TEST_P(ToolTableConformance, ARoleThatOwnsItsSchemaIsEnough) {
  const std::string role = "owner_" + database_.dbname;
  admin_.Exec("CREATE ROLE \"" + role +
              "\" LOGIN PASSWORD 'weak'; CREATE SCHEMA app AUTHORIZATION \"" + role + "\"");
  connection_ = Connect(database_.WithUser(role, "weak"));
  auto table = Open(connection_, "app");
  Ok(table->Create(connection_));
  ApplyAll(*table);
  EXPECT_EQ(Ids(*table), AllIds());
}

}  // namespace
}  // namespace whimbrel::history
