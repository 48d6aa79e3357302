#include <gtest/gtest.h>

#include <set>
#include <string_view>
#include <vector>

#include "whimbrel/sql/statement_facts.h"

namespace whimbrel::sql {
namespace {

struct RuleCase {
  NonTransactional rule;
  std::vector<std::string_view> positive;
  std::vector<std::string_view> near_misses;
};

const std::vector<RuleCase>& RuleCases() {
  using enum NonTransactional;
  static const std::vector<RuleCase> cases = {
      {kCreateIndexConcurrently,
       {"create index concurrently on t (a)",
        "CREATE UNIQUE INDEX /* ; */ CONCURRENTLY -- x\n IF NOT EXISTS i ON t (a)"},
       {"create index on t (a)", "create index \"concurrently\" on t (a)",
        "create index i on concurrently_t (a)"}},
      {kDropIndexConcurrently,
       {"drop index concurrently i", "drop index concurrently if exists s.i"},
       {"drop index i", "drop index if exists \"concurrently\""}},
      {kReindexConcurrently,
       {"reindex table concurrently t", "reindex (verbose, concurrently) index i",
        "reindex (concurrently true) table t", "reindex schema concurrently s"},
       {"reindex table t", "reindex (concurrently off) table t", "reindex (verbose) index i",
        "reindex table \"concurrently\""}},
      {kReindexMany,
       {"reindex schema s", "reindex (verbose) database d", "reindex system", "reindex database"},
       {"reindex table schema_t", "reindex index \"system\""}},
      {kVacuum,
       {"vacuum", "vacuum full t", "vacuum (analyze, verbose) t"},
       {"analyze t", "alter table t set (autovacuum_enabled = off)",
        "comment on table vacuum is 'vacuum'"}},
      {kClusterAll,
       {"cluster", "cluster verbose", "cluster (verbose)"},
       {"cluster t", "cluster t using i", "cluster verbose t"}},
      {kCreateDatabase,
       {"create database d"},
       {"comment on database d is 'x'", "create table database (a int)"}},
      {kDropDatabase,
       {"drop database if exists d", "drop database d with (force)"},
       {"drop table database"}},
      {kAlterDatabaseSetTablespace,
       {"alter database d set tablespace x"},
       {"alter database d set search_path to x", "alter database d rename to tablespace",
        "alter table t set tablespace x"}},
      {kCreateTablespace,
       {"create tablespace x location '/x'"},
       {"alter tablespace x rename to y"}},
      {kDropTablespace, {"drop tablespace x"}, {"drop table tablespace"}},
      {kAlterSystem,
       {"alter system set work_mem = '1MB'", "alter system reset all"},
       {"alter table system add a int"}},
      {kDetachPartitionConcurrently,
       {"alter table if exists only s.t detach partition s.p concurrently",
        "alter table t detach /* x */ partition p concurrently"},
       {"alter table t detach partition p", "alter table t detach partition p finalize",
        "alter table t detach partition \"concurrently\"",
        "alter table t attach partition p default"}},
      {kCreateSubscription,
       {"create subscription s connection 'x' publication p",
        "create subscription s connection 'x' publication p with (enabled = false)"},
       {"create subscription s connection 'x' publication p with (connect = false)",
        "create subscription s connection 'x' publication p with (create_slot = 'off', enabled)",
        "create publication p for all tables"}},
      {kDropSubscription, {"drop subscription if exists s"}, {"drop publication s"}},
      {kAlterSubscriptionPublication,
       {"alter subscription s set publication p, q",
        "alter subscription s add publication p with (copy_data = false)",
        "alter subscription s drop publication p with (refresh)"},
       {"alter subscription s set publication p with (refresh = false)",
        "alter subscription s rename to publication", "alter subscription s disable"}},
      {kAlterSubscriptionRefresh,
       {"alter subscription s refresh publication with (copy_data = false)"},
       {"alter subscription s owner to refresh"}},
      {kAlterSubscriptionSlotOption,
       {"alter subscription s set (failover = true)", "alter subscription s set (two_phase)"},
       {"alter subscription s set (synchronous_commit = off)",
        "alter subscription s set (slot_name = none)"}},
      {kCommitPrepared, {"commit prepared 'x'"}, {"commit", "prepare transaction 'x'"}},
      {kRollbackPrepared, {"rollback prepared 'x'"}, {"rollback", "rollback to prepared"}},
      {kDiscardAll, {"discard all"}, {"discard plans", "discard temp", "discard sequences"}},
      {kCreateLogicalSlot,
       {"select pg_create_logical_replication_slot('s', 'pgoutput')",
        "select * from pg_catalog.\"pg_copy_logical_replication_slot\" ('a', 'b')"},
       {"select 'pg_create_logical_replication_slot()'",
        "select pg_create_physical_replication_slot('s')",
        "select pg_create_logical_replication_slot from t"}},
      {kContinuousAggregateWithData,
       {"create materialized view v with (timescaledb.continuous) as select 1",
        "create materialized view if not exists s.v with (timescaledb.materialized_only = true, "
        "timescaledb.continuous = "
        "true) as with x as (select 1) select * from x with data",
        "create materialized view v (a, b) with (tsdb.continuous) as select 1"},
       {"create materialized view v with (timescaledb.continuous) as select 1 with no data",
        "create materialized view v with (fillfactor = 70) as select 1",
        "create materialized view v with (timescaledb.continuous = false) as select 1",
        "create view v as select 'with (timescaledb.continuous)'"}},
      {kRefreshContinuousAggregate,
       {"call refresh_continuous_aggregate('v', null, null)",
        "CALL Public.Refresh_Continuous_Aggregate('v', null, null)"},
       {"select add_continuous_aggregate_policy('v', null, null, '1h')",
        "create function refresh_continuous_aggregate(a int) returns int return 1",
        "create table refresh_continuous_aggregate (a int)",
        "insert into s.refresh_continuous_aggregate (a) values (1)",
        "drop function refresh_continuous_aggregate(int)",
        "call \"Refresh_Continuous_Aggregate\"('v')"}},
      {kIndexTransactionPerChunk,
       {"create index on t (a) with (timescaledb.transaction_per_chunk)",
        "create unique index i on t using btree (a desc) include (b) with (fillfactor = 70, "
        "timescaledb.transaction_per_chunk = on) where a > 0"},
       {"create index on t (a) with (fillfactor = 70)",
        "create index on t (a) with (timescaledb.transaction_per_chunk = false)"}},
      {kUpdateTimescaledb,
       {"alter extension timescaledb update", "alter extension \"timescaledb\" update to '2.22.1'"},
       {"alter extension timescaledb_toolkit update", "alter extension timescaledb set schema x",
        "create extension timescaledb"}},
      {kDistributeTableConcurrently,
       {"select create_distributed_table_concurrently('t', 'a')",
        "with x as (select 1) select citus.create_distributed_table_concurrently('t', a) from x"},
       {"select create_distributed_table('t', 'a')",
        "select $$create_distributed_table_concurrently('t')$$",
        "comment on function create_distributed_table_concurrently(regclass) is 'x'"}},
  };
  return cases;
}

TEST(Classify, KnowsWhatCannotRunInATransaction) {
  for (const RuleCase& row : RuleCases()) {
    for (std::string_view statement : row.positive) {
      EXPECT_EQ(Classify(statement).non_transactional, row.rule) << statement;
    }
    for (std::string_view statement : row.near_misses) {
      EXPECT_NE(Classify(statement).non_transactional, row.rule) << statement;
    }
  }
}

TEST(Classify, KnowsNearMissesToRunInATransaction) {
  // These near misses fall under no other rule either.
  for (std::string_view statement :
       {"create index on t (a)", "reindex (concurrently off) table t", "cluster t using i",
        "alter type e add value 'x'", "refresh materialized view concurrently v", "analyze",
        "checkpoint", "create table t (a int)", "alter tablespace x rename to y"}) {
    EXPECT_EQ(Classify(statement).non_transactional, std::nullopt) << statement;
  }
}

TEST(NonTransactionalRules, AreAllTestedAndDescribed) {
  std::set<NonTransactional> tested;
  for (const RuleCase& row : RuleCases()) tested.insert(row.rule);
  for (const NonTransactionalRule& rule : NonTransactionalRules()) {
    EXPECT_TRUE(tested.contains(rule.rule)) << rule.name;
    EXPECT_FALSE(rule.name.empty() || rule.why.empty());
    EXPECT_EQ(&Describe(rule.rule), &rule);
  }
}

TEST(Classify, KnowsWhatOnlyTheCatalogTells) {
  EXPECT_TRUE(Classify("reindex table t").non_transactional_if_partitioned);
  EXPECT_TRUE(Classify("reindex (verbose) index i").non_transactional_if_partitioned);
  EXPECT_TRUE(Classify("cluster verbose t").non_transactional_if_partitioned);
  EXPECT_FALSE(Classify("reindex table concurrently t").non_transactional_if_partitioned);
  EXPECT_FALSE(Classify("reindex schema s").non_transactional_if_partitioned);
  EXPECT_FALSE(Classify("cluster").non_transactional_if_partitioned);
}

}  // namespace
}  // namespace whimbrel::sql
