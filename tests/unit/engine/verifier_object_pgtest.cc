#include "unit/engine/verifier_fixture.h"

namespace whimbrel::engine {
namespace {

using testing::Eventually;
using ::testing::HasSubstr;
using testing::PgClient;
using ::testing::StartsWith;

/// For what a server has to be told to allow.
testing::PostgresServer& LogicalServer() {
  static testing::PostgresServer server(
      {.settings = {"wal_level=logical", "max_prepared_transactions=10"}});
  return server;
}

class VerifierObjectTest : public VerifierFixture {
 protected:
  /// A name of its own for what belongs to the whole server.
  std::string Name(const std::string& suffix) const { return target_.dbname + "_" + suffix; }

  /// An empty folder that the server may take for a tablespace.
  std::string Folder(const std::string& name) {
    const std::string folder =
        observer_.Scalar("SELECT regexp_replace(current_setting('data_directory'), '[^/]*$', '')") +
        Name(name);
    observer_.Exec("COPY (SELECT) TO PROGRAM 'mkdir " + folder + "'");
    return folder;
  }

  /// A statement that was done, though its answer was lost; then a session that finds it so.
  void ExpectDone(const std::string& statement) {
    const auto verifier = VerifierOf(statement);
    const std::string found = Find(*verifier);
    EXPECT_EQ(ToText(verifier->Judge(found, found)), "run") << statement;
    Execute(statement);
    const std::string now = Find(*verifier);
    EXPECT_EQ(ToText(verifier->Judge(found, now)), "done") << statement;
    EXPECT_EQ(verifier->Confirm(found, now), std::nullopt) << statement;
  }

