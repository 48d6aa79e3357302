#include "engine/verifier.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "unit/engine/verification_text.h"

namespace whimbrel::engine {
namespace {

using testing::HasSubstr;
using testing::StartsWith;

struct JudgeCase {
  std::string name;
  std::string found;
  std::string now;
  std::string verdict;       ///< As ToText() begins.
  std::string fault = "";    ///< What Confirm finds; empty: nothing.
  std::string cleared = "";  ///< What AfterFailure gives, in lines.
};

void Check(const std::string& statement, const std::vector<JudgeCase>& cases) {
  const std::unique_ptr<Verifier> verifier = VerifierOf(statement);
  ASSERT_NE(verifier, nullptr) << statement;
  for (const JudgeCase& row : cases) {
    EXPECT_THAT(ToText(verifier->Judge(row.found, row.now)), StartsWith(row.verdict)) << row.name;
    EXPECT_THAT(verifier->Confirm(row.found, row.now).value_or(""), testing::Eq(row.fault))
        << row.name;
    EXPECT_EQ(Lines(verifier->AfterFailure(row.found, row.now)), row.cleared) << row.name;
  }
}

constexpr const char* kNone = R"({"table": "1", "indexes": []})";
constexpr const char* kEqual =
    R"({"table": "1", "indexes": [{"oid": "7", "schema": "s", "name": "i", "is_index": true,
        "same_table": true, "valid": true, "equal": true}]})";
constexpr const char* kInvalid =
    R"({"table": "1", "indexes": [{"oid": "7", "schema": "s", "name": "i", "is_index": true,
        "same_table": true, "valid": false, "equal": true}]})";
constexpr const char* kDifferent =
    R"({"table": "1", "indexes": [{"oid": "7", "schema": "s", "name": "i", "is_index": true,
        "same_table": true, "valid": true, "equal": false}]})";
constexpr const char* kNotCompared =
    R"({"table": "1", "not_compared": "permission denied", "indexes": [{"oid": "7", "schema": "s",
        "name": "i", "is_index": true, "same_table": true, "valid": true}]})";
constexpr const char* kOtherTable =
    R"({"table": "1", "indexes": [{"oid": "7", "schema": "s", "name": "i", "is_index": true,
        "same_table": false, "valid": true}]})";
constexpr const char* kNoIndex =
    R"({"table": "1", "indexes": [{"oid": "7", "schema": "s", "name": "i", "is_index": false,
        "same_table": false, "valid": false}]})";

TEST(CreateIndexConcurrently, IsJudgedByWhatWasThereAtTheFirstIntent) {
  const std::string invalid = R"(the index "s"."i" is invalid)";
  const std::string drop = R"(DROP INDEX CONCURRENTLY IF EXISTS "s"."i")";
  const std::string rebuild = "run after " + drop;
  Check("create index concurrently i on t (a)",
        {
            {"nothing then, nothing now", kNone, kNone, "run", "the index is not there"},
            {"no table", "{}", "{}", "run", "the index is not there"},
            {"nothing then, invalid now", kNone, kInvalid, rebuild, invalid, drop},
            {"nothing then, valid and equal now", kNone, kEqual, "done"},
            {"nothing then, valid and different now", kNone, kDifferent,
             R"(refuse: the index "s"."i" is there, and is not what the statement makes)"},
            {"nothing then, valid and not compared now", kNone, kNotCompared,
             R"(refuse: the index "s"."i" is there, and could not be compared with the statement: )"
             "permission denied"},
            {"nothing then, an index of another table now", kNone, kOtherTable,
             R"(refuse: "s"."i" is there already, and is an index of another table)",
             "the index is not there"},
            {"nothing then, something else now", kNone, kNoIndex,
             R"(refuse: "s"."i" is there already, and is no index)", "the index is not there"},
            {"equal then", kEqual, kEqual,
             R"(refuse: the index "s"."i" was there before this migration began)"},
            {"invalid then", kInvalid, kInvalid,
             R"(refuse: the index "s"."i" is invalid, and was there before)", invalid},
            {"invalid then, gone now", kInvalid, kNone, "run", "the index is not there"},
            {"a journal that cannot be read", "?", kEqual, "done"},
        });
}

