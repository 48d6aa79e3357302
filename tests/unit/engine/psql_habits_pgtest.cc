#include <gtest/gtest.h>

#include <filesystem>

#include "support/temp_dir.h"
#include "unit/engine/pg_programs.h"
#include "unit/engine/run_fixture.h"

namespace whimbrel::engine {
namespace {

using whimbrel::testing::PgTarget;
using whimbrel::testing::SharedPostgres;
using whimbrel::testing::TempDir;

/// What a database is like after psql ran the numbered files, in their order.
std::string DumpAfterPsql(const std::filesystem::path& folder, const Files& files) {
  const PgTarget database = SharedPostgres().CreateDatabase();
  for (const auto& [path, text] : files) {
    const std::string name = std::filesystem::path(path).filename();
    if (name.find_first_of("0123456789") != 0) continue;
    const auto run =
        RunPgProgram("psql", {"-X", "-q", "-v", "ON_ERROR_STOP=1", "-f", path}, database, folder);
    EXPECT_EQ(run.exit_code, 0) << path << ": " << run.err;
  }
  return WithoutKeys(Dump(database));
}

std::string DumpAfterWhimbrel(const std::filesystem::path& folder) {
  const PgTarget database = SharedPostgres().CreateDatabase();
  report::RunRequest request = RequestFor(database, {});
  auto source = migration::OpenFolder(folder);
  if (!source) return source.error().ToString();
  request.source = *source;
  const report::RunReport report = Execute(request);
  if (!report.succeeded) return report.failure->position.ToString() + " " + report.failure->message;
  return WithoutKeys(Dump(database));
}

// Each set of files leaves psql and Whimbrel with the same database.
const std::vector<std::pair<const char*, Files>>& Habits() {
  static const std::vector<std::pair<const char*, Files>> habits = {
      {"files that include files",
       {{"001_a.sql", "\\i tables/t.sql\n\\ir tables/u.sql\nINSERT INTO u VALUES (2);\n"},
        {"002_b.sql", "\\include tables/data.sql\n\\include_relative tables/data.sql\n"},
        {"tables/data.sql",
         "\xEF\xBB\xBF"
         "COPY t FROM stdin;\n1\n\\i x\n:name\n\\.\n"},
        {"tables/t.sql", "CREATE TABLE t (id text)"},  // psql ends a statement with its file.
        {"tables/u.sql", "\\ir v.sql\nCREATE TABLE u (id int); -- no line end"},
        {"tables/v.sql", "CREATE TABLE v (id int);\r\n"}}},
      {"data that ends with its file",
       {{"001_a.sql", "CREATE TABLE t (a text, b text);\n\\i t.copy\nINSERT INTO t VALUES ('z');"},
        {"t.copy", "COPY t FROM stdin;\n1\ta\\\\b\n2\t\\N"}}},
      {"variables in all their forms", {{"001_a.sql", R"sql(
\set ON_ERROR_STOP on
\set QUIET 1
\set name 'It''s "x" \\ y'
\set schema app
\set n 3
\set sum ':n + :n' \echo two on a line
\set empty
\set words a b 'c d'
\set lines 'a\nb\tc\x41\102'
\set statement 'CREATE TABLE made_by_a_value (id int);'
\set table :schema .made
\echo :name :'n' \\ CREATE SCHEMA :schema; \warn 'to nobody'
\qecho nothing
:statement
CREATE TABLE :"name" (v text DEFAULT :'name', w text DEFAULT ':name', -- :name
    x int DEFAULT :n, y int DEFAULT :sum /* :n */, z text DEFAULT $$:name$$);
INSERT INTO :"name" DEFAULT VALUES;
CREATE TABLE :schema.t (v) AS SELECT unnest(ARRAY[:n, :sum, 4::int, (ARRAY[7, 8, 9])[(:n)]]);
CREATE TABLE :table (e text, w text, l text, unknown text);
INSERT INTO :table VALUES (:'empty', :'words', :'lines', ':unknown');
COPY :table FROM stdin;
:n	\\i	:'name'	\N
\echo	:"n"	\\	:
\.
CREATE FUNCTION :schema.f(a int) RETURNS int BEGIN ATOMIC SELECT a + :n; SELECT :n; END;
DO $do$ BEGIN PERFORM ':n'; END $do$;
\set n :n:n
INSERT INTO :schema.t VALUES (:n), (-:n), (:n::int);
)sql"}}},
      {"variables that an included file sets",
       {{"001_a.sql", "\\set base 1\n\\i vars.inc\nCREATE TABLE :t (v int DEFAULT :base);\n"},
        {"002_b.sql", "CREATE TABLE plain (v text DEFAULT ':t'); -- :t is forgotten\n"},
        {"vars.inc", "\\set t t_:base\n\\set base :base:base\n"}}},
      {"strings that may have escapes",
       {{"001_a.sql",
         "SET standard_conforming_strings = off;\n\\set v a'\\\\'b\nSET escape_string_warning = "
         "off;\n"
         "CREATE TABLE t (a text);\nINSERT INTO t VALUES ('\\':v'), (:'v');\n"}}},
  };
  return habits;
}

TEST(PsqlHabitsTest, LeaveTheSameDatabaseAsPsql) {
  if (const std::string why = WhyNoDump(SharedPostgres().CreateDatabase()); !why.empty())
    GTEST_SKIP() << why;
  for (const auto& [name, files] : Habits()) {
    const TempDir folder;
    for (const auto& [path, text] : files) folder.Write(path, text);
    EXPECT_EQ(DumpAfterWhimbrel(folder.path()), DumpAfterPsql(folder.path(), files)) << name;
  }
}

TEST(PsqlHabitsTest, AFailureStandsInTheFileThatAPersonWrote) {
  const struct {
    const char* name;
    Files files;
    const char* position;
  } cases[] = {
      {"in an included file",
       {{"001_a.sql", "SELECT 1;\n\\i sql/f.sql\n"}, {"sql/f.sql", "SELECT 1;\nSELECT\n  nope;\n"}},
       "sql/f.sql:3:3"},
      {"behind an included file",
       {{"001_a.sql", "\\i f.sql\nSELECT nope;\n"}, {"f.sql", "SELECT 1;\n\n\n"}},
       "001_a.sql:2:8"},
      {"a command that is not carried out",
       {{"001_a.sql", "\\ir f.sql\n"}, {"f.sql", "\n\n  \\connect x\n"}},
       "f.sql:3:3"},
      {"a statement that may not be in a migration",
       {{"001_a.sql", "\\i f.sql\n"}, {"f.sql", "\nSELECT pg_advisory_unlock_all();\n"}},
       "f.sql:2:1"},
      {"behind a variable's value",
       {{"001_a.sql", "\\set v 'a longer value'\nSELECT :'v', nope;\n"}},
       "001_a.sql:2:14"},
      {"in a step outside of a transaction",
       {{"001_a.sql", "SELECT 1;\n\\i f.sql\n"}, {"f.sql", "\nVACUUM nope;\n"}},
       "f.sql:2:1"},
  };
  for (const auto& c : cases) {
    const report::RunReport report =
        Execute(RequestFor(SharedPostgres().CreateDatabase(), c.files));
    ASSERT_TRUE(report.failure.has_value()) << c.name;
    EXPECT_EQ(report.failure->position.ToString(), c.position) << report.failure->message;
  }
}

}  // namespace
}  // namespace whimbrel::engine
