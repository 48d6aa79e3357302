#include "whimbrel/report/runner_task.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

namespace whimbrel::report {
namespace {

using nlohmann::json;
using std::chrono::milliseconds;
using std::chrono::seconds;
using ::testing::HasSubstr;
using ::testing::Not;

/// Every field differs from its default.
RunnerTask Full() {
  RunnerTask task;
  task.request = {.run_id = "0b9b5c52-1a35-4d3e-9d52-3c1a0c4f3a01",
                  .ns = "shop",
                  .name = "orders",
                  .attempt = 3,
                  .format = migration::Format::kFlyway,
                  .database = {.connection = PasswordlessConnection{.host = "db.shop.svc",
                                                                    .port = 6432,
                                                                    .dbname = "orders",
                                                                    .user = "migrator"},
                               .keys = {.uri = "u",
                                        .host = "h",
                                        .port = "p",
                                        .dbname = "d",
                                        .username = "n",
                                        .password = "w"},
                               .tls = {.mode = "verify-full"},
                               .role = "owner",
                               .ready_timeout = seconds(61),
                               .extensions = {"citus", "timescaledb"},
                               .min_citus_workers = 2},
                  .history = {.schema = "meta",
                              .set = "orders",
                              .table = "public.flyway_schema_history",
                              .adopt = Adopt::kRequire,
                              .baseline_version = "1.5"},
                  .execution = {.transaction = TransactionPolicy::kAll,
                                .out_of_order = OutOfOrder::kSkip,
                                .lock_timeout = milliseconds(2500),
                                .lock_budget = seconds(62),
                                .statement_timeout = milliseconds(63'500),
                                .deadline = seconds(64)},
                  .target_version = "7"};
  task.source_digest = "sha256:0123";
  task.folders = {{.origin = "ConfigMap shop/a", .directory = "a", .keys = {"1.sql", "2.sql"}},
                  {.origin = "ConfigMap shop/b", .directory = ""}};
  task.archive = "ConfigMap shop/archive, key sql.tar.gz";
  task.inline_files = true;
  task.secret = "shop/login";
  task.authority = "Secret shop/ca, key ca.crt";
  task.client_certificate = "shop/client";
  return task;
}

/// RunRequest has no comparison of its own: it holds a source.
void ExpectSame(const RunnerTask& a, const RunnerTask& b) { EXPECT_EQ(ToJson(a), ToJson(b)); }

TEST(RunnerTaskTest, HasStableNames) {
  EXPECT_EQ(ToJson(Full()), json::parse(R"json({
    "schemaVersion": 1,
    "runId": "0b9b5c52-1a35-4d3e-9d52-3c1a0c4f3a01",
    "namespace": "shop",
    "name": "orders",
    "attempt": 3,
    "format": "Flyway",
    "database": {
      "connection": {"host": "db.shop.svc", "port": 6432, "dbname": "orders", "user": "migrator"},
      "keys": {"uri": "u", "host": "h", "port": "p", "dbname": "d", "username": "n",
               "password": "w"},
      "tlsMode": "verify-full",
      "role": "owner",
      "readyTimeoutSeconds": 61,
      "extensions": ["citus", "timescaledb"],
      "minCitusWorkers": 2
    },
    "history": {"schema": "meta", "set": "orders", "table": "public.flyway_schema_history",
                "adopt": "Require", "baselineVersion": "1.5"},
    "execution": {"transaction": "All", "outOfOrder": "Skip", "lockTimeoutMilliseconds": 2500,
                  "lockBudgetSeconds": 62, "statementTimeoutMilliseconds": 63500,
                  "deadlineSeconds": 64},
    "targetVersion": "7",
    "sourceDigest": "sha256:0123",
    "folders": [
      {"origin": "ConfigMap shop/a", "directory": "a", "keys": ["1.sql", "2.sql"]},
      {"origin": "ConfigMap shop/b", "directory": "", "keys": []}
    ],
    "archive": "ConfigMap shop/archive, key sql.tar.gz",
    "inlineFiles": true,
    "secret": "shop/login",
    "authority": "Secret shop/ca, key ca.crt",
    "clientCertificate": "shop/client"
  })json"));
}

TEST(RunnerTaskTest, GivesTheSameTaskBack) {
  for (const RunnerTask& task : {Full(), RunnerTask()}) {
    const Result<RunnerTask> read = RunnerTaskFromJson(json::parse(ToJson(task).dump()));
    ASSERT_TRUE(read) << read.error().ToString();
    ExpectSame(*read, task);
  }
}

TEST(RunnerTaskTest, GivesEachChoiceBack) {
  for (const Adopt adopt : {Adopt::kNever, Adopt::kDetect, Adopt::kRequire}) {
    for (const auto order : {OutOfOrder::kReject, OutOfOrder::kApply, OutOfOrder::kSkip}) {
      for (const auto policy :
           {TransactionPolicy::kPerMigration, TransactionPolicy::kAll, TransactionPolicy::kNone}) {
        RunnerTask task;
        task.request.history.adopt = adopt;
        task.request.execution.out_of_order = order;
        task.request.execution.transaction = policy;
        const Result<RunnerTask> read = RunnerTaskFromJson(ToJson(task));
        ASSERT_TRUE(read) << read.error().ToString();
        EXPECT_EQ(read->request.history.adopt, adopt);
        EXPECT_EQ(read->request.execution.out_of_order, order);
        EXPECT_EQ(read->request.execution.transaction, policy);
      }
    }
  }
}

TEST(RunnerTaskTest, HoldsNoSecretAndCannotRaiseTrust) {
  RunnerTask task;
  task.request.database.credentials.emplace("password", Secret("canary"));
  task.request.database.conninfo = Secret("postgresql://u:canary@h/d");
  task.request.database.tls.ca_pem = "canary";
  task.request.database.tls.client_certificate_pem = "canary";
  task.request.database.tls.client_key_pem = Secret("canary");
  task.request.database.trust = Trust::kLocal;
  json value = ToJson(task);
  EXPECT_THAT(value.dump(), Not(HasSubstr("canary")));
  value["database"]["trust"] = "Local";
  const Result<RunnerTask> read = RunnerTaskFromJson(value);
  ASSERT_TRUE(read);
  EXPECT_EQ(read->request.database.trust, Trust::kCluster);
}

TEST(RunnerTaskTest, IgnoresUnknownFields) {
  json value = ToJson(Full());
  value["later"] = 1;
  value["database"]["later"] = 1;
  value["folders"][0]["later"] = 1;
  const Result<RunnerTask> read = RunnerTaskFromJson(value);
  ASSERT_TRUE(read) << read.error().ToString();
  ExpectSame(*read, Full());
}

TEST(RunnerTaskTest, NamesEveryFieldThatIsMissing) {
  const json whole = ToJson(Full()).flatten();
  for (const auto& [pointer, unused] : whole.items()) {
    const json::json_pointer field(pointer);
    json value = ToJson(Full());
    if (value.at(field.parent_pointer()).is_array()) continue;  // A list may have any length.
    value.at(field.parent_pointer()).erase(field.back());
    const Result<RunnerTask> read = RunnerTaskFromJson(value);
    ASSERT_FALSE(read) << pointer;
    EXPECT_THAT(read.error().message, HasSubstr(field.back() + " is missing")) << pointer;
  }
}

TEST(RunnerTaskTest, SaysWhatIsWrongAndWhere) {
  struct Case {
    const char* pointer;
    json wrong;
    const char* message;
  };
  const Case cases[] = {
      {"/schemaVersion", 2, "schemaVersion is 2, this program knows 1; use one version of"},
      {"/schemaVersion", "1", "schemaVersion must be a whole number"},
      {"/runId", 5, "runId must be a text"},
      {"/attempt", 1.5, "attempt must be a whole number from 0"},
      {"/attempt", -1, "attempt must be a whole number from 0"},
      {"/format", "Word", "format has the value `Word`, which this version of whimbrel does not"},
      {"/database", nullptr, "database must be an object"},
      {"/database/connection", "db", "database.connection must be an object"},
      {"/database/connection/port", 65536, "database.connection.port must be a whole number from"},
      {"/database/keys/uri", nullptr, "database.keys.uri must be a text"},
      {"/database/extensions", "citus", "database.extensions must be a list of texts"},
      {"/database/extensions/0", 7, "database.extensions must be a list of texts"},
      {"/database/readyTimeoutSeconds", 1e300, "database.readyTimeoutSeconds must be a whole"},
      {"/history/adopt", "Perhaps", "history.adopt has the value `Perhaps`"},
      {"/execution/transaction", "", "execution.transaction has the value ``"},
      {"/execution/deadlineSeconds", 9'000'000'000'000'000'000, "execution.deadlineSeconds must"},
      {"/execution/lockTimeoutMilliseconds", -1, "execution.lockTimeoutMilliseconds must be"},
      {"/folders", json::object(), "folders must be a list"},
      {"/folders/1", "b", "folders[1] must be an object"},
      {"/folders/0/origin", true, "folders[0].origin must be a text"},
      {"/folders/0/keys", "1.sql", "folders[0].keys must be a list of texts"},
      {"/inlineFiles", "yes", "inlineFiles must be true or false"},
  };
  for (const Case& c : cases) {
    json value = ToJson(Full());
    value[json::json_pointer(c.pointer)] = c.wrong;
    const Result<RunnerTask> read = RunnerTaskFromJson(value);
    ASSERT_FALSE(read) << c.pointer;
    EXPECT_EQ(read.error().kind, ErrorKind::kInvalidArgument) << c.pointer;
    EXPECT_THAT(read.error().message, HasSubstr("the run task cannot be read: ")) << c.pointer;
    EXPECT_THAT(read.error().message, HasSubstr(c.message)) << c.pointer;
  }
}

TEST(RunnerTaskTest, RefusesWhatIsNoObject) {
  for (const json& value : {json(), json::array(), json("task"), json(1)}) {
    const Result<RunnerTask> read = RunnerTaskFromJson(value);
    ASSERT_FALSE(read);
    EXPECT_EQ(read.error().message, "the run task cannot be read: it must be an object");
  }
}

}  // namespace
}  // namespace whimbrel::report