TEST(CreateIndexConcurrently, IfNotExistsTakesOnlyWhatIsValidAndEqual) {
  Check("create index concurrently if not exists i on t (a)",
        {
            {"equal then", kEqual, kEqual, "done"},
            {"different then", kDifferent, kDifferent, "refuse: the index \"s\".\"i\" is there"},
            {"not compared then", kNotCompared, kNotCompared, "refuse: the index"},
            {"invalid then", kInvalid, kInvalid, "refuse: the index \"s\".\"i\" is invalid",
             "the index \"s\".\"i\" is invalid"},
            {"nothing then, invalid now", kNone, kInvalid,
             "run after DROP INDEX CONCURRENTLY IF EXISTS \"s\".\"i\"",
             "the index \"s\".\"i\" is invalid", "DROP INDEX CONCURRENTLY IF EXISTS \"s\".\"i\""},
        });
}

TEST(CreateIndexPerChunk, LeavesWhatOnlyAPlainDropTakes) {
  Check("create index i on t (a) with (timescaledb.transaction_per_chunk)",
        {
            {"nothing then, invalid now", kNone, kInvalid,
             "run after DROP INDEX IF EXISTS \"s\".\"i\"", "the index \"s\".\"i\" is invalid",
             "DROP INDEX IF EXISTS \"s\".\"i\""},
            {"nothing then, valid and equal now", kNone, kEqual, "done"},
        });
}

TEST(CreateIndexWithoutAName, IsKnownByItsDefinition) {
  // t_a_idx was there; t_a_idx1 is what the server would call another one.
  const std::string before =
      R"({"table": "1", "indexes": [{"oid": "7", "schema": "s", "name": "t_a_idx",
          "is_index": true, "same_table": true, "valid": true, "equal": true}]})";
  const std::string reindexed =
      R"({"table": "1", "indexes": [{"oid": "9", "schema": "s", "name": "t_a_idx",
          "is_index": true, "same_table": true, "valid": true, "equal": true}]})";
  const auto with = [](std::string_view state) {
    return R"({"table": "1", "indexes": [{"oid": "7", "schema": "s", "name": "t_a_idx",
               "is_index": true, "same_table": true, "valid": true, "equal": true},
               {"oid": "8", "schema": "s", "name": "t_a_idx1", "is_index": true,
               "same_table": true, )" +
           std::string(state) + "}]}";
  };
  const std::string valid = with(R"("valid": true, "equal": true)");
  const std::string invalid = with(R"("valid": false, "equal": true)");
  const std::string different = with(R"("valid": true, "equal": false)");
  const std::string foreign = with(R"("valid": false, "equal": false)");
  std::string uncompared = with(R"("valid": true)");
  uncompared.insert(1, R"("not_compared": "why", )");
  constexpr const char* kMissing =
      "the table has no new index that is valid and as the statement makes it";
  constexpr const char* kDrop = R"(DROP INDEX CONCURRENTLY IF EXISTS "s"."t_a_idx1")";
  Check("create index concurrently on t (a)",
        {
            {"nothing new", before, before, "run", kMissing},
            {"an equal one under its old name, built again", before, reindexed, "run", kMissing},
            {"a new one that is valid and equal", before, valid, "done"},
            {"a new one that is invalid", before, invalid,
             R"(run after DROP INDEX CONCURRENTLY IF EXISTS "s"."t_a_idx1")", kMissing, kDrop},
            {"a new one that is different", before, different, "run", kMissing},
            {"an invalid one that is different is not ours", before, foreign, "run", kMissing},
            {"a new one that could not be compared", before, uncompared,
             R"(refuse: the index "s"."t_a_idx1" is there, and could not be compared)"},
        });
}

