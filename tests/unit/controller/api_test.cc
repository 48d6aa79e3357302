#include "whimbrel/controller/api.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

#include "unit/controller/manifests.h"

namespace whimbrel::controller {
namespace {

using nlohmann::json;
using testing::CrdSchema;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

json Minimal() {
  return json::parse(R"({
    "apiVersion": "whimbrel.dev/v1alpha1", "kind": "DatabaseMigration",
    "metadata": {"name": "orders", "namespace": "shop", "uid": "u", "generation": 3,
                 "resourceVersion": "12"},
    "spec": {"source": {"configMaps": [{"name": "sql"}]},
             "database": {"secretRef": {"name": "db"}}}})");
}

TEST(Api, DefaultsAreThoseOfTheCrd) {
  json defaulted = Minimal();
  CrdSchema().ApplyDefaults(defaulted);
  const Spec own = ParseSpec(Minimal()["spec"]).value();
  const Spec crd = ParseSpec(defaulted["spec"]).value();
  EXPECT_EQ(own.execution.mode, crd.execution.mode);
  EXPECT_EQ(own.execution.request.lock_timeout, crd.execution.request.lock_timeout);
  EXPECT_EQ(own.execution.request.lock_budget, crd.execution.request.lock_budget);
  EXPECT_EQ(own.execution.request.statement_timeout, crd.execution.request.statement_timeout);
  EXPECT_EQ(own.execution.request.deadline, crd.execution.request.deadline);
  EXPECT_EQ(own.execution.retry.limit, crd.execution.retry.limit);
  EXPECT_EQ(own.execution.retry.backoff.initial, crd.execution.retry.backoff.initial);
  EXPECT_EQ(own.execution.retry.backoff.max, crd.execution.retry.backoff.max);
  EXPECT_EQ(own.history.schema, crd.history.schema);
  EXPECT_EQ(own.history.set, crd.history.set);
  EXPECT_EQ(own.history.adopt, crd.history.adopt);
  EXPECT_EQ(own.database.ready_timeout, crd.database.ready_timeout);
  EXPECT_EQ(own.source.format, crd.source.format);
  EXPECT_EQ(own.target_version, crd.target_version);
}

TEST(Api, ReadsEveryField) {
  const json spec = json::parse(R"json({
    "suspend": true,
    "source": {"configMaps": [{"name": "a", "keys": ["1.sql"], "directory": "db/x"}],
               "inline": [{"name": "2.sql", "sql": "select 1"}],
               "format": "Flyway", "digest": "sha256:00"},
    "database": {"secretRef": {"name": "db", "keys": {"uri": "dsn", "password": "pw"}},
                 "tls": {"mode": "VerifyFull", "caRef": {"kind": "Secret", "name": "ca"},
                         "clientCertSecretRef": {"name": "cert"}},
                 "role": "owner",
                 "ready": {"timeoutSeconds": 7, "extensions": ["citus"], "minCitusWorkers": 2}},
    "history": {"schema": "s", "set": "t", "table": "m(n)", "adopt": "Require",
                "baselineVersion": "4"},
    "execution": {"mode": "InProcess", "transaction": "All", "outOfOrder": "Skip",
                  "lockTimeoutSeconds": 3, "lockBudgetSeconds": 4, "statementTimeoutSeconds": 0,
                  "deadlineSeconds": 6,
                  "retry": {"limit": 9, "initialSeconds": 1, "maxSeconds": 2}},
    "target": {"version": "12"}})json");
  const Spec read = ParseSpec(spec).value();
  EXPECT_TRUE(read.suspend);
  EXPECT_EQ(read.source.config_maps.front().directory, "db/x");
  EXPECT_THAT(read.source.config_maps.front().keys, ElementsAre("1.sql"));
  EXPECT_EQ(read.source.inline_files.front().sql, "select 1");
  EXPECT_EQ(read.source.format, migration::Format::kFlyway);
  EXPECT_EQ(read.source.digest, "sha256:00");
  EXPECT_EQ(read.database.secret->keys.uri, "dsn");
  EXPECT_EQ(read.database.secret->keys.password, "pw");
  EXPECT_EQ(read.database.tls.mode, "verify-full") << "libpq's word";
  EXPECT_EQ(read.database.tls.ca->kind, KeyRef::Kind::kSecret);
  EXPECT_EQ(read.database.tls.ca->key, "ca.crt");
  EXPECT_EQ(read.database.tls.client_certificate_secret, "cert");
  EXPECT_EQ(read.database.role, "owner");
  EXPECT_EQ(read.database.ready_timeout, std::chrono::seconds(7));
  EXPECT_THAT(read.database.extensions, ElementsAre("citus"));
  EXPECT_EQ(read.database.min_citus_workers, 2);
  EXPECT_EQ(read.history.table, "m(n)");
  EXPECT_EQ(read.history.adopt, report::Adopt::kRequire);
  EXPECT_EQ(read.history.baseline_version, "4");
  EXPECT_EQ(read.execution.mode, ExecutionMode::kInProcess);
  EXPECT_EQ(read.execution.request.transaction, report::TransactionPolicy::kAll);
  EXPECT_EQ(read.execution.request.out_of_order, report::OutOfOrder::kSkip);
  EXPECT_EQ(read.execution.request.statement_timeout, std::chrono::seconds(0));
  EXPECT_EQ(read.execution.retry.limit, 9);
  EXPECT_EQ(read.target_version, "12");
}

