// One set per seed document, applied from a ConfigMap by the real controller on a real API server;
// its schema, triggers and policies are checked by use.

#include "unit/cli/cluster_fixture.h"

namespace whimbrel::cli {
namespace {

using ::testing::HasSubstr;

class ExamplesTest : public ClusterTest {
 protected:
  /// Applies a set with a Secret for our database, and waits until it is Ready. Here are no nodes
  /// that could run a Job, as it asks for by default: tests/e2e/scenarios/examples.sh has them.
  void Migrate(const std::string& folder, const std::string& name) {
    controller_ = StartController();
    Apply(SecretYaml(name + "-db", database_));
    const std::string path = std::string(WHIMBREL_SOURCE_DIR) + "/examples/" + folder;
    Kubectl({"apply", "-f", path + "/1-configmap.yaml"});
    Apply(Kubectl({"patch", "--local", "-f", path + "/2-databasemigration.yaml", "--type=merge",
                   "-p", R"({"spec": {"execution": {"mode": "InProcess"}}})", "-o", "yaml"}));
    ASSERT_TRUE(BecomesReady(name));
  }

  std::unique_ptr<whimbrel::testing::Subprocess> controller_;
};

TEST_F(ExamplesTest, NumberedFilesWithDownSections) {
  Migrate("numbered-with-down-sections", "platform");
  sql_.Exec(
      "INSERT INTO audit_log (request_id, customer_id, bid_amount, bid_source, platform, "
      "bid_status) VALUES ('test_001', "
      "'cust_123', 10.50, 'AI_PREDICTION', 'google_ads', 'ACCEPTED')");
  EXPECT_EQ(
      sql_.SqlstateOf("UPDATE audit_log SET bid_amount = 20.00 WHERE request_id = 'test_001'"),
      "23001");
  EXPECT_EQ(sql_.SqlstateOf("DELETE FROM audit_log"), "23001");

  sql_.Exec(
      "INSERT INTO budget_allocations (allocation_id, customer_id, campaign_id, total_budget, "
      "allocated_budget, start_date, "
      "end_date) VALUES ('budget_test_001', 'cust_123', 'camp_456', 1000, 1000, now(), now() + "
      "INTERVAL '30 days'); "
      "INSERT INTO budget_transactions (transaction_id, allocation_id, transaction_type, amount, "
      "balance_before, "
      "balance_after, approved) VALUES ('txn_001', 'budget_test_001', 'bid', 850, 1000, 150, "
      "true)");
  EXPECT_EQ(
      sql_.Text(
          "SELECT spent_amount, last_warning_at IS NOT NULL, last_critical_at IS NOT NULL FROM "
          "budget_allocations"),
      "850.00|t|f");
  // The down sections were not run, but kept for the day when they are wanted.
  EXPECT_EQ(sql_.Scalar("SELECT count(*) FROM whimbrel.whimbrel_script"), "4");
}

TEST_F(ExamplesTest, TimestampedFilesWithRowLevelSecurity) {
  Migrate("timestamped-row-level-security", "commerce");
  EXPECT_EQ(Kubectl({"get", "dbmig", "commerce", "-o", "jsonpath={.status.currentVersion}"}),
            "20250608120000");
  sql_.Exec(
      "INSERT INTO user_preferences (user_id, preference_key) VALUES ('ann', 'a'), ('bob', 'b')");
  const std::string app = "app_" + database_.dbname;
  sql_.Exec("CREATE ROLE " + app + "; GRANT SELECT ON user_preferences TO " + app + "; SET ROLE " +
            app + "; SET app.current_user_id = 'ann'");
  EXPECT_EQ(sql_.Text("SELECT user_id FROM user_preferences"), "ann");
}

TEST_F(ExamplesTest, FlywayFilesOfAnEventSourcedSchema) {
  Migrate("flyway-event-sourcing", "betting");
  sql_.Exec(
      "INSERT INTO bet_events (tenant_id, aggregate_id, event_type, event_data, idempotency_key) "
      "VALUES (1, 7, 'BetPlaced', "
      "'{\"user_id\": 42, \"amount\": 10.50, \"status\": \"PLACED\"}', gen_random_uuid())");
  EXPECT_EQ(sql_.Text("SELECT bet_id, user_id, amount, status_code FROM bets"),
            "7|42|10.50|PLACED");
  EXPECT_EQ(sql_.Text("SELECT bets, amount FROM tenant_totals"), "1|10.50");
  EXPECT_EQ(sql_.SqlstateOf("DELETE FROM bet_events"), "P0001");
  EXPECT_EQ(sql_.Text("SELECT string_agg(coalesce(version, 'R'), ' ' ORDER BY installed_rank) FROM "
                      "flyway_schema_history"),
            "20251118195800 20251118200000 20251118201500 R");
}

TEST_F(ExamplesTest, NumberedFilesOverAnExistingTable) {
  // What the team's own runner has left behind.
  sql_.Exec(
      "CREATE TABLE migrations (id serial PRIMARY KEY, name varchar(255) UNIQUE NOT NULL, "
      "executed_at timestamp DEFAULT "
      "now()); INSERT INTO migrations (name) VALUES ('001_create_users_table.sql'), "
      "('002_create_contracts_table.sql'); "
      "CREATE TABLE users (id serial PRIMARY KEY, name varchar(255) NOT NULL); CREATE TABLE "
      "contracts (id serial PRIMARY "
      "KEY, user_id int)");
  Migrate("numbered-existing-table", "rental");
  EXPECT_EQ(sql_.Scalar("SELECT string_agg(left(name, 3), ' ' ORDER BY id) FROM migrations"),
            "001 002 003 004");
  sql_.Exec(
      "INSERT INTO users (name) VALUES ('ann'); INSERT INTO invoices (user_id, amount, updated_at) "
      "VALUES (1, 5, "
      "'2000-01-01'); UPDATE invoices SET amount = 6");
  EXPECT_EQ(sql_.Text("SELECT updated_at > '2001-01-01' FROM invoices"), "t");
  EXPECT_EQ(sql_.Scalar("SELECT notification_preference FROM users"), "email");
  EXPECT_THAT(Events("HistoryAdopted"), HasSubstr("public.migrations"));

  // As the team's guide says: delete the row to run the file again.
  sql_.Exec(
      "DELETE FROM migrations WHERE name LIKE '004%'; DROP INDEX "
      "idx_users_notification_preference; ALTER TABLE users "
      "DROP COLUMN notification_preference; DROP TYPE notification_preference");
  Kubectl({"annotate", "dbmig", "rental", "whimbrel.dev/retry-requested-at=2026-01-02T03:04:05Z"});
  EXPECT_TRUE(whimbrel::testing::EventuallyEquals<std::string>(
      [&] { return sql_.Scalar("SELECT count(*) FROM migrations WHERE name LIKE '004%'"); }, "1"));
}

}  // namespace
}  // namespace whimbrel::cli
