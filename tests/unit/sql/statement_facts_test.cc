#include "whimbrel/sql/statement_facts.h"

#include <gtest/gtest.h>

#include <string>
#include <vector>

namespace whimbrel::sql {
namespace {

struct TransactionCase {
  std::string_view statement;
  TransactionVerb verb;
  std::string_view modes = "";
  bool chain = false;
};

TEST(Classify, KnowsTransactionControlInAllItsSpellings) {
  using enum TransactionVerb;
  static constexpr TransactionCase kCases[] = {
      {"begin", kBegin},
      {"BEGIN WORK", kBegin},
      {"begin/**/transaction isolation level serializable, read only", kBegin,
       "isolation level serializable, read only"},
      {"begin read write -- x\n", kBegin, "read write -- x"},
      {"start transaction", kBegin},
      {"START TRANSACTION DEFERRABLE", kBegin, "DEFERRABLE"},
      {"commit", kCommit},
      {"commit work and no chain", kCommit},
      {"commit and chain", kCommit, "", true},
      {"end", kCommit},
      {"end transaction and chain", kCommit, "", true},
      {"rollback", kRollback},
      {"rollback transaction and chain", kRollback, "", true},
      {"abort", kRollback},
      {"abort work", kRollback},
      {"savepoint a", kSavepoint},
      {"release a", kRelease},
      {"release savepoint a", kRelease},
      {"rollback to a", kRollbackTo},
      {"rollback work to savepoint a", kRollbackTo},
      {"prepare transaction 'x'", kPrepareTransaction},
      {"commit prepared 'x'", kCommitPrepared},
      {"rollback prepared 'x'", kRollbackPrepared},
      {"start", kNone},
      {"\"begin\"", kNone},
      {"prepare transaction as select 1", kNone},
      {"prepare commit as select 1", kNone},
      {"select 1 as begin", kNone},
      {"do $$ begin commit; end $$", kNone},
      {"create function f() begin atomic select 1; end", kNone},
  };
  for (const TransactionCase& row : kCases) {
    const TransactionControl control = Classify(row.statement).transaction;
    EXPECT_EQ(control.verb, row.verb) << row.statement;
    EXPECT_EQ(control.modes, row.modes) << row.statement;
    EXPECT_EQ(control.chain, row.chain) << row.statement;
  }
}

struct SettingsCase {
  std::string_view statement;
  std::vector<SettingChange> settings;
};

TEST(Classify, ReadsLiteralSettings) {
  constexpr auto kLocal = SettingScope::kTransaction;
  const std::vector<SettingsCase> cases = {
      {"set search_path = a, \"B\"", {{"search_path", "a, \"B\""}}},
      {"SET Search_Path TO 'x'", {{"search_path", "x"}}},
      {"set session work_mem = '1MB'", {{"work_mem", "1MB"}}},
      {"set local lock_timeout to 500", {{"lock_timeout", "500", kLocal}}},
      {"set a.b = On", {{"a.b", "on"}}},
      {"set x to default", {{"x", std::nullopt}}},
      {"set x = 'default'", {{"x", "default"}}},
      {"set x from current", {{"x", "from current"}}},
      {"set x = -1", {{"x", "-1"}}},
      {"set x = E'a\\n'", {{"x", "E'a\\n'"}}},
      {"set names 'latin1'", {{"client_encoding", "latin1"}}},
      {"set names", {{"client_encoding", ""}}},
      {"set schema 's'", {{"search_path", "s"}}},
      {"set time zone 'UTC'", {{"timezone", "UTC"}}},
      {"set local time zone local", {{"timezone", std::nullopt, kLocal}}},
      {"set time zone interval '1' hour", {{"timezone", "interval '1' hour"}}},
      {"set role none", {{"role", "none"}}},
      {"set local role \"R\"", {{"role", "R", kLocal}}},
      {"set role = x", {{"role", "x"}}},
      {"set role to x", {{"role", "x"}}},
      {"set session authorization x", {{"session_authorization", "x"}}},
      {"set session session authorization default", {{"session_authorization", std::nullopt}}},
      {"set local session authorization 'x'", {{"session_authorization", "x", kLocal}}},
      {"set xml option content", {{"xmloption", "content"}}},
      {"set transaction isolation level serializable, read only",
       {{"transaction", "isolation level serializable, read only", kLocal}}},
      {"set session characteristics as transaction read write",
       {{"session_characteristics", "read write"}}},
      {"reset search_path", {{"search_path", std::nullopt}}},
      {"reset all", {{"all", std::nullopt}}},
      {"reset role", {{"role", std::nullopt}}},
      {"reset session authorization", {{"session_authorization", std::nullopt}}},
      {"reset time zone", {{"timezone", std::nullopt}}},
      {"reset a.b", {{"a.b", std::nullopt}}},
      {"select set_config('Search_Path', '', false)", {{"search_path", ""}}},
      {"select pg_catalog.set_config('a', 'b', true), set_config('c', 'd', false)",
       {{"a", "b", kLocal}, {"c", "d"}}},
      {"select set_config('a', b, false)", {}},
      {"select set_config('a', 'b', false) from t", {}},
      {"select set_config('a', 'b', not true)", {}},
      {"set constraints all deferred", {}},
      {"update t set a = 1", {}},
      {"alter table t set (fillfactor = 70)", {}},
      {"alter role r set search_path = x", {}},
      {"\"set\" x = 1", {}},
  };
  for (const SettingsCase& row : cases)
    EXPECT_EQ(Classify(row.statement).settings, row.settings) << row.statement;
}

TEST(Classify, KnowsWhatCanChangeLexing) {
  for (std::string_view statement :
       {"set standard_conforming_strings = off", "set local client_encoding to latin1",
        "set names 'latin1'", "reset all", "reset client_encoding", "discard all",
        "select set_config('standard_conforming_strings', 'off', false)",
        "select set_config(a, b, false) from t",
        "with x as (select set_config(a, 'b', true) from t) select * from x",
        "insert into t values (pg_catalog . set_config ('a', x, false))",
        "(select set_config(a, 'b', true) from t)",
        "create table u as select set_config(a, 'b', true) from t", "do $$ begin end $$",
        "call f()", "execute p", "commit", "rollback", "rollback to a",
        "prepare transaction 'x'"}) {
    EXPECT_TRUE(Classify(statement).may_change_lexing) << statement;
  }
  for (std::string_view statement :
       {"set search_path = x", "select set_config('search_path', '', false)",
        "select 'set_config('", "select set_config from t",
        "create function f() returns text begin atomic select "
        "set_config('standard_conforming_strings', 'off', false); end",
        "create view v as select set_config(a, 'b', true) from t", "discard plans", "begin",
        "savepoint a", "release a", "create table set_config (a int)",
        "insert into set_config (a) values (1)",
        "alter system set standard_conforming_strings = off", "select 1"}) {
    EXPECT_FALSE(Classify(statement).may_change_lexing) << statement;
  }
}

TEST(Classify, FollowsLiteralChangesOfTheStringSyntax) {
  const auto after = [](std::string_view statement, bool now) {
    return StandardConformingStringsAfter(Classify(statement), now, true);
  };
  EXPECT_FALSE(after("set standard_conforming_strings = off", true));
  EXPECT_TRUE(after("set local standard_conforming_strings to 'on'", false));
  EXPECT_TRUE(after("reset standard_conforming_strings", false));
  EXPECT_TRUE(after("reset all", false));
  EXPECT_TRUE(after("discard all", false));
  EXPECT_FALSE(after("select set_config('standard_conforming_strings', 'no', false)", true));
  EXPECT_FALSE(after("set search_path = x", false));
  EXPECT_TRUE(after("set standard_conforming_strings = nonsense", true));
}

TEST(Classify, KnowsWhichCopyUsesTheConnection) {
  EXPECT_TRUE(Classify("copy s.\"T\" (a, b) from stdin with (format csv)").copy_from_stdin);
  EXPECT_TRUE(Classify("COPY BINARY t FROM STDOUT").copy_from_stdin);
  EXPECT_TRUE(Classify("copy t to stdout").copy_to_stdout);
  EXPECT_TRUE(Classify("copy (select ')' from t) to stdin").copy_to_stdout);
  for (std::string_view statement :
       {"copy t from 'file'", "copy t to program 'stdout'", "copy t from \"stdin\"",
        "copy t (stdin) to 'x'", "copy (select 1 from stdin) to 'x'", "copy t"}) {
    EXPECT_FALSE(Classify(statement).copy_from_stdin || Classify(statement).copy_to_stdout)
        << statement;
  }
}

TEST(Classify, KnowsWhatMakesATransactionReadOnly) {
  for (std::string_view statement :
       {"begin read only", "start transaction isolation level serializable, read only",
        "set transaction read only", "set session characteristics as transaction read only",
        "set transaction_read_only = on", "set local default_transaction_read_only to tru",
        "select set_config('transaction_read_only', '1', true)"}) {
    EXPECT_TRUE(Classify(statement).sets_read_only) << statement;
  }
  for (std::string_view statement :
       {"begin", "begin read write", "begin read only read write",
        "set transaction isolation level serializable", "set default_transaction_read_only = off",
        "reset transaction_read_only", "select 'read only'"}) {
    EXPECT_FALSE(Classify(statement).sets_read_only) << statement;
  }
}

TEST(Classify, KnowsWhatTouchesAllTables) {
  for (std::string_view statement :
       {"vacuum", "vacuum full freeze verbose analyze", "vacuum (analyze)", "analyze",
        "analyze verbose", "analyse (skip_locked)", "cluster", "cluster (verbose)",
        "reindex schema s", "reindex (verbose) database", "reindex system d"}) {
    EXPECT_TRUE(Classify(statement).touches_all_tables) << statement;
  }
  for (std::string_view statement : {"vacuum t", "vacuum (full) t", "analyze t", "analyze full",
                                     "cluster t", "reindex table t", "select 1"}) {
    EXPECT_FALSE(Classify(statement).touches_all_tables) << statement;
  }
}

struct SessionStateCase {
  std::string_view statement;
  SessionState state;
};

TEST(Classify, KnowsWhatIsLeftInTheSession) {
  using enum SessionState;
  static constexpr SessionStateCase kCases[] = {
      {"create temp table t (a int)", kTemporaryObject},
      {"create local temporary table t (a int)", kTemporaryObject},
      {"create or replace temp view v as select 1", kTemporaryObject},
      {"create temporary sequence s", kTemporaryObject},
      {"create table pg_temp.t (a int)", kTemporaryObject},
      {"create function pg_temp.f() returns int return 1", kTemporaryObject},
      {"select 1 into temp t", kTemporaryObject},
      {"with x as (select 1) select * into local temporary t from x", kTemporaryObject},
      {"create table temp (a int)", kNone},
      {"create table t (a pg_temp.x)", kNone},
      {"create index on t (temp)", kNone},
      {"select 1 into t", kNone},
      {"prepare p as select 1", kPreparedStatement},
      {"prepare transaction (int) as select 1", kPreparedStatement},
      {"prepare transaction 'x'", kNone},
      {"declare c cursor with hold for select 1", kHeldCursor},
      {"declare c no scroll cursor without hold for select 1", kNone},
      {"declare c cursor for select 1 -- with hold", kNone},
      {"listen x", kListen},
      {"unlisten x", kNone},
  };
  for (const SessionStateCase& row : kCases)
    EXPECT_EQ(Classify(row.statement).session_state, row.state) << row.statement;
}

TEST(Classify, KnowsWhatTakesTheRunnersLocks) {
  constexpr auto kReleases = SessionHazard::kReleasesAdvisoryLocks;
  EXPECT_EQ(Classify("discard all").hazard, kReleases);
  EXPECT_EQ(Classify("select pg_advisory_unlock_all()").hazard, kReleases);
  EXPECT_EQ(Classify("select * from pg_catalog.pg_advisory_unlock_all()").hazard, kReleases);
  EXPECT_EQ(Classify("select pg_advisory_unlock(1)").hazard, SessionHazard::kNone);
  EXPECT_EQ(Classify("create function f() returns void return pg_advisory_unlock_all()").hazard,
            SessionHazard::kNone);
}

TEST(Classify, ReadsBackslashesAsTheServerIsSet) {
  constexpr std::string_view kStatement = R"(select 'a\', set_config(b, c, false), ')')";
  EXPECT_TRUE(Classify(kStatement).may_change_lexing);
  EXPECT_FALSE(Classify(kStatement, false).may_change_lexing);
}

TEST(Classify, SurvivesWhatIsNoSql) {
  for (std::string_view statement : {"",
                                     "(",
                                     "create",
                                     "alter subscription s set (",
                                     "reindex (",
                                     "set",
                                     "set local",
                                     "set a.",
                                     "reset",
                                     "copy",
                                     "copy (",
                                     "copy t (",
                                     "select set_config('a'",
                                     "select set_config('a', 'b', true",
                                     "select pg_catalog.",
                                     "declare",
                                     "prepare",
                                     "alter extension",
                                     "create materialized view",
                                     "create materialized view v with (a.",
                                     "'",
                                     "begin 'x",
                                     "with",
                                     "create or"}) {
    const StatementFacts facts = Classify(statement);
    EXPECT_EQ(facts.hazard, SessionHazard::kNone) << statement;
  }
}

TEST(ParseBoolean, ReadsWhatPostgresReads) {
  for (std::string_view value : {"on", "ON", "true", "t", "tr", "yes", "y", "1"})
    EXPECT_EQ(ParseBoolean(value), true) << value;
  for (std::string_view value : {"off", "of", "false", "f", "no", "n", "0"})
    EXPECT_EQ(ParseBoolean(value), false) << value;
  for (std::string_view value : {"", "o", "2", "ons", "10"})
    EXPECT_EQ(ParseBoolean(value), std::nullopt) << value;
}

}  // namespace
}  // namespace whimbrel::sql