TEST(DropIndexConcurrently, KnowsTheIndexFromItsNamesakes) {
  const std::string first = R"({"oid": "7", "schema": "a", "name": "i", "definition": "x"})";
  const std::string second = R"({"oid": "8", "schema": "b", "name": "i", "definition": "x"})";
  const auto state = [](const std::string& indexes) { return R"({"indexes": [)" + indexes + "]}"; };
  const std::string none = R"({"indexes": null})";
  const std::string one = state(first);
  const std::string other = state(second);
  const std::string both = state(first + "," + second);
  const std::string behind = state(second + "," + first);
  const std::string rebuilt =
      state(R"({"oid": "9", "schema": "a", "name": "i", "definition": "x"})");
  const std::string replaced =
      state(R"({"oid": "9", "schema": "a", "name": "i", "definition": "y"})");
  constexpr const char* kThere = R"(the index "a"."i" is still there)";
  Check("drop index concurrently if exists i",
        {
            {"never there", none, none, "run"},
            {"there", one, one, "run", kThere},
            {"gone", one, none, "done"},
            {"gone, and the name means another index now", both, other, "done"},
            {"there, but the name means another one now", one, behind,
             R"(run instead DROP INDEX CONCURRENTLY IF EXISTS "a"."i")", kThere},
            {"built again in the meantime", one, rebuilt, "run", kThere},
            {"another index in its place", one, replaced,
             R"(refuse: the index "a"."i" is not the one that was there)", kThere},
            {"came up since", none, one, "run"},
        });
}

TEST(ReindexConcurrently, DropsWhatItLeftItself) {
  const std::string none = R"({"valid": true, "leftovers": null})";
  const std::string old =
      R"({"valid": true, "leftovers": [{"oid": "7", "schema": "s", "name": "i_ccnew"}]})";
  const std::string more =
      R"({"valid": true, "leftovers": [{"oid": "7", "schema": "s", "name": "i_ccnew"},
          {"oid": "8", "schema": "s", "name": "i_ccnew1"},
          {"oid": "9", "schema": "s", "name": "I_ccold"}]})";
  const std::string drops =
      "DROP INDEX CONCURRENTLY IF EXISTS \"s\".\"i_ccnew1\"\n"
      "DROP INDEX CONCURRENTLY IF EXISTS \"s\".\"I_ccold\"";
  const std::string fault = R"(REINDEX CONCURRENTLY has left the invalid index "s"."i_ccnew1")";
  const std::vector<JudgeCase> cases = {
      {"nothing left", none, none, "run"},
      {"left by others", old, old, "run"},
      {"left by us", old, more, "run after " + drops, fault, drops},
  };
  Check("reindex table concurrently t", cases);
  Check("reindex index concurrently i", cases);
  Check("reindex schema concurrently s",
        {{"others may be at it", none, old,
          R"(run after DROP INDEX CONCURRENTLY IF EXISTS "s"."i_ccnew")", "",
          R"(DROP INDEX CONCURRENTLY IF EXISTS "s"."i_ccnew")"}});
  const std::string invalid = R"({"valid": false, "leftovers": null})";
  Check("reindex (concurrently) index s.i",
        {{"the index is invalid", invalid, invalid, "run", R"(the index "s"."i" is invalid)"}});
}

TEST(DetachPartitionConcurrently, IsFinishedWhereItWasBegun) {
  const std::string attached = R"({"table": "1", "partition": "2", "state": "attached"})";
  const std::string pending = R"({"table": "1", "partition": "2", "state": "pending"})";
  const std::string none = R"({"table": "1", "partition": "2", "state": null})";
  const std::string still = R"("s"."p" is still a partition of "t")";
  const std::string finalize = R"(run instead ALTER TABLE "t" DETACH PARTITION "s"."p" FINALIZE)";
  Check("alter table t detach partition s.p concurrently",
        {
            {"attached", attached, attached, "run", still},
            {"pending", attached, pending, finalize, still + ", its detaching not finished"},
            {"pending from the beginning", pending, pending, finalize,
             still + ", its detaching not finished"},
            {"gone", attached, none, "done"},
            {"finished by others", pending, none, "done"},
            {"never attached", none, none, "run"},
            {"attached since", none, attached, "run", still},
        });
}

struct ObjectKind {
  std::string statement;
  std::string label;
};

