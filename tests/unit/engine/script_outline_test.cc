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

/// What would be sent, `;` between statements, or the error.
std::string Sent(const std::string& text) {
  const migration::Script script = ScriptOf(text);
  Result<ScriptOutline> outline = OutlineScript(script, true);
  if (!outline) return outline.error().ToString();
  auto stream = ScriptStream::Open(script, *outline, true, "SET LOCAL ours");
  EXPECT_TRUE(stream.has_value());
  std::string out =
      outline->transaction_modes.empty() ? "" : "[" + outline->transaction_modes + "] ";
  while (true) {
    Result<std::optional<postgres::StreamStatement>> next = (*stream)->Next();
    if (!next) return next.error().ToString();
    if (!*next) return out;
    out += std::string((*next)->text) + "; ";
    if (!(*next)->copy_from_stdin) continue;
    while (true) {
      Result<std::string_view> data = (*stream)->NextCopyData();
      EXPECT_TRUE(data.has_value());
      if (data->empty()) break;
      out += "<" + std::string(*data) + "> ";
    }
  }
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
                 "set statement_timeout = 0; SET LOCAL ours; select 1; "},
        Accepted{"CopyData", "copy t from stdin;\n1\ta\n2\tb\n\\.\nselect 1;",
                 "copy t from stdin; <1\ta\n2\tb\n> select 1; "},
        Accepted{"FunctionBodiesMayBegin",
                 "create function f() returns void language plpgsql as $$ begin end $$;",
                 "create function f() returns void language plpgsql as $$ begin end $$; "},
    }),
    [](const auto& param) { return param.param.name; });

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
        Refused{"IndexConcurrently", "select 1;\n  create index concurrently i on t(a);",
                "1_x.sql:2:3", "CREATE INDEX CONCURRENTLY"},
        Refused{"Vacuum", "vacuum t;", "1_x.sql:1:1", "VACUUM"},
        Refused{"TwoBlocks", "begin; select 1; commit; begin; select 2; commit;", "1_x.sql:1:26",
                "second BEGIN"},
        Refused{"StatementAfterCommit", "begin; select 1; commit; select 2;", "1_x.sql:1:26",
                "after its COMMIT"},
        Refused{"StatementBeforeBegin", "select 0; begin; select 1; commit;", "1_x.sql:1:11",
                "before its BEGIN"},
        Refused{"NeverCommitted", "begin; select 1;", "1_x.sql:1:1", "never commits"},
        Refused{"LoneCommit", "select 1; commit;", "1_x.sql:1:11", "without a BEGIN"},
        Refused{"Rollback", "select 1; rollback;", "1_x.sql:1:11", "ends the transaction"},
        Refused{"CommitAndChain", "begin; select 1; commit and chain;", "1_x.sql:1:18",
                "AND CHAIN"},
        Refused{"ReadOnly", "begin read only; select 1; commit;", "1_x.sql:1:1", "READ ONLY"},
        Refused{"DiscardAll", "discard all;", "1_x.sql:1:1", "DISCARD ALL"},
        Refused{"UnlockAll", "select pg_advisory_unlock_all();", "1_x.sql:1:1", "lock"},
        Refused{"Unterminated", "select 'abc;", "1_x.sql:1:8", "not closed"},
    }),
    [](const auto& param) { return param.param.name; });

}  // namespace
}  // namespace whimbrel::engine