TEST(Api, AnArchiveHasAKeyByDefaultAndItsConfigMapIsWatched) {
  json object = Minimal();
  object["spec"]["source"] = {{"archive", {{"configMap", "packed"}}}};
  EXPECT_EQ(ParseSpec(object["spec"])->source.archive,
            (ArchiveSource{"packed", "migrations.tar.gz"}));
  EXPECT_THAT(Summarize(object).config_maps, ElementsAre("packed"));
  object["spec"]["source"]["archive"]["key"] = "a.tgz";
  EXPECT_EQ(ParseSpec(object["spec"])->source.archive->key, "a.tgz");
}

TEST(Api, LatestIsNoVersion) {
  json spec = Minimal()["spec"];
  spec["target"]["version"] = "Latest";
  EXPECT_EQ(ParseSpec(spec)->target_version, "");
}

TEST(Api, AValueOfANewerVersionIsAnErrorThatNamesTheField) {
  json spec = Minimal()["spec"];
  spec["execution"]["mode"] = "Fargate";
  EXPECT_EQ(ParseSpec(spec).error().message,
            "spec.execution.mode: this version of Whimbrel does not know `Fargate`; it knows Job, "
            "InProcess");
  spec = Minimal()["spec"];
  spec["source"]["format"] = "Sqitch";
  EXPECT_THAT(ParseSpec(spec).error().message, HasSubstr("spec.source.format"));
}

TEST(Api, NothingCrashesWhateverTheShape) {
  for (const char* text :
       {"null", "[]", "7", "{}", R"({"metadata": 1, "spec": [], "status": "x"})",
        R"({"spec": {"source": {"configMaps": [1, null, "x"]}, "database": {"secretRef": 5}},
            "status": {"conditions": {}, "run": [], "applied": [1], "appliedCount": 1e300}})",
        R"({"metadata": {"generation": 99999999999999999999}, "spec": {"source": null}})"}) {
    const DatabaseMigration object = ParseDatabaseMigration(json::parse(text));
    EXPECT_FALSE(object.spec) << text;
    (void)Summarize(json::parse(text));
  }
}

TEST(Api, OnlyATimeIsARequest) {
  json object = Minimal();
  object["metadata"]["annotations"] = {
      {"whimbrel.dev/retry-requested-at", "now, please"},
      {"whimbrel.dev/cancel-requested-at", "2026-11-21T10:00:00Z"}};
  const DatabaseMigration parsed = ParseDatabaseMigration(object);
  EXPECT_EQ(parsed.metadata.retry_request, "");
  EXPECT_EQ(parsed.metadata.cancel_request, "2026-11-21T10:00:00Z");
}

