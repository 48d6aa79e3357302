#include "unit/postgres/pg_fixture.h"
#include "whimbrel/postgres/advisory_lock.h"
#include "whimbrel/postgres/session.h"

namespace whimbrel::postgres {
namespace {

using ::testing::HasSubstr;

constexpr std::int64_t kOurKey = -81985529216486896;

class SessionTest : public PgTest {
 protected:
  static std::string Ask(Connection& connection, const std::string& sql) {
    const auto rows = connection.Execute(sql);
    if (!rows) return "error: " + rows.error().ToString();
    return rows->empty() ? "" : (*rows)[0][0].value_or("NULL");
  }

  static std::string Setting(Connection& connection, const std::string& name) {
    return Ask(connection, "SELECT current_setting('" + name + "')");
  }

  static PgResult<void> Clean(Connection& connection, const SessionSettings& settings = {}) {
    const std::int64_t kept[] = {kOurKey};
    return CleanSession(connection, settings, kept);
  }

  /// A session that holds our lock.
  Connection OpenLocked() {
    Connection connection = Open();
    EXPECT_TRUE(ApplySessionSettings(connection, {}));
    EXPECT_TRUE(*TryAdvisoryLock(connection, kOurKey));
    return connection;
  }

  std::string LocksOf(int pid) {
    return observer_.Text(
        "SELECT classid::int8 << 32 | objid::int8, objsubid FROM pg_locks WHERE locktype = "
        "'advisory' AND pid = " +
        std::to_string(pid) + " ORDER BY 1");
  }
};

TEST_F(SessionTest, TheServerEndsASessionWhoseClientIsGone) {
  Connection connection = Open();
  ASSERT_TRUE(ApplySessionSettings(connection, {}));
  EXPECT_EQ(Setting(connection, "idle_in_transaction_session_timeout"), "1min");
  EXPECT_EQ(Setting(connection, "tcp_keepalives_idle"), "15");
  EXPECT_EQ(Setting(connection, "tcp_keepalives_interval"), "5");
  EXPECT_EQ(Setting(connection, "tcp_keepalives_count"), "3");
  if (connection.server_version() >= 140000) {
    EXPECT_EQ(Setting(connection, "client_connection_check_interval"), "2s");
    EXPECT_EQ(Setting(connection, "idle_session_timeout"), "1min");
  }
}

TEST_F(SessionTest, ARoleIsTakenOn) {
  const std::string role = "its \" owner " + target_.dbname;
  observer_.Exec("CREATE ROLE " + QuoteIdentifier(role));
  Connection connection = Open();
  ASSERT_TRUE(ApplySessionSettings(connection, {.role = role}));
  EXPECT_EQ(Ask(connection, "SELECT current_user"), role);
}

TEST_F(SessionTest, ARoleThatIsNotOursIsAnError) {
  Connection connection = OpenAt(target_.WithUser(CreateRole(), "x"));
  const auto applied = ApplySessionSettings(connection, {.role = "postgres"});
  ASSERT_FALSE(applied);
  EXPECT_EQ(applied.error().sql_state, "42501");
}

TEST_F(SessionTest, WhatAFileLeavesBehindIsGoneAfterwards) {
  const std::string other = CreateRole();
  observer_.Exec("CREATE SEQUENCE s");
  Connection connection = OpenLocked();
  ASSERT_TRUE(connection.Execute("CREATE TEMP TABLE left_over(a int)"));
  ASSERT_TRUE(connection.Execute("PREPARE left_over AS SELECT 1"));
  ASSERT_TRUE(connection.Execute("LISTEN left_over"));
  ASSERT_TRUE(connection.Execute("BEGIN; DECLARE left_over CURSOR WITH HOLD FOR SELECT 1; COMMIT"));
  ASSERT_TRUE(connection.Execute("SELECT nextval('s')"));
  ASSERT_TRUE(
      connection.Execute("SET search_path = ''; SET statement_timeout = 1000; SET "
                         "idle_in_transaction_session_timeout = 0;"
                         "SET application_name = 'x'; SET standard_conforming_strings = off;"
                         "SET client_encoding = LATIN1; SET my.setting = 'x';"
                         "SET SESSION CHARACTERISTICS AS TRANSACTION READ ONLY"));
  ASSERT_TRUE(connection.Execute("SET SESSION AUTHORIZATION " + QuoteIdentifier(other)));

  const auto cleaned = Clean(connection);
  ASSERT_TRUE(cleaned) << cleaned.error().ToString();
  EXPECT_EQ(Ask(connection, "SELECT count(*) FROM pg_class WHERE relname = 'left_over'"), "0");
  EXPECT_EQ(Ask(connection, "SELECT count(*) FROM pg_prepared_statements"), "0");
  EXPECT_EQ(Ask(connection, "SELECT count(*) FROM pg_listening_channels()"), "0");
  EXPECT_EQ(Ask(connection, "SELECT count(*) FROM pg_cursors WHERE name = 'left_over'"), "0");
  EXPECT_THAT(Ask(connection, "SELECT currval('s')"), HasSubstr("55000"));
  EXPECT_EQ(Ask(connection, "SELECT session_user || ' ' || current_user"), "postgres postgres");
  EXPECT_EQ(Setting(connection, "search_path"), "\"$user\", public");
  EXPECT_EQ(Setting(connection, "statement_timeout"), "0");
  EXPECT_EQ(Setting(connection, "default_transaction_read_only"), "off");
  EXPECT_EQ(Setting(connection, "application_name"), "whimbrel/test");
  EXPECT_EQ(connection.ParameterStatus("client_encoding"), "UTF8");
  EXPECT_TRUE(connection.standard_conforming_strings());
  EXPECT_EQ(Setting(connection, "idle_in_transaction_session_timeout"), "1min");
  if (connection.server_version() >= 140000) {
    EXPECT_EQ(Setting(connection, "idle_session_timeout"), "1min");
  }
}

TEST_F(SessionTest, TheLoginRolesOwnDefaultsComeBack) {
  const std::string role = CreateRole();
  observer_.Exec("ALTER ROLE " + QuoteIdentifier(role) + " SET search_path = elsewhere");
  Connection connection = OpenAt(target_.WithUser(role, "x"));
  ASSERT_TRUE(connection.Execute("SET search_path = ''"));
  ASSERT_TRUE(CleanSession(connection, {}, {}));
  EXPECT_EQ(Setting(connection, "search_path"), "elsewhere");
}

TEST_F(SessionTest, TheRoleOfTheResourceIsTakenOnAgain) {
  const std::string role = CreateRole();
  Connection connection = OpenLocked();
  ASSERT_TRUE(connection.Execute("SET ROLE " + QuoteIdentifier(CreateRole())));
  ASSERT_TRUE(Clean(connection, {.role = role}));
  EXPECT_EQ(Ask(connection, "SELECT current_user"), role);
}

TEST_F(SessionTest, ForeignAdvisoryLocksAreReleasedAndOursIsKept) {
  Connection connection = OpenLocked();
  ASSERT_TRUE(connection.Execute(
      "SELECT pg_advisory_lock(1), pg_advisory_lock(1), pg_advisory_lock(1),"
      "pg_advisory_lock(-9223372036854775808), pg_advisory_lock(9223372036854775807),"
      "pg_advisory_lock(-1, -2), pg_advisory_lock(2147483647, -2147483648),"
      "pg_advisory_lock_shared(7), pg_advisory_lock_shared(7), pg_advisory_lock_shared(3, 4)"));
  const auto cleaned = Clean(connection);
  ASSERT_TRUE(cleaned) << cleaned.error().ToString();
  EXPECT_EQ(LocksOf(connection.backend_pid()), std::to_string(kOurKey) + "|1");
}

TEST_F(SessionTest, AForeignSharedLockOnOurKeyIsReleasedAndOursIsKept) {
  Connection connection = OpenLocked();
  ASSERT_TRUE(
      connection.Execute("SELECT pg_advisory_lock_shared(" + std::to_string(kOurKey) + ")"));
  ASSERT_TRUE(Clean(connection));
  EXPECT_EQ(LocksOf(connection.backend_pid()), std::to_string(kOurKey) + "|1");
}

TEST_F(SessionTest, AFileThatReleasedOurLockCostsTheSession) {
  Connection connection = OpenLocked();
  ASSERT_TRUE(connection.Execute("SELECT pg_advisory_unlock_all()"));
  const auto cleaned = Clean(connection);
  ASSERT_FALSE(cleaned);
  EXPECT_FALSE(cleaned.error().connection_usable);
  EXPECT_FALSE(cleaned.error().outcome_unknown);
  EXPECT_THAT(cleaned.error().message, HasSubstr("released the advisory lock"));
  EXPECT_FALSE(connection.usable());
}

TEST_F(SessionTest, CleaningTwiceIsAsGoodAsOnce) {
  Connection connection = OpenLocked();
  EXPECT_TRUE(Clean(connection));
  EXPECT_TRUE(Clean(connection));
}

TEST_F(SessionTest, CleaningABrokenSessionIsAnError) {
  Connection connection = OpenLocked();
  connection.Close();
  EXPECT_FALSE(Clean(connection));
}

}  // namespace
}  // namespace whimbrel::postgres
