#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <sstream>

#include "support/temp_dir.h"
#include "unit/engine/pg_programs.h"
#include "unit/engine/run_fixture.h"

namespace whimbrel::engine {
namespace {

using whimbrel::testing::PgClient;
using whimbrel::testing::PgTarget;
using whimbrel::testing::SharedPostgres;
using whimbrel::testing::TempDir;

/// Large objects are dumped with BEGIN and COMMIT around their data.
constexpr char kLargeObjects[] = R"sql(
SELECT lo_from_bytea(70001, '\x00ff27');
SELECT lo_from_bytea(70002, decode(repeat('5c2e0a', 20000), 'hex'));
ALTER LARGE OBJECT 70001 OWNER TO dump_owner;
GRANT SELECT ON LARGE OBJECT 70001 TO "dump reader";
COMMENT ON LARGE OBJECT 70002 IS 'large; ''object''';
)sql";

void RunPsql(const PgTarget& database, const std::filesystem::path& file) {
  const auto run = RunPgProgram(
      "psql", {"-X", "-q", "-v", "ON_ERROR_STOP=1", "-o", "/dev/null", "-f", file}, database);
  if (run.exit_code != 0) throw std::runtime_error(run.err);
}

/// A database with objects of every kind.
PgTarget EveryKind() {
  const PgTarget database = SharedPostgres().CreateDatabase();
  RunPsql(database, WHIMBREL_SOURCE_DIR "/tests/unit/engine/every_object_kind.sql");
  return database;
}

/// The first lines that differ; dumps are too long to be read in a failure.
std::string FirstDifference(const std::string& a, const std::string& b) {
  std::istringstream left(a);
  std::istringstream right(b);
  std::string in_left;
  std::string in_right;
  for (int line = 1;; ++line) {
    const bool more_left = static_cast<bool>(std::getline(left, in_left));
    const bool more_right = static_cast<bool>(std::getline(right, in_right));
    if (!more_left && !more_right) return "";
    if (!more_left) in_left = "(end)";
    if (!more_right) in_right = "(end)";
    if (in_left == in_right && more_left == more_right) continue;
    return "line " + std::to_string(line) + ":\n  " + in_left + "\n  " + in_right;
  }
}

/// Applies a dump of `database`, and says how a dump of the result differs from one of the
/// database.
std::string DifferenceAfterMigration(const PgTarget& database,
                                     const std::vector<std::string>& options,
                                     const PgTarget& result) {
  const report::RunReport report =
      Execute(RequestFor(result, {{"001_dump.sql", Dump(database, options)}}));
  if (!report.succeeded) {
    return report.failure->position.ToString() + ": " + report.failure->message;
  }
  return FirstDifference(WithoutKeys(Dump(database)), WithoutKeys(Dump(result)));
}

TEST(DumpTest, GivesADatabaseWhoseDumpIsTheSame) {
  if (const std::string why = WhyNoDump(SharedPostgres().CreateDatabase()); !why.empty())
    GTEST_SKIP() << why;
  const PgTarget database = EveryKind();
  const std::vector<std::string> cases[] = {
      {},
      {"--inserts", "--disable-dollar-quoting"},
      {"--column-inserts", "--rows-per-insert=3", "--quote-all-identifiers"},
  };
  for (const auto& options : cases) {
    EXPECT_EQ(DifferenceAfterMigration(database, options, SharedPostgres().CreateDatabase()), "")
        << ::testing::PrintToString(options);
  }
}

TEST(DumpTest, TakesLargeObjectsWithTheirOwnTransactions) {
  if (const std::string why = WhyNoDump(SharedPostgres().CreateDatabase()); !why.empty())
    GTEST_SKIP() << why;
  const PgTarget database = EveryKind();
  const TempDir folder;
  RunPsql(database, folder.Write("large_objects.sql", kLargeObjects));
  EXPECT_EQ(DifferenceAfterMigration(database, {}, SharedPostgres().CreateDatabase()), "");
}

TEST(DumpTest, TakesTheRestrictLinesOfNewVersionsAndThoseOfNone) {
  if (const std::string why = WhyNoDump(SharedPostgres().CreateDatabase()); !why.empty())
    GTEST_SKIP() << why;
  const PgTarget database = SharedPostgres().CreateDatabase();
  PgClient(database).Exec("CREATE TABLE t (a text); INSERT INTO t VALUES ('\\restrict x')");
  const std::string dump = Dump(database);
  std::string plain = WithoutKeys(dump);
  for (const std::string line : {"\\restrict\n", "\\unrestrict\n"}) {
    if (const std::size_t at = plain.find("\n" + line); at != std::string::npos)
      plain.erase(at + 1, line.size());
  }
  const std::string restricted = "\\restrict 4ZzN9 \n" + plain + "\n\\unrestrict 4ZzN9\n";
  for (const std::string& text : {plain, restricted}) {
    const PgTarget result = SharedPostgres().CreateDatabase();
    EXPECT_EQ(Ending(Execute(RequestFor(result, {{"1.sql", text}}))), "Succeeded 1");
    EXPECT_EQ(FirstDifference(WithoutKeys(dump), WithoutKeys(Dump(result))), "");
  }
}

TEST(DumpTest, SetsNothingForTheBookkeepingOrTheNextFile) {
  if (const std::string why = WhyNoDump(SharedPostgres().CreateDatabase()); !why.empty())
    GTEST_SKIP() << why;
  const PgTarget database = SharedPostgres().CreateDatabase();
  const std::string preamble = Dump(SharedPostgres().CreateDatabase());
  ASSERT_THAT(preamble, ::testing::HasSubstr("SET lock_timeout = 0;"));
  ASSERT_THAT(preamble, ::testing::HasSubstr("set_config('search_path', '', false)"));
  const std::string see =
      " AS SELECT current_setting('lock_timeout') AS lock_timeout, "
      "current_setting('statement_timeout') AS statement_timeout, "
      "current_setting('search_path') AS search_path;\n";
  report::RunRequest request =
      RequestFor(database, {{"001_dump.sql", preamble + "CREATE TABLE public.within" + see},
                            {"002_next.sql", "CREATE TABLE after" + see}});
  request.execution.statement_timeout = std::chrono::seconds(77);
  EXPECT_EQ(Ending(Execute(request)), "Succeeded 002");
  PgClient sql(database);
  EXPECT_EQ(sql.Text("TABLE public.within"), "200ms|77s|");
  EXPECT_EQ(sql.Text("TABLE public.after"), "200ms|77s|\"$user\", public");
}

}  // namespace
}  // namespace whimbrel::engine
