#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <chrono>
#include <future>
#include <string>
#include <vector>

#include "history/lock_key.h"
#include "support/eventually.h"
#include "support/postgres_server.h"
#include "unit/history/database.h"
#include "whimbrel/history/ledger.h"

namespace whimbrel::history {
namespace {

using testing::Eventually;
using ::testing::HasSubstr;
using testing::PgClient;
using testing::PgTarget;
using testing::SharedPostgres;

constexpr const char* kTablesOf =
    "SELECT string_agg(c.relname, ' ' ORDER BY c.relname) FROM pg_class c JOIN pg_namespace n ON "
    "n.oid = c.relnamespace WHERE c.relkind = 'r' AND n.nspname = ";

class LedgerBootstrap : public ::testing::Test {
 protected:
  PgTarget database_ = SharedPostgres().CreateDatabase();
  PgClient admin_{database_};

  /// A role that may connect and nothing else.
  PgTarget WeakRole() {
    const std::string role = "weak_" + database_.dbname;
    admin_.Exec("CREATE ROLE \"" + role + "\" LOGIN PASSWORD 'weak'");
    return database_.WithUser(role, "weak");
  }

  std::string Tables(const std::string& schema) {
    return admin_.Scalar(std::string(kTablesOf) + "'" + schema + "'");
  }
};

constexpr const char* kAllTables =
    "whimbrel_journal whimbrel_meta whimbrel_migration whimbrel_script";

TEST_F(LedgerBootstrap, MakesTheSchemaAndItsTables) {
  auto connection = Connect(database_);
  Ok(Ledger("whimbrel", "default").Bootstrap(connection));
  EXPECT_EQ(Tables("whimbrel"), kAllTables);
  EXPECT_EQ(admin_.Text("SELECT schema_version FROM whimbrel.whimbrel_meta"), "1");
  EXPECT_EQ(connection.transaction_status(), postgres::TransactionStatus::kIdle);
}

TEST_F(LedgerBootstrap, EveryTableHasAPrimaryKeyWhoseTextsAreInCOrder) {
  auto connection = Connect(database_);
  Ok(Ledger("whimbrel", "default").Bootstrap(connection));
  EXPECT_EQ(admin_.Scalar("SELECT count(*) FROM pg_constraint WHERE contype = 'p' AND "
                          "connamespace = 'whimbrel'::regnamespace"),
            "4");
  EXPECT_EQ(admin_.Text("SELECT DISTINCT l.collname FROM pg_constraint k JOIN pg_attribute a ON "
                        "a.attrelid = k.conrelid AND a.attnum = ANY (k.conkey) JOIN pg_collation l "
                        "ON l.oid = a.attcollation WHERE k.contype = 'p' AND k.connamespace = "
                        "'whimbrel'::regnamespace"),
            "C");
}

TEST_F(LedgerBootstrap, CostsOneStatementWhenAllIsThere) {
  auto connection = Connect(database_);
  const Ledger ledger("whimbrel", "default");
  Ok(ledger.Bootstrap(connection));
  Ok(connection.Execute("SET log_statement = 'all'"));
  Ok(connection.Execute("SELECT 'before " + database_.dbname + "'"));
  Ok(ledger.Bootstrap(connection));
  Ok(connection.Execute("SELECT 'after " + database_.dbname + "'"));
  const std::string log = SharedPostgres().Log();
  const std::size_t before = log.rfind("'before " + database_.dbname);
  const std::size_t after = log.rfind("'after " + database_.dbname);
  ASSERT_NE(before, std::string::npos);
  ASSERT_LT(before, after);
  int statements = -1;  // The one at the end is ours.
  for (std::size_t at = log.find("statement: ", before); at < after;
       at = log.find("statement: ", at + 1)) {
    ++statements;
  }
  EXPECT_EQ(statements, 1);
}

TEST_F(LedgerBootstrap, TakesAnySchemaThatExists) {
  auto connection = Connect(database_);
  Ok(Ledger("public", "default").Bootstrap(connection));
  EXPECT_EQ(Tables("public"), kAllTables);
}

TEST_F(LedgerBootstrap, QuotesTheSchema) {
  auto connection = Connect(database_);
  const Ledger ledger(R"(Odd "schema's")", "default");
  Ok(ledger.Bootstrap(connection));
  Ok(ledger.Bootstrap(connection));
  EXPECT_EQ(Ok(ledger.Read(connection)).size(), 0U);
}

TEST_F(LedgerBootstrap, ManyRunnersAtOnceMakeItOnce) {
  // Serializable, so that a snapshot taken before the lock was had would be noticed.
  admin_.Exec("ALTER DATABASE \"" + database_.dbname +
              "\" SET default_transaction_isolation = 'serializable'");
  std::vector<std::future<std::string>> runners;
  for (int i = 0; i < 8; ++i) {
    runners.push_back(std::async(std::launch::async, [&] {
      auto connection = Connect(database_);
      auto result = Ledger("whimbrel", "default").Bootstrap(connection);
      return result ? std::string() : result.error().ToString();
    }));
  }
  for (auto& runner : runners) EXPECT_EQ(runner.get(), "");
  EXPECT_EQ(admin_.Scalar("SELECT count(*) FROM whimbrel.whimbrel_meta"), "1");
}

TEST_F(LedgerBootstrap, WaitsForWhoeverIsAtIt) {
  const std::string key = std::to_string(BootstrapLockKey("whimbrel"));
  admin_.Exec("BEGIN; SELECT pg_advisory_xact_lock(" + key + ")");
  auto runner = std::async(std::launch::async, [&] {
    auto connection = Connect(database_);
    Ok(Ledger("whimbrel", "default").Bootstrap(connection));
  });
  PgClient watcher(database_);
  EXPECT_TRUE(Eventually([&] {
    return watcher.Scalar(
               "SELECT count(*) FROM pg_stat_activity WHERE application_name = "
               "'whimbrel/test' AND datname = current_database() AND query LIKE "
               "'%pg_sleep%'") == "1";
  }));
  EXPECT_EQ(Tables("whimbrel"), "");
  admin_.Exec("ROLLBACK");
  runner.get();
  EXPECT_EQ(Tables("whimbrel"), kAllTables);
}

TEST_F(LedgerBootstrap, WaitsNoLongerThanItsDeadline) {
  const std::string key = std::to_string(BootstrapLockKey("whimbrel"));
  admin_.Exec("BEGIN; SELECT pg_advisory_xact_lock(" + key + ")");
  auto connection = Connect(database_);
  connection.SetLimits(
      {.deadline = std::chrono::steady_clock::now() + std::chrono::milliseconds(200), .stop = {}});
  auto result = Ledger("whimbrel", "default").Bootstrap(connection);
  ASSERT_FALSE(result.has_value());
  EXPECT_EQ(result.error().interruption, postgres::Interruption::kDeadlineReached);
}

TEST_F(LedgerBootstrap, RefusesTablesOfANewerWhimbrel) {
  auto connection = Connect(database_);
  const Ledger ledger("whimbrel", "default");
  Ok(ledger.Bootstrap(connection));
  admin_.Exec("UPDATE whimbrel.whimbrel_meta SET schema_version = 2");
  auto result = ledger.Bootstrap(connection);
  ASSERT_FALSE(result.has_value());
  EXPECT_EQ(result.error().sql_state, "0A000");
  EXPECT_THAT(result.error().message,
              HasSubstr("says schema version 2, but this Whimbrel knows 1"));
  EXPECT_THAT(result.error().hint, HasSubstr("newer Whimbrel"));
}

TEST_F(LedgerBootstrap, RefusesTablesOfWhichNobodySaysWhatTheyAre) {
  auto connection = Connect(database_);
  const Ledger ledger("whimbrel", "default");
  Ok(ledger.Bootstrap(connection));
  admin_.Exec("DELETE FROM whimbrel.whimbrel_meta");
  auto result = ledger.Bootstrap(connection);
  ASSERT_FALSE(result.has_value());
  EXPECT_EQ(result.error().sql_state, "0A000");
  EXPECT_THAT(result.error().hint, HasSubstr("backup"));
}

/// The statements that a hint asks an administrator to run.
std::string StatementsOf(const std::string& hint) {
  const std::string before = "run in this database: ";
  const std::size_t at = hint.find(before);
  return at == std::string::npos ? "" : hint.substr(at + before.size());
}

struct Denial {
  const char* description;
  std::string prepare;    ///< What an administrator has done, `$` for the role.
  std::string statement;  ///< What the advice has to be, `$` for the role.
};

std::string ForRole(std::string text, const std::string& role) {
  for (std::size_t at = text.find('$'); at != std::string::npos; at = text.find('$', at)) {
    text.replace(at, 1, '"' + role + '"');
  }
  return text;
}

TEST_F(LedgerBootstrap, TellsAWeakRoleWhatAnAdministratorMustRun) {
  const Denial cases[] = {
      {"there is no schema", "", R"(CREATE SCHEMA "whimbrel" AUTHORIZATION $;)"},
      {"the schema is somebody else's", "CREATE SCHEMA whimbrel",
       R"(GRANT USAGE, CREATE ON SCHEMA "whimbrel" TO $;)"},
      {"the tables are somebody else's", "tables",
       R"(GRANT USAGE ON SCHEMA "whimbrel" TO $; GRANT SELECT, INSERT, UPDATE, DELETE ON )"
       R"("whimbrel"."whimbrel_meta", "whimbrel"."whimbrel_migration", )"
       R"("whimbrel"."whimbrel_journal", "whimbrel"."whimbrel_script" TO $;)"},
  };
  const PgTarget role = WeakRole();
  const Ledger ledger("whimbrel", "default");
  for (const Denial& c : cases) {
    SCOPED_TRACE(c.description);
    admin_.Exec("DROP SCHEMA IF EXISTS whimbrel CASCADE");
    if (c.prepare == "tables") {
      auto owner = Connect(database_);
      Ok(ledger.Bootstrap(owner));
    } else {
      admin_.Exec(c.prepare);
    }
    auto connection = Connect(role);
    auto denied = ledger.Bootstrap(connection);
    ASSERT_FALSE(denied.has_value());
    EXPECT_EQ(denied.error().sql_state, "42501");
    const std::string advice = StatementsOf(denied.error().hint);
    EXPECT_EQ(advice, ForRole(c.statement, role.user));
    // The advice is all that it takes, and the session is still good.
    admin_.Exec(advice);
    Ok(ledger.Bootstrap(connection));
    EXPECT_EQ(Ok(ledger.Read(connection)).size(), 0U);
  }
}

}  // namespace
}  // namespace whimbrel::history