Status FullStatus() {
  const SystemTime time(std::chrono::seconds(1767323045));
  const std::string digest = "sha256:" + std::string(64, 'a');
  Status status{.observed_generation = 3,
                .current_version = "12",
                .target_version = "13",
                .applied_count = 0,
                .pending_count = 1};
  for (const char* type : {"Ready", "Reconciling", "Stalled"}) {
    status.conditions.push_back({.type = type,
                                 .status = Truth::kFalse,
                                 .reason = "MigrationFailed",
                                 .observed_generation = 3,
                                 .last_transition_time = time});
  }
  status.source = SourceStatus{.digest = digest,
                               .format = "Numbered",
                               .format_reason = "3 of 3 names",
                               .files = 3,
                               .resolved = {{"ConfigMap", "sql", "uid", "7"}}};
  status.applied = {{"12", "V", "a", "sum", time, 5}};
  status.pending = {{"13", "b", "13_b.sql"}};
  status.run = RunState{.id = "r",
                        .attempt = 2,
                        .retries = 1,
                        .generation = 3,
                        .source_digest = digest,
                        .start_time = time,
                        .completion_time = time,
                        .next_retry_time = time,
                        .phase = "Failed",
                        .detail = "d",
                        .current_version = "13",
                        .file = "13_b.sql",
                        .statement = 4,
                        .statements = 9,
                        .line = 77,
                        .copied_bytes = std::int64_t{5} << 40,
                        .activity = "waiting",
                        .done = 1,
                        .total = 2};
  status.failure = FailureStatus{.version = "13",
                                 .file = "13_b.sql",
                                 .line = 4,
                                 .column = 12,
                                 .sql_state = "42P01",
                                 .message = "m",
                                 .hint = "h",
                                 .first_seen = time};
  status.database = DatabaseStatus{"15.18", "orders", "42"};
  status.history_set = "default";
  status.last_success_time = time;
  status.retry_requested_at = status.cancel_requested_at = "2026-11-21T10:00:00Z";
  return status;
}

TEST(Api, AStatusThatWasWrittenIsReadAsItWas) {
  EXPECT_EQ(StatusFromJson(ToJson(FullStatus())), FullStatus());
  EXPECT_EQ(StatusFromJson(ToJson(Status())), Status());
}

TEST(Api, TheCrdKnowsEveryFieldOfStatus) {
  json object = Minimal();
  object["status"] = ToJson(FullStatus());
  EXPECT_THAT(CrdSchema().Validate(object), IsEmpty());
}

struct StandingCase {
  std::string sentence;
  std::string ready;
  std::string stalled;
  std::string reason;
  int observed;
  Standing standing;
};

TEST(Api, TellsWhereAResourceStands) {
  const std::vector<StandingCase> cases = {
      {"at its target", "True", "False", "UpToDate", 3, Standing::kReady},
      {"edited since", "True", "False", "UpToDate", 2, Standing::kWorking},
      {"at work", "False", "False", "Migrating", 3, Standing::kWorking},
      {"between attempts", "False", "False", "Retrying", 3, Standing::kWorking},
      {"stopped", "False", "True", "MigrationFailed", 3, Standing::kStalled},
      {"stopped before an edit", "False", "True", "MigrationFailed", 2, Standing::kWorking},
      {"stopped by its owner", "False", "False", "Suspended", 3, Standing::kSuspended},
      {"without files", "False", "False", "SourceNotFound", 3, Standing::kWaitingForObjects},
      {"with an old password", "False", "False", "AuthenticationFailed", 3,
       Standing::kWaitingForObjects},
      {"without a Secret", "False", "False", "SecretNotFound", 3, Standing::kWaitingForObjects}};
  for (const StandingCase& c : cases) {
    json object = Minimal();
    const auto condition = [&](const char* type, const std::string& status) {
      return json{{"type", type},
                  {"status", status},
                  {"reason", c.reason},
                  {"message", ""},
                  {"observedGeneration", c.observed}};
    };
    object["status"] = {
        {"observedGeneration", c.observed},
        {"conditions", {condition("Ready", c.ready), condition("Stalled", c.stalled)}}};
    EXPECT_EQ(Summarize(object).standing, c.standing) << c.sentence;
    object["metadata"]["annotations"] = {
        {"whimbrel.dev/retry-requested-at", "2026-11-21T10:00:00Z"}};
    EXPECT_EQ(Summarize(object).standing, Standing::kWorking) << c.sentence << ", asked to retry";
  }
  EXPECT_EQ(Summarize(Minimal()).standing, Standing::kWorking) << "never looked at";
}

}  // namespace
}  // namespace whimbrel::controller
