#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <memory>

#include "engine/database_connector.h"
#include "engine/table_guard.h"
#include "support/eventually.h"
#include "unit/engine/run_fixture.h"
#include "whimbrel/history/tool_tables.h"

namespace whimbrel::engine {
namespace {

using whimbrel::testing::Eventually;
using whimbrel::testing::PgClient;
using whimbrel::testing::PgTarget;
using whimbrel::testing::SharedPostgres;

/// A table `migrations(name)`, as many home-made tools keep.
class TableGuardTest : public ::testing::Test {
 protected:
  TableGuardTest() {
    sql_.Exec(
        "CREATE TABLE migrations (name text PRIMARY KEY, applied_at timestamptz NOT NULL DEFAULT "
        "now())");
    auto tool = history::OpenToolTable(main_, migration::Format::kNumbered,
                                       *history::ParseTableName("migrations"));
    if (!tool) throw std::runtime_error("no table");
    tool_ = std::move(*tool);
  }

  postgres::Connection Connect() {
    auto connection = ConnectWhenReady(context_);
    if (!connection) throw std::runtime_error(connection.error().failure.message);
    return *std::move(connection);
  }

  auto Take() { return TableGuard::Take(context_, watch_, main_, *tool_); }

  /// What the tool would do.
  std::string Write() {
    return sql_.SqlstateOf("SET lock_timeout = '100ms'; INSERT INTO migrations VALUES ('x')");
  }

  PgTarget database_ = SharedPostgres().CreateDatabase();
  PgClient sql_{database_};
  report::RunRequest request_ = RequestFor(database_, {});
  SlotPool slots_{1};
  RunContext context_{.request = request_,
                      .limits = {},
                      .clock = Clock::System(),
                      .random = Random::System(),
                      .slots = slots_,
                      .progress = ProgressReporter([](const auto&) {}, Clock::System()),
                      .pace = {.ping = std::chrono::milliseconds(100)}};
  postgres::Connection main_ = Connect();
  SessionWatch watch_{context_, main_};
  std::unique_ptr<history::ToolTable> tool_;
};

TEST_F(TableGuardTest, KeepsTheToolOutUntilItLetsGo) {
  auto guard = Take();
  ASSERT_TRUE(guard);
  EXPECT_EQ(Write(), "55P03");
  EXPECT_TRUE((*guard)->Release());
  sql_.Exec("INSERT INTO migrations VALUES ('x')");
  auto again = Take();
  ASSERT_TRUE(again);
  EXPECT_NE((*again)->tool_state(), (*guard)->tool_state());
  again->reset();
  sql_.Exec("INSERT INTO migrations VALUES ('y')");
}

TEST_F(TableGuardTest, WaitsForTheLockNoLongerThanItMay) {
  PgClient tool(database_);
  tool.Exec("BEGIN; INSERT INTO migrations VALUES ('x')");
  const auto guard = Take();
  ASSERT_FALSE(guard);
  EXPECT_EQ(guard.error().failure.sql_state, "55P03");
  EXPECT_TRUE(guard.error().transient);
}

TEST_F(TableGuardTest, HoldsUpNoIndexBuildAndIsPingedMeanwhile) {
  sql_.Exec("CREATE TABLE t (n int)");
  auto guard = Take();
  ASSERT_TRUE(guard);
  ASSERT_TRUE(main_.Execute("SET statement_timeout = '20s'"));
  EXPECT_TRUE(main_.Execute("CREATE INDEX CONCURRENTLY i ON t (n)"));
  // Pinged again and again.
  const std::string changes =
      "SELECT max(state_change) FROM pg_stat_activity WHERE datname = current_database() AND "
      "application_name LIKE 'whimbrel/%' AND state = 'idle in transaction'";
  const std::string before = sql_.Scalar(changes);
  EXPECT_TRUE(Eventually([&] { return sql_.Scalar(changes) > before; }));
  EXPECT_TRUE((*guard)->Release());
}

TEST_F(TableGuardTest, SaysThatItWasLost) {
  auto guard = Take();
  ASSERT_TRUE(guard);
  sql_.Exec(
      "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = current_database() "
      "AND state = 'idle in transaction'");
  EXPECT_FALSE((*guard)->Release());
  sql_.Exec("INSERT INTO migrations VALUES ('x')");
}

}  // namespace
}  // namespace whimbrel::engine
