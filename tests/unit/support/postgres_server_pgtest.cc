#include <gtest/gtest.h>

#include <stdexcept>

#include "support/eventually.h"
#include "support/postgres_server.h"
#include "support/tcp_proxy.h"

namespace whimbrel::testing {
namespace {

TEST(PostgresServerTest, GivesEveryTestADatabaseOfItsOwn) {
  const PgTarget one = SharedPostgres().CreateDatabase();
  const PgTarget other = SharedPostgres().CreateDatabase();
  PgClient(one).Exec("CREATE TABLE t (a int, b text); INSERT INTO t VALUES (1, 'x'), (2, NULL)");
  EXPECT_EQ(PgClient(one).Text("SELECT * FROM t ORDER BY a"), "1|x\n2|");
  EXPECT_EQ(PgClient(other).SqlstateOf("SELECT * FROM t"), "42P01");
}

TEST(PostgresServerTest, AsksForThePassword) {
  PgTarget target = SharedPostgres().target();
  target.password = "wrong";
  EXPECT_THROW(PgClient{target}, std::runtime_error);
}

TEST(PostgresServerTest, ListensOnAUnixSocketToo) {
  PgTarget target = SharedPostgres().target();
  target.host = SharedPostgres().socket_folder();
  EXPECT_EQ(PgClient(target).Scalar("SELECT inet_client_addr() IS NULL"), "t");
}

TEST(PostgresServerTest, KeepsWhatWasCommittedWhenKilledAndDropsTheRest) {
  PostgresServer server({.settings = {"work_mem=5MB"}});
  const PgTarget target = server.CreateDatabase();
  PgClient writer(target);
  EXPECT_EQ(writer.Scalar("SHOW work_mem"), "5MB");
  writer.Exec("CREATE TABLE t (a int); INSERT INTO t VALUES (1)");
  writer.Exec("BEGIN; INSERT INTO t VALUES (2)");
  server.Kill9();
  EXPECT_THROW(writer.Exec("COMMIT"), std::runtime_error);
  EXPECT_THROW(PgClient{target}, std::runtime_error);
  server.Start();
  EXPECT_EQ(PgClient(target).Text("SELECT a FROM t"), "1");
  server.Restart();
  EXPECT_EQ(PgClient(target).Text("SELECT a FROM t"), "1");
}

TEST(PostgresServerTest, AProxyCanHideTheOutcomeOfACommit) {
  const PgTarget target = SharedPostgres().CreateDatabase();
  PgClient(target).Exec("CREATE TABLE t (a int)");
  TcpProxy proxy(target.port);
  PgClient client(target.WithPort(proxy.port()));
  client.Exec("BEGIN");
  client.Exec("INSERT INTO t VALUES (1)");
  proxy.CutAfterRequest("COMMIT");
  EXPECT_THROW(client.Exec("COMMIT"), std::runtime_error);
  EXPECT_EQ(PgClient(target).Text("SELECT a FROM t"), "1");
}

}  // namespace
}  // namespace whimbrel::testing
