#include "unit/engine/verifier_fixture.h"

namespace whimbrel::engine {
namespace {

using ::testing::ContainsRegex;
using ::testing::HasSubstr;
using ::testing::StartsWith;

class VerifierIndexTest : public VerifierFixture {
 protected:
  VerifierIndexTest() {
    observer_.Exec("CREATE TABLE t (a int, b text, c int); INSERT INTO t VALUES (1, 'x', 1)");
  }
  /// Name and validity of each index of t, or of its TOAST table, in order.
  std::string Indexes(const std::string& table = "'t'::regclass") {
    return observer_.Text(
        "SELECT string_agg(indexrelid::regclass::text || CASE WHEN indisvalid THEN '' ELSE '!' "
        "END, ' ' ORDER BY indexrelid::regclass::text) FROM pg_index WHERE indrelid = " +
        table);
  }
};

TEST_F(VerifierIndexTest, BuildsAnIndexAgainWhoseBuildWasKilled) {
  for (const std::string statement :
       {"create index concurrently i on t (a)",
        "create index concurrently if not exists i on public.t (a)"}) {
    const std::string found = Find(statement);
    EXPECT_EQ(Judge(statement, found), "run");
    Interrupt(statement, "INSERT INTO t VALUES (2)");
    EXPECT_EQ(Indexes(), "i!");
    EXPECT_EQ(Judge(statement, found),
              R"(run after DROP INDEX CONCURRENTLY IF EXISTS "public"."i")");
    EXPECT_EQ(CarryOut(statement, found), "");
    EXPECT_EQ(Indexes(), "i");
    EXPECT_EQ(Judge(statement, found), "done");
    observer_.Exec("DROP INDEX i");
  }
}

TEST_F(VerifierIndexTest, RefusesAnInvalidIndexThatIsOlderThanTheMigration) {
  const std::string statement = "create index concurrently if not exists i on t (a)";
  Interrupt(statement, "INSERT INTO t VALUES (2)");
  const std::string found = Find(statement);
  EXPECT_THAT(Judge(statement, found), StartsWith(R"(refuse: the index "public"."i" is invalid)"));
}

TEST_F(VerifierIndexTest, DropsWhatABuildLeftThatCannotSucceed) {
  observer_.Exec("INSERT INTO t VALUES (1)");
  const std::string statement = "create unique index concurrently \"I\" on t (a)";
  const auto verifier = VerifierOf(statement);
  const std::string found = Find(*verifier);
  EXPECT_EQ(observer_.SqlstateOf(statement), "23505");
  EXPECT_EQ(Indexes(), "\"I\"!");
  const std::vector<std::string> drops = verifier->AfterFailure(found, Find(*verifier));
  ASSERT_EQ(Lines(drops), R"(DROP INDEX CONCURRENTLY IF EXISTS "public"."I")");
  Execute(drops[0]);
  EXPECT_EQ(Indexes(), "");
  EXPECT_EQ(Lines(verifier->AfterFailure(found, Find(*verifier))), "");
}

TEST_F(VerifierIndexTest, KnowsAnUnnamedIndexByItsDefinition) {
  observer_.Exec("CREATE INDEX t_a_idx ON t (a); CREATE INDEX ON t (c)");
  const std::string statement = "create index concurrently on t (a)";
  const std::string found = Find(statement);
  EXPECT_EQ(Judge(statement, found), "run");
  Interrupt(statement, "INSERT INTO t VALUES (2)");
  EXPECT_EQ(Indexes(), "t_a_idx t_a_idx1! t_c_idx");
  observer_.Exec("CREATE INDEX other ON t (b)");
  EXPECT_EQ(Judge(statement, found),
            R"(run after DROP INDEX CONCURRENTLY IF EXISTS "public"."t_a_idx1")");
  EXPECT_EQ(CarryOut(statement, found), "");
  EXPECT_EQ(Indexes(), "other t_a_idx t_a_idx1 t_c_idx");
  EXPECT_EQ(Judge(statement, found), "done");
}

struct DefinitionCase {
  std::string there;      ///< Behind CREATE.
  std::string statement;  ///< Behind CREATE INDEX CONCURRENTLY, or UNIQUE.
  bool equal;
};

TEST_F(VerifierIndexTest, LetsTheServerJudgeWhetherIndexesAreEqual) {
  observer_.Exec(
      "CREATE SCHEMA s; CREATE TABLE s.t (LIKE t); CREATE FUNCTION s.f(int) RETURNS int LANGUAGE "
      "sql IMMUTABLE AS 'SELECT $1'");
  const DefinitionCase cases[] = {
      {"INDEX i ON t (a)", "index concurrently i on t using btree (a asc nulls last)", true},
      {"INDEX i ON t (a)", "index concurrently i on only t /* x */ (\"a\")", true},
      {"INDEX i ON t (a)", "index concurrently i on t (a desc)", false},
      {"INDEX i ON t (a)", "index concurrently i on t (c)", false},
      {"INDEX i ON t (a)", "unique index concurrently i on t (a)", false},
      {"UNIQUE INDEX i ON t (a)", "unique index concurrently i on t (a)", true},
      {"INDEX i ON t USING hash (a)", "index concurrently i on t (a)", false},
      {"INDEX i ON t (a) INCLUDE (c)", "index concurrently i on t (a) include (c)", true},
      {"INDEX i ON t (a) INCLUDE (c)", "index concurrently i on t (a, c)", false},
      {"INDEX i ON t (b text_pattern_ops)", "index concurrently i on t (b)", false},
      {"INDEX i ON t (b COLLATE \"C\")", "index concurrently i on t (b collate \"C\")", true},
      {"INDEX i ON t (b COLLATE \"C\")", "index concurrently i on t (b)", false},
      {"INDEX i ON t (lower(b))", "index concurrently i on t (lower(t.b))", true},
      {"INDEX i ON t (lower(b))", "index concurrently i on t (upper(b))", false},
      {"INDEX i ON t (s.f(a))", "index concurrently i on t ((s.f(a)))", true},
      {"INDEX i ON t (a) WHERE c > 0 AND b IS NULL",
       "index concurrently i on t (a) where (c>0) and b is null", true},
      {"INDEX i ON t (a) WHERE c > 0", "index concurrently i on t (a) where c > 1", false},
      {"INDEX i ON t (a) WITH (fillfactor = 70)",
       "index concurrently i on t (a) with (fillfactor = 70)", true},
      {"INDEX i ON t (a) WITH (fillfactor = 70)", "index concurrently i on t (a)", false},
      {"INDEX i ON t (a)", "index concurrently i on t (a) tablespace pg_default", true},
      {"INDEX i ON s.t (a)", "index concurrently i on s.t (a)", true},
  };
  for (const DefinitionCase& row : cases) {
    const std::string statement = "create " + row.statement;
    const std::string found = Find(statement);
    ASSERT_EQ(Judge(statement, found), "run") << row.statement;
    observer_.Exec("CREATE " + row.there);
    EXPECT_THAT(Judge(statement, found), StartsWith(row.equal ? "done" : "refuse: the index \""))
        << row.there << " and " << row.statement;
    observer_.Exec("DROP INDEX IF EXISTS i, s.i");
  }
}

TEST_F(VerifierIndexTest, LooksWhereTheFilesSearchPathLeads) {
  observer_.Exec("CREATE SCHEMA s; CREATE TABLE s.t (a int); CREATE INDEX i ON s.t (a)");
  const std::string statement = "create index concurrently i on t (a)";
  EXPECT_EQ(Judge(statement, Find(statement)), "run");
  SetUpSessions("SET search_path = s, public");
  EXPECT_THAT(Judge(statement, Find(statement)),
              StartsWith(R"(refuse: the index "s"."i" was there before)"));
  SetUpSessions("SET search_path = ''");
  const std::string qualified = "create index concurrently i on public.t (a)";
  const std::string found = Find(qualified);
  Interrupt(qualified, "INSERT INTO public.t VALUES (2)");
  EXPECT_EQ(CarryOut(qualified, found), "");
  EXPECT_EQ(Judge(qualified, found), "done");
}

TEST_F(VerifierIndexTest, RefusesWhatHasTheNameAndIsNoIndexOfTheTable) {
  observer_.Exec("CREATE TABLE u (a int)");
  const std::string statement = "create index concurrently i on t (a)";
  const std::string found = Find(statement);
  observer_.Exec("CREATE INDEX i ON u (a)");
  EXPECT_THAT(Judge(statement, found), HasSubstr("is an index of another table"));
  observer_.Exec("DROP INDEX i; CREATE VIEW i AS SELECT 1");
  EXPECT_THAT(Judge(statement, found), HasSubstr("is no index"));
  EXPECT_EQ(Judge("create index concurrently i on missing (a)", "{}"), "run");
}

TEST_F(VerifierIndexTest, SaysWhyItCouldNotCompare) {
  const std::string role = CreateRole("");
  observer_.Exec("REVOKE TEMPORARY ON DATABASE " + postgres::QuoteIdentifier(target_.dbname) +
                 " FROM PUBLIC; ALTER TABLE t OWNER TO " + postgres::QuoteIdentifier(role));
  const std::string statement = "create index concurrently i on t (a)";
  const std::string found = Find(statement);
  observer_.Exec("CREATE INDEX i ON t (a)");
  SetUpSessions("SET ROLE " + postgres::QuoteIdentifier(role));
  const std::string verdict = Judge(statement, found);
  EXPECT_THAT(verdict, HasSubstr("could not be compared with the statement: permission denied"));
  EXPECT_THAT(verdict, HasSubstr("42501"));
}

TEST_F(VerifierIndexTest, ReportsAFailureOfTheComparisonThatMayPass) {
  observer_.Exec("CREATE INDEX i ON t (a)");
  testing::PgClient holder(target_);
  holder.Exec("BEGIN; LOCK TABLE t");
  Execute("SET lock_timeout = '20ms'; BEGIN");
  const auto state = VerifierOf("create index concurrently i on t (a)")->Find(connection_);
  ASSERT_FALSE(state.has_value());
  EXPECT_EQ(state.error().sql_state, "55P03");
}

TEST_F(VerifierIndexTest, DropsAnIndexAgainWhoseDropWasKilled) {
  observer_.Exec("CREATE INDEX i ON t (a)");
  const std::string statement = "drop index concurrently i";
  const std::string found = Find(statement);
  Interrupt(statement, "INSERT INTO t VALUES (2)");
  EXPECT_EQ(Indexes(), "i!");
  EXPECT_EQ(Judge(statement, found), "run");
  EXPECT_EQ(CarryOut(statement, found), "");
  EXPECT_EQ(Indexes(), "");
  EXPECT_EQ(Judge(statement, found), "done");
}

TEST_F(VerifierIndexTest, NeverDropsTheNextIndexOfTheSameName) {
  observer_.Exec(
      "CREATE SCHEMA s; CREATE TABLE s.t (a int); CREATE INDEX i ON s.t (a); CREATE INDEX i ON t "
      "(b)");
  SetUpSessions("SET search_path = s, public");
  const std::string statement = "drop index concurrently if exists i";
  const std::string found = Find(statement);
  observer_.Exec("DROP INDEX s.i");
  EXPECT_EQ(Judge(statement, found), "done");
  EXPECT_EQ(Indexes("'public.t'::regclass"), "i");
}

TEST_F(VerifierIndexTest, ClearsAwayWhatReindexLeftHalfBuilt) {
  observer_.Exec("CREATE INDEX i ON t (a); CREATE INDEX old_ccnew ON t (b)");
  observer_.Exec("UPDATE pg_index SET indisvalid = false WHERE indexrelid = 'old_ccnew'::regclass");
  // A reader in READ COMMITTED hinders only the last phases: then the old index is left.
  for (const std::string blocker : {"INSERT INTO t VALUES (2)", "SELECT FROM t"}) {
    const std::string left = blocker.starts_with("I") ? "i_ccnew" : "i_ccold";
    for (const std::string statement :
         {"reindex index concurrently i", "reindex (concurrently) table t",
          "reindex schema concurrently public"}) {
      const auto verifier = VerifierOf(statement);
      const std::string found = Find(*verifier);
      EXPECT_EQ(Judge(statement, found), "run");
      Interrupt(statement, blocker);
      EXPECT_THAT(Indexes(), HasSubstr(left + "!")) << statement;
      const std::string drop = "DROP INDEX CONCURRENTLY IF EXISTS \"public\".\"" + left + "\"";
      EXPECT_THAT(Judge(statement, found), HasSubstr(drop)) << statement;
      EXPECT_THAT(Lines(verifier->AfterFailure(found, Find(*verifier))), HasSubstr(drop));
      EXPECT_EQ(CarryOut(statement, found), "") << statement;
      EXPECT_EQ(Indexes(), "i old_ccnew!") << statement;
    }
  }
}

TEST_F(VerifierIndexTest, ClearsAwayWhatReindexLeftOfAToastTableAndPartitions) {
  observer_.Exec(
      "CREATE TABLE p (a int, b text) PARTITION BY RANGE (a); CREATE INDEX pi ON p (a); "
      "CREATE TABLE p1 PARTITION OF p FOR VALUES FROM (1) TO (10)");
  const std::string toast = "(SELECT reltoastrelid FROM pg_class WHERE oid = 'p1'::regclass)";
  const std::string before = Indexes(toast);
  const std::string statement = "reindex table concurrently p";
  const std::string found = Find(statement);
  Interrupt(statement, "SELECT FROM p");
  // PostgreSQL 18 waits for the reader in an earlier phase than those before it.
  EXPECT_THAT(Indexes("'p1'::regclass"), ContainsRegex("_cc(new|old)!"));
  EXPECT_THAT(Indexes(toast), ContainsRegex("_cc(new|old)!"));
  EXPECT_EQ(CarryOut(statement, found), "");
  EXPECT_EQ(Indexes("'p1'::regclass"), "p1_a_idx");
  EXPECT_EQ(Indexes(toast), before);
}

}  // namespace
}  // namespace whimbrel::engine