  void UseServer(testing::PostgresServer& server) {
    target_ = server.CreateDatabase();
    observer_ = PgClient(target_);
    connection_ = Open();
  }
};

TEST_F(VerifierObjectTest, CreatesAndDropsADatabaseOnce) {
  const std::string name = Name("d");
  ExpectDone("create database " + name);
  EXPECT_THAT(Judge("create database " + name, Find("create database " + name)),
              StartsWith("refuse: the database \"" + name + "\" was there before"));
  EXPECT_THAT(Judge("create database " + name + " owner pg_monitor", "{}"),
              HasSubstr("was made by somebody else"));
  ExpectDone("drop database " + name);
}

TEST_F(VerifierObjectTest, DropsADatabaseAgainThatIsHalfDropped) {
  const std::string name = Name("d");
  observer_.Exec("CREATE DATABASE " + name);
  const std::string statement = "drop database " + name;
  const std::string found = Find(statement);
  // What the server writes before it removes the files (dropdb(), src/backend/commands).
  observer_.Exec("UPDATE pg_database SET datconnlimit = -2 WHERE datname = '" + name + "'");
  EXPECT_EQ(Judge("create database " + name, "{}"),
            "refuse: the database \"" + name + "\" is there, half dropped");
  EXPECT_EQ(Judge(statement, found), "run");
  EXPECT_EQ(CarryOut(statement, found), "");
  EXPECT_EQ(Judge(statement, found), "done");
}

TEST_F(VerifierObjectTest, RefusesToDropADatabaseThatCameInThePlaceOfTheOldOne) {
  const std::string name = Name("d");
  observer_.Exec("CREATE DATABASE " + name);
  const std::string statement = "drop database if exists " + name;
  const std::string found = Find(statement);
  observer_.Exec("DROP DATABASE " + name);
  observer_.Exec("CREATE DATABASE " + name);
  EXPECT_THAT(Judge(statement, found), HasSubstr("is not the one that was there"));
  observer_.Exec("DROP DATABASE " + name);
}

TEST_F(VerifierObjectTest, MovesADatabaseToANewTablespaceAndBackAndDropsIt) {
  const std::string database = Name("d");
  const std::string tablespace = Name("x");
  const std::string folder = Folder("x");
  observer_.Exec("CREATE DATABASE " + database);
  ExpectDone("create tablespace " + tablespace + " location '" + folder + "/'");
  const std::string elsewhere = "create tablespace " + tablespace + " location '/elsewhere'";
  EXPECT_THAT(Judge(elsewhere, "{}"), HasSubstr("was made by somebody else"));
  ExpectDone("alter database " + database + " set tablespace " + tablespace);
  EXPECT_EQ(CarryOut("alter database " + database + " set tablespace " + tablespace,
                     Find("alter database " + database + " set tablespace " + tablespace)),
            "");
  ExpectDone("alter database " + database + " set tablespace pg_default");
  ExpectDone("drop tablespace " + tablespace);
  observer_.Exec("DROP DATABASE " + database);
}

TEST_F(VerifierObjectTest, EndsAPreparedTransactionOnce) {
  UseServer(LogicalServer());
  observer_.Exec("CREATE TABLE t (a int)");
  for (const std::string verb : {"commit", "rollback"}) {
    const std::string id = Name("it's");
    PgClient(target_).Exec("BEGIN; INSERT INTO t VALUES (1); PREPARE TRANSACTION " +
                           postgres::QuoteLiteral(id));
    ExpectDone(verb + " prepared " + postgres::QuoteLiteral(id));
  }
  EXPECT_EQ(observer_.Scalar("SELECT count(*) FROM t"), "1");
}

TEST_F(VerifierObjectTest, CreatesALogicalSlotOnce) {
  UseServer(LogicalServer());
  const std::string slot = Name("s");
  const std::string statement =
      "select 'init' from pg_create_logical_replication_slot('" + slot + "', 'pgoutput')";
  const std::string found = Find(statement);
  // The server waits for transactions that are under way; nothing is left of what is killed.
  Interrupt(statement, "CREATE TABLE t (a int)");
  EXPECT_EQ(Judge(statement, found), "run");
  ExpectDone(statement);
  EXPECT_THAT(Judge(statement, Find(statement)), HasSubstr("was there before"));
  EXPECT_THAT(
      Judge("select pg_create_logical_replication_slot('" + slot + "', 'test_decoding')", "{}"),
      HasSubstr("was made by somebody else"));
  ExpectDone("select pg_copy_logical_replication_slot('" + slot + "', '" + slot + "_2')");
  observer_.Exec("SELECT pg_drop_replication_slot('" + slot + "'), pg_drop_replication_slot('" +
                 slot + "_2')");
}

TEST_F(VerifierObjectTest, KnowsWhatASubscriptionIsLike) {
  const testing::PgTarget publisher = LogicalServer().CreateDatabase();
  PgClient there(publisher);
  there.Exec("CREATE TABLE t (a int); CREATE PUBLICATION p FOR TABLE t; CREATE PUBLICATION q");
  observer_.Exec("CREATE TABLE t (a int)");
  const std::string name = Name("s");
  const std::string create = "create subscription " + name + " connection " +
                             postgres::QuoteLiteral(publisher.KeywordValue()) + " publication p";
  const std::string found = Find(create);
  // Killed while the publisher waits, before it has the slot.
  PgClient holder(publisher);
  holder.Exec("BEGIN; CREATE TABLE u (a int)");
  PgClient victim(target_);
  auto ending =
      std::async(std::launch::async, [&] { static_cast<void>(victim.SqlstateOf(create)); });
  ASSERT_TRUE(Eventually([&] {
    return there.Scalar("SELECT count(*) FROM pg_replication_slots WHERE active") == "1";
  }));
  observer_.Exec("SELECT pg_terminate_backend(" + std::to_string(victim.backend_pid()) + ")");
  ending.get();
  holder.Exec("COMMIT");
  ASSERT_TRUE(
      Eventually([&] { return there.Scalar("SELECT count(*) FROM pg_replication_slots") == "0"; }));
  EXPECT_EQ(Judge(create, found), "run");
  ExpectDone(create);
  EXPECT_THAT(Judge("create subscription " + name + " connection 'x' publication q", "{}"),
              HasSubstr("was made by somebody else"));

  const std::string alter = "alter subscription " + name;
  ExpectDone(alter + " add publication q");
  ExpectDone(alter + " drop publication p");
  EXPECT_EQ(CarryOut(alter + " set publication p", "{}"), "");
  EXPECT_EQ(CarryOut(alter + " refresh publication", "{}"), "");
  ExpectDone("drop subscription " + name);
}

TEST_F(VerifierObjectTest, NeedsNoRightsOfASuperuser) {
  const std::string role = CreateRole("");
  observer_.Exec("CREATE TABLE t (a int); CREATE INDEX i ON t (a); ALTER TABLE t OWNER TO " +
                 postgres::QuoteIdentifier(role));
  SetUpSessions("SET ROLE " + postgres::QuoteIdentifier(role));
  for (const std::string statement :
       {"create database d", "drop database d", "create tablespace x location '/x'",
        "drop tablespace x", "alter database d set tablespace x", "drop subscription s",
        "create subscription s connection 'x' publication p",
        "alter subscription s add publication p", "alter subscription s drop publication p",
        "select pg_create_logical_replication_slot('s', 'pgoutput')", "commit prepared 'x'",
        "create index concurrently if not exists i on t (a)", "drop index concurrently i",
        "reindex (concurrently) database", "alter extension timescaledb update",
        "alter table t detach partition p concurrently"}) {
    EXPECT_NO_THROW(Find(statement)) << statement;
  }
}

}  // namespace
}  // namespace whimbrel::engine