TEST(CreateObject, IsDoneWhenItCameUpSinceTheFirstIntentAndLooksRight) {
  const std::string none = "{}";
  const std::string ours = R"({"identity": "7", "matches": true})";
  const std::string theirs = R"({"identity": "7", "matches": false})";
  const ObjectKind kinds[] = {
      {"create database d", R"(the database "d")"},
      {"create tablespace x location '/x'", R"(the tablespace "x")"},
      {"create subscription s connection 'x' publication p", R"(the subscription "s")"},
      {"select pg_create_logical_replication_slot('s', 'pgoutput')", R"(the replication slot "s")"},
      {"select pg_copy_logical_replication_slot('a', 's')", R"(the replication slot "s")"},
      {"select create_distributed_table_concurrently('t', 'a')",
       R"(the distribution of the table "t")"},
  };
  for (const ObjectKind& kind : kinds) {
    SCOPED_TRACE(kind.statement);
    Check(kind.statement,
          {
              {"not there", none, none, "run", kind.label + " is not there"},
              {"ours", none, ours, "done"},
              {"somebody else's", none, theirs, "refuse: " + kind.label + " was made by somebody"},
              {"there before", ours, ours, "refuse: " + kind.label + " was there before"},
              {"gone since", ours, none, "run", kind.label + " is not there"},
          });
  }
  Check("create database d",
        {{"half dropped", none, R"({"identity": "7", "matches": true, "half_dropped": true})",
          R"(refuse: the database "d" is there, half dropped)"}});
}

TEST(DropObject, IsDoneWhenItWasThereAndIsGone) {
  const std::string none = "{}";
  const std::string one = R"({"identity": "7"})";
  const std::string half = R"({"identity": "7", "half_dropped": true})";
  const std::string other = R"({"identity": "8"})";
  const ObjectKind kinds[] = {
      {"drop database if exists d with (force)", R"(the database "d")"},
      {"drop tablespace x", R"(the tablespace "x")"},
      {"drop subscription s", R"(the subscription "s")"},
      {"commit prepared 'x'", R"(the prepared transaction "x")"},
      {"rollback prepared 'x'", R"(the prepared transaction "x")"},
  };
  for (const ObjectKind& kind : kinds) {
    SCOPED_TRACE(kind.statement);
    Check(kind.statement, {
                              {"never there", none, none, "run"},
                              {"there", one, one, "run", kind.label + " is still there"},
                              {"gone", one, none, "done"},
                              {"half dropped", one, half, "run", kind.label + " is still there"},
                              {"another one now", one, other,
                               "refuse: " + kind.label + " is not the one that was there"},
                              {"came up since", none, one, "run"},
                          });
  }
}

TEST(ChangeOfState, IsDoneWhenItWasReachedSinceTheFirstIntent) {
  const std::string no = R"({"reached": false})";
  const std::string yes = R"({"reached": true})";
  const ObjectKind kinds[] = {
      {"alter database d set tablespace x", R"(the database "d" is not in the tablespace "x")"},
      {"alter subscription s add publication p",
       R"(the publications of the subscription "s" are not as the statement makes them)"},
      {"alter subscription s drop publication p",
       R"(the publications of the subscription "s" are not as the statement makes them)"},
      {"alter extension timescaledb update",
       "the extension timescaledb does not have the wanted version"},
  };
  for (const ObjectKind& kind : kinds) {
    SCOPED_TRACE(kind.statement);
    Check(kind.statement, {
                              {"not reached", no, no, "run", kind.label},
                              {"reached since", no, yes, "done"},
                              {"reached before", yes, yes, "run"},
                              {"nothing known", "{}", R"({"reached": null})", "run"},
                          });
  }
}

TEST(ContinuousAggregate, IsFilledWhenItIsThere) {
  const std::string none = R"({"view": null, "procedures": "ts"})";
  const std::string there = R"({"view": {"schema": "s", "name": "V"}, "procedures": "ts"})";
  const std::string unknown = R"({"view": {"schema": "s", "name": "V"}, "procedures": null})";
  Check("create materialized view if not exists \"V\" with (timescaledb.continuous) as select 1",
        {
            {"not there", none, none, "run", R"(the view "V" is not there)"},
            {"made, perhaps not filled", none, there,
             R"(run instead CALL "ts".refresh_continuous_aggregate('"s"."V"', NULL, NULL))"},
            {"procedures are not found", none, unknown,
             R"(run instead CALL refresh_continuous_aggregate('"s"."V"', NULL, NULL))"},
            {"there before", there, there, R"(refuse: the relation "s"."V" was there before)"},
        });
}

