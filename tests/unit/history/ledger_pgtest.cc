#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <chrono>
#include <future>
#include <string>
#include <vector>

#include "support/eventually.h"
#include "support/postgres_server.h"
#include "unit/history/database.h"
#include "unit/history/migrations.h"
#include "whimbrel/history/ledger.h"

namespace whimbrel::history {
namespace {

using migration::ResolvedMigration;
using testing::Eventually;
using testing::PgClient;
using testing::PgTarget;
using testing::SharedPostgres;
using ::testing::UnorderedElementsAre;

class LedgerTest : public ::testing::Test {
 protected:
  LedgerTest() { Ok(ledger_.Bootstrap(connection_)); }

  void Apply(postgres::Connection& connection, const ResolvedMigration& migration, int run,
             bool withdraw_previous = false) {
    Ok(connection.Execute("BEGIN"));
    Ok(connection.Execute(ledger_.ClaimSql(migration, run)));
    Ok(connection.Execute(ledger_.FinishSql(
        migration, run,
        {.duration = std::chrono::milliseconds(12), .withdraws_previous = withdraw_previous})));
    Ok(connection.Commit());
  }

  PgTarget database_ = SharedPostgres().CreateDatabase();
  PgClient admin_{database_};
  postgres::Connection connection_ = Connect(database_);
  Ledger ledger_{"whimbrel", "default"};
  ResolvedMigration orders_ = Versioned("002", "orders", "sql/002_orders.sql", "0a1b");
};

TEST_F(LedgerTest, ReadsWhatWasClaimedAndFinished) {
  const SystemTime before = std::chrono::system_clock::now() - std::chrono::minutes(1);
  Apply(connection_, orders_, 1);
  const std::vector<LedgerRow> rows = Ok(ledger_.Read(connection_));
  ASSERT_EQ(rows.size(), 1U);
  const LedgerRow& row = rows[0];
  EXPECT_EQ(row.kind, migration::Kind::kVersioned);
  EXPECT_EQ(row.id, "2");
  EXPECT_EQ(row.run, 1);
  EXPECT_EQ(row.state, LedgerState::kApplied);
  EXPECT_EQ(row.attempt, 1);
  EXPECT_EQ(row.version, "002");
  EXPECT_EQ(row.description, "orders");
  EXPECT_EQ(row.path, "sql/002_orders.sql");
  EXPECT_EQ(row.sum, "0a1b");
  EXPECT_EQ(row.raw_sum, std::nullopt) << "of own rows it is not read back";
  EXPECT_EQ(admin_.Scalar("SELECT raw_sum FROM whimbrel.whimbrel_migration"), "raw 0a1b");
  EXPECT_TRUE(row.sum_verified);
  EXPECT_EQ(row.origin, Origin::kOwn);
  EXPECT_EQ(row.duration_ms, 12);
  ASSERT_TRUE(row.applied_at.has_value());
  EXPECT_GT(*row.applied_at, before);
  EXPECT_LT(*row.applied_at, before + std::chrono::minutes(2));
  EXPECT_THAT(admin_.Text("SELECT recorded_by, recorded_in, recorded_with FROM "
                          "whimbrel.whimbrel_migration"),
              ::testing::MatchesRegex("postgres\\|whimbrel/test\\|whimbrel [0-9.]+"));
}

TEST_F(LedgerTest, ReadsAllRunsAndNoOtherSet) {
  Apply(connection_, Repeatable("view", "R__view.sql", "1"), 1);
  Apply(connection_, orders_, 2);
  Apply(connection_, orders_, 1);
  Apply(connection_, Versioned("10", "ten", "010_ten.sql", "1"), 1);
  const Ledger other("whimbrel", "other");
  Ok(connection_.Execute(other.ClaimSql(orders_, 1)));
  std::vector<std::string> keys;
  for (const LedgerRow& row : Ok(ledger_.Read(connection_))) {
    keys.push_back(row.id + " " + std::to_string(row.run));
  }
  EXPECT_THAT(keys, UnorderedElementsAre("view 1", "10 1", "2 1", "2 2"));
}

TEST_F(LedgerTest, TextsOfAnyKindComeBackAsTheyWere) {
  const auto odd = Repeatable("it's a \\ \"view\"\n\u00eb\U0001F600", "R__it's \\.sql", "s\\u'm");
  for (const char* conforming : {"on", "off"}) {
    SCOPED_TRACE(conforming);
    Ok(connection_.Execute("DELETE FROM whimbrel.whimbrel_migration"));
    Ok(connection_.Execute(std::string("SET standard_conforming_strings = ") + conforming));
    Apply(connection_, odd, 1);
    const std::vector<LedgerRow> rows = Ok(ledger_.Read(connection_));
    ASSERT_EQ(rows.size(), 1U);
    EXPECT_EQ(rows[0].id, odd.description);
    EXPECT_EQ(rows[0].path, odd.path);
    EXPECT_EQ(rows[0].sum, odd.sum);
  }
}

TEST_F(LedgerTest, AMigrationMayLeaveAnySearchPath) {
  Ok(connection_.Execute("SET search_path = ''"));
  Ok(ledger_.Bootstrap(connection_));
  Apply(connection_, orders_, 1);
  EXPECT_EQ(Ok(ledger_.Read(connection_)).size(), 1U);
}

TEST_F(LedgerTest, ASecondClaimWaitsForTheFirstAndFailsWhenItCommitted) {
  Ok(connection_.Execute("BEGIN"));
  Ok(connection_.Execute(ledger_.ClaimSql(orders_, 1)));
  auto second = std::async(std::launch::async, [&] {
    auto connection = Connect(database_);
    Ok(connection.Execute("BEGIN"));
    return connection.Execute(ledger_.ClaimSql(orders_, 1));
  });
  EXPECT_TRUE(Eventually([&] {
    return admin_.Scalar(
               "SELECT count(*) FROM pg_stat_activity WHERE wait_event_type = 'Lock' AND "
               "datname = current_database()") == "1";
  }));
  Ok(connection_.Commit());
  auto result = second.get();
  ASSERT_FALSE(result.has_value());
  EXPECT_EQ(result.error().sql_state, "23505");
  EXPECT_TRUE(ledger_.IsClaimConflict(result.error()));
}

TEST_F(LedgerTest, ASecondClaimHoldsWhenTheFirstRolledBack) {
  Ok(connection_.Execute("BEGIN"));
  Ok(connection_.Execute(ledger_.ClaimSql(orders_, 1)));
  auto second = std::async(std::launch::async, [&] {
    auto connection = Connect(database_);
    Apply(connection, orders_, 1);
  });
  EXPECT_TRUE(Eventually([&] {
    return admin_.Scalar(
               "SELECT count(*) FROM pg_stat_activity WHERE wait_event_type = 'Lock' AND "
               "datname = current_database()") == "1";
  }));
  connection_.Rollback();
  second.get();
  EXPECT_EQ(Ok(ledger_.Read(connection_)).size(), 1U);
}

TEST_F(LedgerTest, AUniqueViolationOfTheMigrationItselfIsNoClaimConflict) {
  Ok(
      connection_.Execute("CREATE TABLE t (whimbrel_migration_pkey int CONSTRAINT "
                          "whimbrel_migration_pkey UNIQUE)"));
  auto result = connection_.Execute("INSERT INTO t VALUES (1), (1)");
  ASSERT_FALSE(result.has_value());
  EXPECT_EQ(result.error().sql_state, "23505");
  EXPECT_FALSE(ledger_.IsClaimConflict(result.error()));
}

TEST_F(LedgerTest, FinishingARunWithdrawsTheOlderOneWhenAsked) {
  Apply(connection_, orders_, 1);
  Apply(connection_, orders_, 2, false);
  EXPECT_EQ(admin_.Text("SELECT run, state FROM whimbrel.whimbrel_migration ORDER BY run"),
            "1|applied\n2|applied");
  Apply(connection_, orders_, 3, true);
  EXPECT_EQ(admin_.Text("SELECT run, state FROM whimbrel.whimbrel_migration ORDER BY run"),
            "1|withdrawn\n2|withdrawn\n3|applied");
}

TEST_F(LedgerTest, KeepsTheDownPartUntilTheRowIsDeleted) {
  orders_.down_sum = "down sum";
  const std::string down = "DROP TABLE \"orders\"; -- it's \\ gone\n";
  Ok(connection_.Execute("BEGIN"));
  Ok(connection_.Execute(ledger_.ClaimSql(orders_, 1)));
  Ok(connection_.Execute(ledger_.KeepScriptSql(orders_, 1, down)));
  Ok(connection_.Commit());
  EXPECT_EQ(admin_.Text("SELECT set, kind, id, run, path, down_sum FROM whimbrel.whimbrel_script"),
            "default|V|2|1|sql/002_orders.sql|down sum");
  EXPECT_EQ(admin_.Scalar("SELECT down_sql FROM whimbrel.whimbrel_script"), down);
  // Else a row deleted by hand would leave a script in the way of its next run 1.
  admin_.Exec("DELETE FROM whimbrel.whimbrel_migration");
  EXPECT_EQ(admin_.Scalar("SELECT count(*) FROM whimbrel.whimbrel_script"), "0");
}

TEST_F(LedgerTest, ImportedRowsComeBackAsTheyWere) {
  LedgerRow baseline;
  baseline.kind = migration::Kind::kBaseline;
  baseline.id = baseline.version = "1";
  baseline.origin = Origin::kBaseline;
  LedgerRow imported;
  imported.id = "2.1";
  imported.run = 3;
  imported.version = "2.01";
  imported.description = "it's";
  imported.path = "V2.01__it's.sql";
  imported.sum = "-17";
  imported.sum_verified = false;
  imported.origin = Origin::kImported;
  imported.applied_at = SystemTime(std::chrono::microseconds(1'700'000'000'123'456));
  Ok(connection_.Execute("SET timezone = 'Asia/Kathmandu'; SET datestyle = 'German'"));
  Ok(connection_.Execute(ledger_.ImportSql({baseline, imported})));
  const std::vector<LedgerRow> rows = Ok(ledger_.Read(connection_));
  ASSERT_EQ(rows.size(), 2U);
  EXPECT_EQ(rows[0].kind, migration::Kind::kBaseline);
  EXPECT_EQ(rows[0].origin, Origin::kBaseline);
  EXPECT_EQ(rows[0].sum, std::nullopt);
  EXPECT_EQ(rows[0].applied_at, std::nullopt);
  EXPECT_EQ(rows[1].id, "2.1");
  EXPECT_EQ(rows[1].run, 3);
  EXPECT_EQ(rows[1].version, "2.01");
  EXPECT_EQ(rows[1].description, "it's");
  EXPECT_EQ(rows[1].sum, "-17");
  EXPECT_EQ(rows[1].raw_sum, std::nullopt);
  EXPECT_FALSE(rows[1].sum_verified);
  EXPECT_EQ(rows[1].origin, Origin::kImported);
  EXPECT_EQ(rows[1].applied_at, imported.applied_at);
  EXPECT_EQ(ledger_.ImportSql({}), "");
}

TEST_F(LedgerTest, ImportingWhatAnotherRunnerImportedIsAClaimConflict) {
  LedgerRow row;
  row.id = "1";
  row.origin = Origin::kImported;
  Ok(connection_.Execute(ledger_.ImportSql({row})));
  auto again = connection_.Execute(ledger_.ImportSql({row}));
  ASSERT_FALSE(again.has_value());
  EXPECT_TRUE(ledger_.IsClaimConflict(again.error()));
}

struct Covering {
  const char* description;
  std::vector<ResolvedMigration> source;
  std::string expected;
};

TEST_F(LedgerTest, FindsTheSetThatCoversASource) {
  const auto one = Versioned("1", "one", "1_one.sql", "a");
  const auto two = Versioned("2", "two", "2_two.sql", "b");
  const auto view = Repeatable("view", "R__view.sql", "c");
  const Ledger shop("whimbrel", "shop");
  for (const auto& migration : {one, two, view}) {
    Ok(connection_.Execute(shop.ClaimSql(migration, 1)));
    Ok(connection_.Execute(shop.ClaimSql(migration, 2)));
  }
  Apply(connection_, one, 1);  // Of our own set, which never counts.
  const auto undone = Versioned("3", "three", "3_three.sql", "d");
  Ok(connection_.Execute(shop.ClaimSql(undone, 1)));
  admin_.Exec("UPDATE whimbrel.whimbrel_migration SET state = 'undone' WHERE id = '3'");
  const auto four = Versioned("4", "four", "4_four.sql", "e");
  const Covering cases[] = {
      {"all of it", {one, two, view}, "shop"},
      {"a part of it, renamed", {Versioned("1", "uno", "1_uno.sql", "a")}, "shop"},
      {"all of it and newer files", {one, two, four}, "shop"},
      {"all of it and another repeatable", {one, two, Repeatable("w", "R__w.sql", "f")}, "shop"},
      {"repeatables alone", {view}, "shop"},
      {"other repeatables alone", {view, Repeatable("w", "R__w.sql", "f")}, ""},
      {"nothing", {}, ""},
      {"one text differs", {one, Versioned("2", "two", "2_two.sql", "B")}, ""},
      {"the first text differs", {Versioned("1", "one", "1_one.sql", "A"), two}, ""},
      {"one is no longer applied", {one, two, undone}, "shop"},
      {"one in between is not there", {one, Versioned("1.5", "late", "1.5_late.sql", "e")}, ""},
      {"only newer files", {four}, ""},
      {"another kind of the same name", {Repeatable("1", "R__1.sql", "a")}, ""},
  };
  for (const Covering& c : cases) {
    SCOPED_TRACE(c.description);
    migration::ResolvedMigrations source;
    for (const ResolvedMigration& migration : c.source) {
      auto& list =
          migration.kind == migration::Kind::kRepeatable ? source.repeatable : source.versioned;
      list.push_back(migration);
    }
    EXPECT_EQ(Ok(ledger_.FindCoveringSet(connection_, source)), c.expected);
  }
}

}  // namespace
}  // namespace whimbrel::history
