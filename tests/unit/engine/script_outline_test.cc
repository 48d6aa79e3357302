#include "engine/script_outline.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "engine/script_stream.h"

namespace whimbrel::engine {
namespace {

using testing::HasSubstr;

migration::Script ScriptOf(const std::string& text) {
  migration::MemorySourceBuilder builder;
  EXPECT_TRUE(builder.Add("1_x.sql", text, "a test").has_value());
  std::shared_ptr<const migration::Source> source = std::move(builder).Build();
  migration::Script script;
  script.file = source->files.front();
  script.end = text.size();
  script.start = {.file = "1_x.sql", .line = 1, .column = 1};
  return script;
}

void AppendStatements(ScriptStream& stream, std::string& out) {
  while (true) {
    Result<std::optional<postgres::StreamStatement>> next = stream.Next();
    if (!next) {
      out += next.error().ToString();
      return;
    }
    if (!*next) return;
    out += std::string((*next)->text) + "; ";
    if (!(*next)->copy_from_stdin) continue;
    while (true) {
      Result<std::string_view> data = stream.NextCopyData();
      EXPECT_TRUE(data.has_value());
      if (data->empty()) break;
      out += "<" + std::string(*data) + "> ";
    }
  }
}

/// What would be sent, or the error. A file of several steps: `{…}` around each transaction, `!`
/// before a statement outside of any.
std::string Sent(const std::string& text,
                 sql::TransactionMode mode = sql::TransactionMode::kDefault) {
  const migration::Script script = ScriptOf(text);
  Result<ScriptOutline> outline = OutlineScript(script, {.transaction = mode});
  if (!outline) return outline.error().ToString();
  const std::chrono::milliseconds none(0);
  auto stream = ScriptStream::Open(script, *outline, {.timeouts = Timeouts(none, none)});
  EXPECT_TRUE(stream.has_value());
  std::string out;
  for (std::size_t i = 0; i < outline->steps.size(); ++i) {
    const ScriptStep& step = outline->steps[i];
    const bool braces = !outline->is_one_transaction() && !step.single;
    if (step.single) out += "!";
    if (!step.transaction_modes.empty()) out += "[" + step.transaction_modes + "] ";
    if (braces) out += "{";
    (*stream)->EnterStep(i);
    AppendStatements(**stream, out);
    if (braces) out += "} ";
  }
  return out;
}

struct Accepted {
  const char* name;
  const char* text;
  const char* sent;
};
class AcceptedScripts : public testing::TestWithParam<Accepted> {};

TEST_P(AcceptedScripts, AreSentWithoutTheirOwnTransaction) {
  EXPECT_EQ(Sent(GetParam().text), GetParam().sent);
}

INSTANTIATE_TEST_SUITE_P(
    Cases, AcceptedScripts,
    testing::ValuesIn({
        Accepted{"Plain", "create table a(); create table b();",
                 "create table a(); create table b(); "},
        Accepted{"OnlyComments", "-- nothing\n", ""},
        Accepted{"OwnPair", "BEGIN;\ncreate table a();\nCOMMIT;\n", "create table a(); "},
        Accepted{"OwnPairWithOtherWords", "start transaction; select 1; end;", "select 1; "},
        Accepted{"ModesOfTheOwnBegin", "begin isolation level serializable; select 1; commit;",
                 "[isolation level serializable] select 1; "},
        Accepted{"LeadingSetTransaction",
                 "set transaction isolation level repeatable read; select 1;",
                 "[isolation level repeatable read] select 1; "},
        Accepted{"SetBeforeThePair", "set search_path = x; begin; select 1; commit;",
                 "set search_path = x; select 1; "},
        Accepted{"Savepoints", "savepoint a; select 1; rollback to a; release a;",
                 "savepoint a; select 1; rollback to a; release a; "},
        Accepted{"TimeoutsArePutBack", "set statement_timeout = 0; select 1;",
                 "set statement_timeout = 0; SET LOCAL lock_timeout = 0; SET LOCAL "
                 "statement_timeout = 0; SET LOCAL idle_in_transaction_session_timeout = 60000; "
                 "select 1; "},
        Accepted{"CopyData", "copy t from stdin;\n1\ta\n2\tb\n\\.\nselect 1;",
                 "copy t from stdin; <1\ta\n2\tb\n> select 1; "},
        Accepted{"FunctionBodiesMayBegin",
                 "create function f() returns void language plpgsql as $$ begin end $$;",
                 "create function f() returns void language plpgsql as $$ begin end $$; "},
    }),
    [](const auto& param) { return param.param.name; });

INSTANTIATE_TEST_SUITE_P(
    Steps, AcceptedScripts,
    testing::ValuesIn({
        Accepted{"IndexConcurrentlyAlone", "create index concurrently i on t(a);",
                 "!create index concurrently i on t(a); "},
        Accepted{"TransactionsAroundASingle",
                 "create table a(); create table b(); vacuum a; create table c();",
                 "{create table a(); create table b(); } !vacuum a; {create table c(); } "},
        Accepted{"Blocks", "begin; select 1; select 2; commit; begin; select 3; end;",
                 "{select 1; select 2; } {select 3; } "},
        Accepted{"StatementsAroundABlock", "select 0; begin; select 1; commit; select 2; select 3;",
                 "{select 0; } {select 1; } {select 2; select 3; } "},
        Accepted{"SettingsGoWithTheBlockBeforeThem",
                 "set a = 1; begin; select 1; commit; set b = 1; begin; select 2; commit;",
                 "{set a = 1; select 1; set b = 1; } {select 2; } "},
        Accepted{"ModesOfEachBlock",
                 "begin isolation level serializable; select 1; commit; begin; select 2; commit;",
                 "[isolation level serializable] {select 1; } {select 2; } "},
        Accepted{
            "ChainBeginsTheNextBlock",
            "begin isolation level serializable; select 1; commit and chain; select 2; commit;",
            "[isolation level serializable] {select 1; } [isolation level serializable] "
            "{select 2; } "},
        Accepted{"NoneIsAStatementEach",
                 "-- whimbrel: file transaction=none\nselect 1; set a = 1; select 2; select 3;",
                 "{select 1; } {set a = 1; select 2; } {select 3; } "},
        Accepted{"NoneOfOneStatement",
                 "select 1;\n-- whimbrel: transaction=none\nselect 2;\nselect 3; select 4;",
                 "{select 1; } {select 2; } {select 3; select 4; } "},
        Accepted{
            "CallIsInATransactionUnlessItMayBeRepeated",
            "-- whimbrel: transaction=none\ncall p();\n-- whimbrel: transaction=none idempotent"
            "\ncall q();",
            "{call p(); } !call q(); "},
        Accepted{"ReindexOfATableThatMayBePartitioned",
                 "reindex table a;\n-- whimbrel: transaction=none\nreindex table b;",
                 "{reindex table a; } !reindex table b; "},
        Accepted{"NewEnumValueStaysInTheTransaction", "alter type m add value 'x'; select 1;",
                 "alter type m add value 'x'; select 1; "},
        Accepted{"NewEnumValueIsCommittedWhereThereAreStepsAnyway",
                 "alter type m add value 'x'; select 1; vacuum;",
                 "{alter type m add value 'x'; } {select 1; } !vacuum; "},
        Accepted{
            "OwnTimeoutsOfAStatement", "-- whimbrel: lock-timeout=5s\nselect 1;\nselect 2;",
            "SET LOCAL lock_timeout = 5000; SET LOCAL statement_timeout = 0; SET LOCAL "
            "idle_in_transaction_session_timeout = 60000; select 1; SET LOCAL lock_timeout = 0; "
            "SET LOCAL statement_timeout = 0; SET LOCAL idle_in_transaction_session_timeout = "
            "60000; select 2; "},
    }),
    [](const auto& param) { return param.param.name; });

TEST(ScriptOutline, FollowsThePolicyOfTheResource) {
  EXPECT_EQ(Sent("select 1; select 2;", sql::TransactionMode::kNone), "{select 1; } {select 2; } ");
  EXPECT_EQ(
      Sent("-- whimbrel: file transaction=one\nselect 1; select 2;", sql::TransactionMode::kNone),
      "select 1; select 2; ");
  EXPECT_THAT(Sent("begin isolation level serializable; commit;", sql::TransactionMode::kOne),
              HasSubstr("isolation level serializable"));
  EXPECT_THAT(Sent("vacuum;", sql::TransactionMode::kOne),
              HasSubstr("execution.transaction is All"));
}

TEST(ScriptOutline, RemembersWhatLaterStepsHaveToFind) {
  const migration::Script script = ScriptOf(
      "set search_path = a; set local b = 1; select set_config('c', 'd', false); vacuum; reset x;");
  const Result<ScriptOutline> outline = OutlineScript(script, {});
  ASSERT_TRUE(outline.has_value());
  EXPECT_THAT(outline->steps[0].session_settings,
              testing::ElementsAre("set search_path = a", "select set_config('c', 'd', false)"));
}

struct Refused {
  const char* name;
  const char* text;
  const char* position;
  const char* says;
};
class RefusedScripts : public testing::TestWithParam<Refused> {};

TEST_P(RefusedScripts, AreNamedWithTheirPosition) {
  const std::string message = Sent(GetParam().text);
  EXPECT_THAT(message, HasSubstr(GetParam().position));
  EXPECT_THAT(message, HasSubstr(GetParam().says));
}

INSTANTIATE_TEST_SUITE_P(
    Cases, RefusedScripts,
    testing::ValuesIn({
        Refused{"NeverCommitted", "begin; select 1;", "1_x.sql:1:1", "never commits"},
        Refused{"LoneCommit", "select 1; commit;", "1_x.sql:1:11", "without a BEGIN"},
        Refused{"Rollback", "select 1; rollback;", "1_x.sql:1:11", "takes back"},
        Refused{"BeginInABlock", "begin; select 1;\nbegin; commit;", "1_x.sql:2:1", "line 1"},
        Refused{"ChainThatNeverEnds", "begin; select 1; commit and chain;", "1_x.sql:1:18",
                "never commits"},
        Refused{"IndexConcurrentlyInABlock",
                "begin;\n  create index concurrently i on t(a); commit;", "1_x.sql:2:3",
                "CREATE INDEX CONCURRENTLY cannot run inside a transaction"},
        Refused{"TwoTransactionsWhereOneIsAskedFor",
                "-- whimbrel: file transaction=one\nselect 1; vacuum t;", "1_x.sql:2:11",
                "transaction=one"},
        Refused{"PrepareTransaction", "prepare transaction 'x';", "1_x.sql:1:1",
                "PREPARE TRANSACTION"},
        Refused{"TemporaryTableBeforeALaterStep", "create temp table t(a int);\nvacuum;",
                "1_x.sql:1:1", "lives in the session"},
        Refused{"DirectiveBeforeBegin", "-- whimbrel: lock-timeout=1s\nbegin; select 1; commit;",
                "1_x.sql:2:1", "begins or ends"},
        Refused{"ReadOnly", "begin read only; select 1; commit;", "1_x.sql:1:1", "READ ONLY"},
        Refused{"DiscardAll", "discard all;", "1_x.sql:1:1", "own lock"},
        Refused{"UnlockAll", "select pg_advisory_unlock_all();", "1_x.sql:1:1", "lock"},
        Refused{"Unterminated", "select 'abc;", "1_x.sql:1:8", "not closed"},
    }),
    [](const auto& param) { return param.param.name; });

}  // namespace
}  // namespace whimbrel::engine