TEST(HarmlessStatement, IsRunAgain) {
  for (std::string_view statement :
       {"vacuum full t", "cluster", "cluster t using i", "reindex schema s", "reindex system",
        "reindex table t", "alter system set work_mem = '1MB'",
        "alter subscription s set publication p", "alter subscription s refresh publication",
        "alter subscription s set (failover)",
        "call refresh_continuous_aggregate('v', null, null)"}) {
    SCOPED_TRACE(statement);
    Check(std::string(statement), {{"anything", "{}", "{}", "run"}});
  }
}

TEST(MakeVerifier, HasOneForEveryKindButDiscardAll) {
  // Every kind stands in one of the tables above; here, that none of them is forgotten.
  for (const sql::NonTransactionalRule& rule : sql::NonTransactionalRules()) {
    sql::StatementFacts facts;
    facts.non_transactional = rule.rule;
    const auto unread = MakeVerifier("checkpoint", facts, true, false);
    const auto repeated = MakeVerifier("checkpoint", facts, true, true);
    const bool discard = rule.rule == sql::NonTransactional::kDiscardAll;
    EXPECT_EQ(repeated.has_value(), !discard) << rule.name;
    if (unread.has_value()) continue;
    const std::string& message = unread.error().message;
    EXPECT_EQ(unread.error().kind, ErrorKind::kInvalidArgument) << rule.name;
    EXPECT_THAT(message, HasSubstr(discard ? "DISCARD ALL" : std::string(rule.name)));
    EXPECT_THAT(message,
                HasSubstr(discard ? "take it out" : "`-- whimbrel: transaction=none idempotent`"));
  }
}

TEST(MakeVerifier, RefusesWhatCanNeitherBeVerifiedNorRepeated) {
  for (std::string_view statement :
       {"call p()", "do $$begin commit; end$$",
        "select pg_create_logical_replication_slot(name, 'pgoutput') from t",
        "select pg_create_logical_replication_slot(slot_name := 's', plugin := 'pgoutput')",
        "select create_distributed_table_concurrently(t::regclass, 'a') from x",
        "create index concurrently U&\"i\" on t (a)", "commit prepared E'x'"}) {
    const sql::StatementFacts facts = sql::Classify(statement);
    const auto refused = MakeVerifier(statement, facts, true, false);
    ASSERT_FALSE(refused.has_value()) << statement;
    EXPECT_EQ(refused.error().kind, ErrorKind::kInvalidArgument) << statement;
    EXPECT_EQ(refused.error().position, std::nullopt) << statement;
    EXPECT_THAT(refused.error().message, HasSubstr("`-- whimbrel: transaction=none idempotent`"))
        << statement;
    const auto allowed = MakeVerifier(statement, facts, true, true);
    ASSERT_TRUE(allowed.has_value()) << statement;
    EXPECT_EQ(ToText((*allowed)->Judge("{}", "{}")), "run") << statement;
  }
}

TEST(MakeVerifier, RunsWithIdempotentWhatItWouldRefuse) {
  const std::string statement = "create index concurrently if not exists i on t (a)";
  const auto verifier = MakeVerifier(statement, sql::Classify(statement), true, true);
  ASSERT_TRUE(verifier.has_value());
  EXPECT_EQ(ToText((*verifier)->Judge(kNotCompared, kNotCompared)), "run");
  EXPECT_EQ(ToText((*verifier)->Judge(kEqual, kEqual)), "done");
  // IF NOT EXISTS skips an invalid index: the author's word does not make it valid.
  EXPECT_EQ(ToText((*verifier)->Judge(kInvalid, kInvalid)), "run");
  EXPECT_EQ((*verifier)->Confirm(kInvalid, kInvalid), R"(the index "s"."i" is invalid)");
  EXPECT_EQ(Lines((*verifier)->AfterFailure(kInvalid, kInvalid)), "");
}

TEST(MakeVerifier, ReadsTheStatementAsTheServerDoes) {
  const sql::StatementFacts facts = sql::Classify("commit prepared 'a\\b'");
  EXPECT_TRUE(MakeVerifier("commit prepared 'a b'", facts, false, false).has_value());
  EXPECT_FALSE(MakeVerifier("commit prepared 'a\\b'", facts, false, false).has_value());
}

}  // namespace
}  // namespace whimbrel::engine
