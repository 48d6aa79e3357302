#include "unit/postgres/pg_fixture.h"
#include "whimbrel/postgres/advisory_lock.h"
#include "whimbrel/postgres/readiness.h"
#include "whimbrel/postgres/sqlstate.h"

namespace whimbrel::postgres {
namespace {

using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Not;

class ReadinessTest : public PgTest {
 protected:
  static Readiness Check(Connection& connection, const ReadinessRequirements& requirements = {}) {
    auto readiness = CheckReadiness(connection, requirements);
    if (!readiness) throw std::runtime_error(readiness.error().ToString());
    return *readiness;
  }

  /// What Citus puts into pg_catalog, as far as readiness looks: a coordinator and two workers, of
  /// which `dead` (a condition on the node's name) cannot be reached.
  void CreateCitusLookAlike(const std::string& dead) {
    observer_.Exec("SET allow_system_table_mods = on");
    observer_.Exec("CREATE TYPE pg_catalog.noderole AS ENUM ('primary', 'secondary')");
    observer_.Exec(
        "CREATE TABLE pg_catalog.pg_dist_node(nodeid int, groupid int, nodename text, nodeport "
        "int, noderole noderole)");
    observer_.Exec(
        "INSERT INTO pg_dist_node VALUES (1, 0, 'coordinator', 5432, 'primary'), "
        "(2, 1, 'worker-1', 5432, 'primary'), (3, 2, 'worker-2', 5432, 'primary'), "
        "(4, 1, 'follower', 5432, 'secondary')");
    observer_.Exec(
        "CREATE FUNCTION pg_catalog.citus_check_cluster_node_health(OUT from_nodename text, OUT "
        "from_nodeport int, OUT to_nodename text, OUT to_nodeport int, OUT result bool) RETURNS "
        "SETOF record LANGUAGE sql AS $$ SELECT f.nodename, f.nodeport, t.nodename, t.nodeport, "
        "CASE WHEN f.nodename IN (" +
        dead + ") THEN NULL ELSE t.nodename NOT IN (" + dead +
        ") END FROM pg_catalog.pg_dist_node f, pg_catalog.pg_dist_node t $$");
  }
};

TEST_F(ReadinessTest, AnOrdinaryDatabaseIsReady) {
  Connection connection = Open();
  EXPECT_EQ(Check(connection).reason, NotReady::kNone);
  EXPECT_EQ(Check(connection, {.extensions = {"plpgsql"}}).reason, NotReady::kNone);
}

TEST_F(ReadinessTest, MissingExtensionsAreNamed) {
  Connection connection = Open();
  const Readiness readiness =
      Check(connection, {.extensions = {"citus", "plpgsql", "it's \\ odd"}});
  EXPECT_EQ(readiness.reason, NotReady::kMissingExtension);
  EXPECT_THAT(readiness.message, HasSubstr("citus"));
  EXPECT_THAT(readiness.message, HasSubstr("it's \\ odd"));
  EXPECT_THAT(readiness.message, Not(HasSubstr("plpgsql")));
  EXPECT_THAT(readiness.message, HasSubstr(target_.dbname));
}

TEST_F(ReadinessTest, AReadOnlyPrimaryIsSomebodysDecision) {
  observer_.Exec("ALTER DATABASE " + QuoteIdentifier(target_.dbname) +
                 " SET default_transaction_read_only = on");
  Connection connection = Open();
  EXPECT_EQ(Check(connection).reason, NotReady::kReadOnly);
}

TEST_F(ReadinessTest, WorkersAreMissingWhereThereIsNoCitus) {
  Connection connection = Open();
  const Readiness readiness = Check(connection, {.min_citus_workers = 1});
  EXPECT_EQ(readiness.reason, NotReady::kMissingWorkers);
  EXPECT_THAT(readiness.message, HasSubstr("no citus extension"));
}

TEST_F(ReadinessTest, AllWorkersThatAnswerAreCounted) {
  CreateCitusLookAlike("''");
  Connection connection = Open();
  EXPECT_EQ(Check(connection, {.min_citus_workers = 2}).reason, NotReady::kNone);
  const Readiness three = Check(connection, {.min_citus_workers = 3});
  EXPECT_EQ(three.reason, NotReady::kMissingWorkers);
  EXPECT_THAT(three.message, HasSubstr("2 of the 3"));
}

TEST_F(ReadinessTest, AWorkerThatCannotBeReachedIsNotCounted) {
  CreateCitusLookAlike("'worker-2'");
  Connection connection = Open();
  EXPECT_EQ(Check(connection, {.min_citus_workers = 1}).reason, NotReady::kNone);
  EXPECT_EQ(Check(connection, {.min_citus_workers = 2}).reason, NotReady::kMissingWorkers);
}

TEST_F(ReadinessTest, AFunctionOfThatNameElsewhereIsNotCalled) {
  observer_.Exec(
      "CREATE FUNCTION public.citus_check_cluster_node_health() RETURNS int LANGUAGE sql AS "
      "$$ SELECT 1/0 $$");
  Connection connection = Open();
  EXPECT_THAT(Check(connection, {.min_citus_workers = 1}).message, HasSubstr("no citus extension"));
}

TEST_F(ReadinessTest, FactsTellWhatAndWhere) {
  Connection connection = Open();
  const auto facts = ReadServerFacts(connection);
  ASSERT_TRUE(facts) << facts.error().ToString();
  EXPECT_EQ(facts->database, target_.dbname);
  EXPECT_EQ(facts->login_role, target_.user);
  EXPECT_EQ(facts->version, connection.server_version());
  EXPECT_EQ(facts->system_identifier,
            observer_.Scalar("SELECT system_identifier FROM pg_control_system()"));
}

TEST_F(ReadinessTest, FactsDoWithoutWhatTheRoleMayNotRead) {
  observer_.Exec("REVOKE EXECUTE ON FUNCTION pg_control_system() FROM PUBLIC");
  const std::string role = CreateRole();
  Connection connection = OpenAt(target_.WithUser(role, "x"));
  const auto facts = ReadServerFacts(connection);
  ASSERT_TRUE(facts) << facts.error().ToString();
  EXPECT_THAT(facts->system_identifier, IsEmpty());
  EXPECT_EQ(facts->login_role, role);
}

class AdvisoryLockTest : public PgTest {};

TEST_F(AdvisoryLockTest, OneSessionHoldsItAtATime) {
  for (const std::int64_t key : {std::int64_t{1}, std::int64_t{-1}, INT64_MIN, INT64_MAX}) {
    Connection first = Open();
    Connection second = Open();
    EXPECT_TRUE(*TryAdvisoryLock(first, key));
    EXPECT_FALSE(*TryAdvisoryLock(second, key));
    EXPECT_TRUE(*AdvisoryUnlock(first, key));
    EXPECT_FALSE(*AdvisoryUnlock(first, key));
    EXPECT_TRUE(*TryAdvisoryLock(second, key));
  }
}

TEST_F(AdvisoryLockTest, TheHolderIsFoundByAnyKey) {
  for (const std::int64_t key : {std::int64_t{1}, std::int64_t{-1}, INT64_MIN, INT64_MAX}) {
    Connection holder = Open();
    Connection other = Open();
    EXPECT_FALSE(*FindLockHolder(other, key));
    ASSERT_TRUE(*TryAdvisoryLock(holder, key));
    AwaitIdle(holder.backend_pid());
    const auto found = FindLockHolder(other, key);
    ASSERT_TRUE(found) << found.error().ToString();
    ASSERT_TRUE(*found);
    EXPECT_EQ((*found)->pid, holder.backend_pid());
    EXPECT_EQ((*found)->application_name, "whimbrel/test");
    EXPECT_EQ((*found)->state, "idle");
    EXPECT_EQ((*found)->wait_event, "ClientRead");
    EXPECT_GE((*found)->age_seconds, (*found)->idle_seconds);
    EXPECT_EQ(
        observer_.Scalar("SELECT count(*) FROM pg_stat_activity WHERE pid = " +
                         std::to_string((*found)->pid) + " AND backend_start = to_timestamp(0) + " +
                         (*found)->backend_start + " * interval '1 microsecond'"),
        "1");
    EXPECT_FALSE(*FindLockHolder(other, key == 1 ? 2 : 1));
  }
}

TEST_F(AdvisoryLockTest, LocksOfTwoKeysAndOfOtherDatabasesAreOthers) {
  Connection holder = Open();
  ASSERT_TRUE(holder.Execute("SELECT pg_advisory_lock(0, 5)"));
  Connection elsewhere = OpenAt(testing::SharedPostgres().CreateDatabase());
  ASSERT_TRUE(*TryAdvisoryLock(elsewhere, 5));
  Connection other = Open();
  EXPECT_FALSE(*FindLockHolder(other, 5));
  EXPECT_TRUE(*TryAdvisoryLock(other, 5));
}

TEST_F(AdvisoryLockTest, ARoleThatSeesLittleStillLearnsThePid) {
  Connection holder = Open();
  ASSERT_TRUE(*TryAdvisoryLock(holder, 9));
  Connection other = OpenAt(target_.WithUser(CreateRole(), "x"));
  const auto found = FindLockHolder(other, 9);
  ASSERT_TRUE(found && *found);
  EXPECT_EQ((*found)->pid, holder.backend_pid());
  EXPECT_EQ((*found)->backend_start, "");
  EXPECT_EQ((*found)->state, "");
}

using SqlStateNamesTest = PgTest;

TEST_F(SqlStateNamesTest, AreThoseOfTheServer) {
  for (const SqlStateRule& rule : SqlStateRules()) {
    const auto name = std::string(rule.name);
    // PL/pgSQL knows a condition by its name; those of later majors are unknown here.
    const std::string told = observer_.SqlstateOf("DO $$ BEGIN RAISE " + name + "; END $$");
    if (told == "42704") continue;
    const std::string expected =
        rule.pattern.size() == 2 ? std::string(rule.pattern) + "000" : std::string(rule.pattern);
    EXPECT_EQ(told, expected) << name;
  }
}

}  // namespace
}  // namespace whimbrel::postgres
