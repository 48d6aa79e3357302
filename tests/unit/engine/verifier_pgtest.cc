#include "unit/engine/verifier_fixture.h"

namespace whimbrel::engine {
namespace {

using ::testing::HasSubstr;
using ::testing::StartsWith;

using VerifierTest = VerifierFixture;

TEST_F(VerifierTest, FinishesADetachThatWasKilledWhileItWaited) {
  observer_.Exec(
      "CREATE TABLE t (a int) PARTITION BY RANGE (a); CREATE SCHEMA s; "
      "CREATE TABLE s.\"P\" PARTITION OF t FOR VALUES FROM (1) TO (10)");
  const std::string statement = "alter table only t detach partition s.\"P\" concurrently";
  const std::string found = Find(statement);
  EXPECT_EQ(Judge(statement, found), "run");
  Interrupt(statement, "SELECT FROM t");
  EXPECT_EQ(Judge(statement, found),
            R"(run instead ALTER TABLE "t" DETACH PARTITION "s"."P" FINALIZE)");
  EXPECT_EQ(CarryOut(statement, found), "");
  EXPECT_EQ(observer_.Scalar("SELECT count(*) FROM pg_inherits"), "0");
  EXPECT_EQ(Judge(statement, found), "done");
  // Another attempt at a table that never was a partition is the server's to refuse.
  EXPECT_EQ(Judge(statement, Find(statement)), "run");
}

TEST_F(VerifierTest, KnowsThatADetachWasDoneWhenOnlyItsAnswerIsMissing) {
  observer_.Exec(
      "CREATE TABLE t (a int) PARTITION BY RANGE (a); "
      "CREATE TABLE p PARTITION OF t FOR VALUES FROM (1) TO (10)");
  const std::string statement = "alter table t detach partition p concurrently";
  const std::string found = Find(statement);
  EXPECT_EQ(VerifierOf(statement)->Confirm(found, found), R"("p" is still a partition of "t")");
  observer_.Exec(statement);
  EXPECT_EQ(Judge(statement, found), "done");
}

TEST_F(VerifierTest, FindsNothingOfWhatDoesNotExist) {
  for (const std::string statement :
       {"create index concurrently i on missing (a)", "drop index concurrently if exists missing",
        "drop index concurrently missing.i", "reindex table concurrently missing",
        "reindex index concurrently missing.i", "reindex schema concurrently missing",
        "reindex (concurrently) database",
        "alter table missing detach partition missing.p concurrently",
        "drop database if exists missing", "alter database missing set tablespace missing",
        "drop tablespace missing", "drop subscription missing",
        "alter subscription missing add publication p",
        "alter subscription missing drop publication p", "commit prepared 'missing'",
        "alter extension timescaledb update",
        "select create_distributed_table_concurrently('missing', 'a')",
        "create materialized view missing.v with (timescaledb.continuous) as select 1"}) {
    EXPECT_EQ(Judge(statement, Find(statement)), "run") << statement;
  }
}

TEST_F(VerifierTest, UpdatesAnExtensionOnce) {
  // TimescaleDB is not there; the verifier asks the catalog about any extension alike.
  sql::StatementFacts facts;
  facts.non_transactional = sql::NonTransactional::kUpdateTimescaledb;
  observer_.Exec("CREATE EXTENSION hstore VERSION '1.4'");
  const auto to = MakeVerifier("alter extension hstore update to '1.6'", facts, true, false);
  const auto newest = MakeVerifier("alter extension hstore update", facts, true, false);
  ASSERT_TRUE(to.has_value() && newest.has_value());
  const std::string found = Find(**to);
  const std::string found_newest = Find(**newest);
  EXPECT_EQ(ToText((*to)->Judge(found, found)), "run");
  EXPECT_THAT((*to)->Confirm(found, found).value_or(""), HasSubstr("the wanted version"));
  observer_.Exec("ALTER EXTENSION hstore UPDATE TO '1.6'");
  EXPECT_EQ(ToText((*to)->Judge(found, Find(**to))), "done");
  EXPECT_EQ(ToText((*newest)->Judge(found_newest, Find(**newest))), "run");
  observer_.Exec("ALTER EXTENSION hstore UPDATE");
  EXPECT_EQ(ToText((*newest)->Judge(found_newest, Find(**newest))), "done");
  EXPECT_EQ((*newest)->Confirm(found_newest, Find(**newest)), std::nullopt);
}

TEST_F(VerifierTest, FillsAContinuousAggregateThatWasMade) {
  // What TimescaleDB makes: a view, and a procedure in the extension's schema.
  observer_.Exec(
      "CREATE SCHEMA ts; CREATE TABLE filled (view regclass); CREATE PROCEDURE "
      "ts.refresh_continuous_aggregate(view regclass, since int, until int) LANGUAGE sql AS "
      "'INSERT INTO filled VALUES (view)'");
  const std::string statement =
      "create materialized view \"V\" with (timescaledb.continuous) as select 1";
  const std::string found = Find(statement);
  EXPECT_EQ(Judge(statement, found), "run");
  observer_.Exec("CREATE VIEW \"V\" AS SELECT 1 AS a");
  EXPECT_EQ(CarryOut(statement, found), "");
  EXPECT_EQ(observer_.Text("SELECT view FROM filled"), "\"V\"");
  EXPECT_THAT(Judge(statement, Find(statement)),
              StartsWith(R"(refuse: the relation "public"."V" was there before)"));
  // The server would create in the first schema of the search_path, and looks nowhere else.
  SetUpSessions("SET search_path = ts, public");
  EXPECT_EQ(Judge(statement, Find(statement)), "run");
}

TEST_F(VerifierTest, DistributesATableOnce) {
  // The catalog of Citus, as far as it is asked.
  observer_.Exec(
      "SET allow_system_table_mods = on; CREATE TABLE pg_catalog.pg_dist_partition (logicalrelid "
      "regclass, partmethod \"char\"); CREATE TABLE t (a int)");
  const std::string statement =
      "select create_distributed_table_concurrently('public.t'::regclass, 'a')";
  const std::string found = Find(statement);
  EXPECT_EQ(Judge(statement, found), "run");
  EXPECT_THAT(VerifierOf(statement)->Confirm(found, found).value_or(""), HasSubstr("not there"));
  observer_.Exec("INSERT INTO pg_catalog.pg_dist_partition VALUES ('t', 'h')");
  EXPECT_EQ(Judge(statement, found), "done");
  EXPECT_THAT(Judge(statement, Find(statement)), HasSubstr("was there before"));
}

TEST_F(VerifierTest, RepeatsHarmlessStatementsToTheirEnd) {
  observer_.Exec("CREATE TABLE t (a int PRIMARY KEY); CLUSTER t USING t_pkey");
  for (const std::string statement :
       {"vacuum (analyze) t", "vacuum full t", "cluster", "cluster t using t_pkey",
        "reindex schema public", "reindex table t",
        "alter system set log_min_duration_statement = -1"}) {
    for (int attempt = 1; attempt <= 2; ++attempt) {
      EXPECT_EQ(CarryOut(statement, "{}"), "") << statement;
    }
  }
}

}  // namespace
}  // namespace whimbrel::engine
