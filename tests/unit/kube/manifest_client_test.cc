#include "whimbrel/kube/manifest_client.h"

#include <gtest/gtest.h>

#include <mutex>
#include <nlohmann/json.hpp>
#include <string>
#include <thread>
#include <vector>

#include "support/eventually.h"
#include "support/fake_clock.h"
#include "support/temp_dir.h"
#include "unit/kube/real_crd.h"

namespace whimbrel::kube {
namespace {

using testing::Eventually;
using testing::FakeClock;
using testing::TempDir;

const Resource kMigrations{.group = "whimbrel.dev",
                           .version = "v1alpha1",
                           .plural = "databasemigrations",
                           .kind = "DatabaseMigration"};
const ObjectKey kOrders{"shop", "orders"};

/// A stand-in for the twins of `controller`.
std::vector<std::string> SetIsImmutable(const Json& object, const Json& old_object) {
  const Json::json_pointer set("/spec/history/set");
  if (old_object.is_null() || object.at(set) == old_object.at(set)) return {};
  return {"spec.history.set: may not be changed"};
}

std::string Migration(const std::string& extra_spec = "", const std::string& annotation = "a") {
  return "apiVersion: whimbrel.dev/v1alpha1\nkind: DatabaseMigration\n"
         "metadata: {name: orders, annotations: {note: " +
         annotation +
         "}}\nspec:\n"
         "  database: {secretRef: {name: orders-db}}\n"
         "  source: {configMaps: [{name: orders-sql}]}\n" +
         extra_spec;
}

constexpr const char* kConfigMap =
    "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: orders-sql}\ndata: {1.sql: SELECT 1}\n";

class ManifestClientTest : public ::testing::Test {
 protected:
  ManifestClientTest() {
    folder_.Write("config.yaml", kConfigMap);
    folder_.Write("migration.yaml", Migration());
    client_ = ManifestClient::Load({folder_.path()}, "shop",
                                   {{.resource = kMigrations,
                                     .schema = DatabaseMigrationSchema(),
                                     .validate = SetIsImmutable}},
                                   clock_)
                  .value();
  }

  Json Get(const Resource& resource = kMigrations, const ObjectKey& key = kOrders) {
    return client_->Get(resource, key, {}).value();
  }
  static std::string VersionOf(const Json& object) {
    return object.at("metadata").at("resourceVersion");
  }
  /// A status as the controller writes it: whole, with the version it was computed from.
  static Json Status(const std::string& version, const Json& status) {
    Json object = {{"apiVersion", "whimbrel.dev/v1alpha1"},
                   {"kind", "DatabaseMigration"},
                   {"metadata", {{"name", "orders"}, {"namespace", "shop"}}},
                   {"status", status}};
    if (!version.empty()) object["metadata"]["resourceVersion"] = version;
    return object;
  }
  ApiResult<Json> ApplyStatus(const std::string& version, const Json& status) {
    return client_->Apply(kMigrations, Status(version, status),
                          {.field_manager = "whimbrel", .subresource = "status"}, {});
  }

  TempDir folder_;
  FakeClock clock_;
  std::unique_ptr<ManifestClient> client_;
};

TEST_F(ManifestClientTest, ObjectsLookAsIfAServerHadStoredThem) {
  const Json object = Get();
  const Json& metadata = object.at("metadata");
  EXPECT_EQ(metadata.at("namespace"), "shop");
  EXPECT_EQ(metadata.at("generation"), 1);
  EXPECT_EQ(metadata.at("creationTimestamp"), "2026-01-02T03:04:05Z");
  EXPECT_EQ(metadata.at("uid").get<std::string>().size(), 36u);
  EXPECT_FALSE(VersionOf(object).empty());
  EXPECT_EQ(object.at("spec").at("execution").at("mode"), "Job") << "defaults are filled in";
  EXPECT_EQ(object.at("status"), Json::parse(R"({"observedGeneration": -1})"));
  EXPECT_FALSE(Get(ConfigMaps(), {"shop", "orders-sql"}).at("metadata").contains("generation"));
}

TEST_F(ManifestClientTest, WhatIsNotThereIsNotFound) {
  const auto absent = client_->Get(Secrets(), {"shop", "orders-db"}, {});
  ASSERT_FALSE(absent);
  EXPECT_TRUE(absent.error().IsNotFound());
  EXPECT_EQ(absent.error().code, 404);
  EXPECT_EQ(absent.error().message, "secrets \"orders-db\" not found");
  const auto migration = client_->Get(kMigrations, {"elsewhere", "orders"}, {});
  EXPECT_EQ(migration.error().message, "databasemigrations.whimbrel.dev \"orders\" not found");
  const Resource jobs{.group = "batch", .version = "v1", .plural = "jobs", .kind = "Job"};
  EXPECT_TRUE(client_->Get(jobs, kOrders, {}).error().IsNotFound());
}

TEST_F(ManifestClientTest, ListsOfMetadataHoldNoData) {
  std::vector<Json> objects;
  const auto version = client_->List(ConfigMaps(), {.metadata_only = true},
                                     [&](Json&& object) { objects.push_back(object); }, {});
  ASSERT_TRUE(version);
  ASSERT_EQ(objects.size(), 1u);
  EXPECT_EQ(objects[0].at("kind"), "PartialObjectMetadata");
  EXPECT_EQ(objects[0].at("metadata").at("name"), "orders-sql");
  EXPECT_FALSE(objects[0].contains("data"));
}

TEST_F(ManifestClientTest, SelectorsAreRefusedInsteadOfIgnored) {
  const auto listed = client_->List(ConfigMaps(), {.label_selector = "a=b"}, [](Json&&) {}, {});
  ASSERT_FALSE(listed);
  EXPECT_EQ(listed.error().reason, ApiErrorReason::kInvalid);
}

TEST_F(ManifestClientTest, AStatusReplacesTheWholeStatusAndNothingElse) {
  const Json before = Get();
  const Json first = {{"observedGeneration", 1}, {"currentVersion", "1"}};
  const auto stored = ApplyStatus(VersionOf(before), first);
  ASSERT_TRUE(stored) << stored.error().ToString();
  EXPECT_EQ(stored->at("status"), first);
  EXPECT_EQ(*stored, Get());
  EXPECT_NE(VersionOf(*stored), VersionOf(before));
  Json expected = before;
  expected["status"] = first;
  expected["metadata"]["resourceVersion"] = VersionOf(*stored);
  EXPECT_EQ(*stored, expected) << "generation, annotations and spec stay";
  const auto second = ApplyStatus(VersionOf(*stored), {{"observedGeneration", 1}});
  EXPECT_FALSE(second->at("status").contains("currentVersion")) << "what is left out is gone";
}

TEST_F(ManifestClientTest, AStatusThatChangesNothingGetsNoNewVersion) {
  const auto first = ApplyStatus("", {{"observedGeneration", 1}});
  const auto second = ApplyStatus(VersionOf(*first), {{"observedGeneration", 1}});
  EXPECT_EQ(VersionOf(*second), VersionOf(*first));
}

TEST_F(ManifestClientTest, AStatusComputedFromAnOlderObjectIsAConflict) {
  const std::string old_version = VersionOf(Get());
  ASSERT_TRUE(ApplyStatus(old_version, {{"observedGeneration", 1}}));
  const auto late = ApplyStatus(old_version, {{"observedGeneration", 0}});
  ASSERT_FALSE(late);
  EXPECT_TRUE(late.error().IsConflict());
  EXPECT_EQ(
      late.error().message,
      "Operation cannot be fulfilled on databasemigrations.whimbrel.dev \"orders\": the object "
      "has been modified; please apply your changes to the latest version and try again");
  EXPECT_EQ(Get().at("status").at("observedGeneration"), 1);
}

TEST_F(ManifestClientTest, AnUpdateReplacesTheSpecAloneAndOnlyOfTheVersionItWasMadeFrom) {
  Json object = Get();
  const std::string first = VersionOf(object);
  ASSERT_TRUE(ApplyStatus(first, {{"observedGeneration", 1}}));
  object["spec"]["suspend"] = true;
  object["status"] = {{"observedGeneration", 7}};
  const auto stale = client_->Update(kMigrations, object, {});
  ASSERT_FALSE(stale);
  EXPECT_TRUE(stale.error().IsConflict()) << stale.error().ToString();

  object["metadata"]["resourceVersion"] = VersionOf(Get());
  const auto updated = client_->Update(kMigrations, object, {});
  ASSERT_TRUE(updated) << updated.error().ToString();
  EXPECT_EQ(updated->at("metadata").at("generation"), 2);
  EXPECT_EQ(updated->at("status").at("observedGeneration"), 1);

  object["metadata"].erase("resourceVersion");
  EXPECT_EQ(client_->Update(kMigrations, object, {}).error().reason, ApiErrorReason::kInvalid);
  object["metadata"]["resourceVersion"] = "1";
  object["metadata"]["name"] = "absent";
  EXPECT_TRUE(client_->Update(kMigrations, object, {}).error().IsNotFound());
}

TEST_F(ManifestClientTest, ThereAreNoPodsAndNoLogs) {
  EXPECT_TRUE(client_->ReadLog({"shop", "pod"}, {}, {}).error().IsNotFound());
}

TEST_F(ManifestClientTest, AStatusThatBreaksTheSchemaIsInvalid) {
  const auto result = ApplyStatus("", {{"phase", "x"}, {"appliedCount", -1}});
  ASSERT_FALSE(result);
  EXPECT_EQ(result.error().reason, ApiErrorReason::kInvalid);
  EXPECT_EQ(result.error().code, 422);
  EXPECT_TRUE(result.error().message.starts_with(
      "DatabaseMigration \"orders\" is invalid: [status.appliedCount: Invalid value: -1: "))
      << result.error().message;
  EXPECT_EQ(Get().at("status").at("observedGeneration"), -1);
}

TEST_F(ManifestClientTest, AStatusOfNothingIsNotFound) {
  folder_.Write("migration.yaml", "");
  ASSERT_TRUE(client_->Reload());
  EXPECT_TRUE(ApplyStatus("", {{"observedGeneration", 1}}).error().IsNotFound());
}

TEST_F(ManifestClientTest, EventsAreCreatedAndMergedIntoASeries) {
  const Json event = {{"apiVersion", "events.k8s.io/v1"},
                      {"kind", "Event"},
                      {"metadata", {{"name", "orders.1"}, {"namespace", "shop"}}},
                      {"note", "applied 1"}};
  ASSERT_TRUE(client_->Create(Events(), event, {}));
  const auto again = client_->Create(Events(), event, {});
  ASSERT_FALSE(again);
  EXPECT_EQ(again.error().reason, ApiErrorReason::kAlreadyExists);
  EXPECT_EQ(again.error().message, "events.events.k8s.io \"orders.1\" already exists");
  Json series = event;
  series.erase("note");
  series["series"] = {{"count", 2}};
  const auto applied = client_->Apply(Events(), series, {.field_manager = "whimbrel"}, {});
  ASSERT_TRUE(applied);
  EXPECT_EQ(applied->at("note"), "applied 1");
  EXPECT_EQ(applied->at("series").at("count"), 2);
}

TEST_F(ManifestClientTest, OnlyTheNewestThousandEventsAreKept) {
  for (int i = 0; i < 1005; ++i) {
    const Json event = {{"metadata", {{"name", "e" + std::to_string(i)}, {"namespace", "shop"}}}};
    ASSERT_TRUE(client_->Create(Events(), event, {}));
  }
  std::size_t count = 0;
  ASSERT_TRUE(client_->List(Events(), {}, [&](Json&&) { ++count; }, {}));
  EXPECT_EQ(count, 1000u);
  EXPECT_TRUE(client_->Get(Events(), {"shop", "e4"}, {}).error().IsNotFound());
}

TEST_F(ManifestClientTest, ACreateIsJudgedAndStartsWithoutAStatus) {
  Json object = Get();
  object["metadata"] = {{"name", "copy"}, {"namespace", "shop"}};
  object["status"] = {{"observedGeneration", 5}};
  const auto created = client_->Create(kMigrations, object, {});
  ASSERT_TRUE(created) << created.error().ToString();
  EXPECT_EQ(created->at("status").at("observedGeneration"), -1);
  EXPECT_NE(created->at("metadata").at("uid"), Get().at("metadata").at("uid"));
  object["metadata"]["name"] = "broken";
  object["spec"]["x"] = 1;
  const auto broken = client_->Create(kMigrations, object, {});
  ASSERT_FALSE(broken);
  EXPECT_EQ(broken.error().reason, ApiErrorReason::kInvalid);
}

TEST_F(ManifestClientTest, ADeleteCanBeTiedToAUid) {
  const std::string uid = Get().at("metadata").at("uid");
  EXPECT_TRUE(client_->Delete(kMigrations, kOrders, "another", {}).error().IsConflict());
  EXPECT_TRUE(client_->Delete(kMigrations, kOrders, uid, {}));
  EXPECT_TRUE(client_->Delete(kMigrations, kOrders, uid, {}).error().IsNotFound());
}

TEST_F(ManifestClientTest, ReloadRaisesTheGenerationOnlyWhenTheSpecChanged) {
  ASSERT_TRUE(ApplyStatus("", {{"observedGeneration", 1}, {"currentVersion", "3"}}));
  const Json before = Get();
  folder_.Write("migration.yaml", Migration("", "b"));
  ASSERT_TRUE(client_->Reload());
  const Json annotated = Get();
  EXPECT_EQ(annotated.at("metadata").at("generation"), 1);
  EXPECT_EQ(annotated.at("metadata").at("annotations").at("note"), "b");
  folder_.Write("migration.yaml", Migration("  suspend: true\n", "b"));
  ASSERT_TRUE(client_->Reload());
  const Json edited = Get();
  EXPECT_EQ(edited.at("metadata").at("generation"), 2);
  EXPECT_EQ(edited.at("spec").at("suspend"), true);
  EXPECT_EQ(edited.at("status"), before.at("status")) << "the status stays";
  EXPECT_EQ(edited.at("metadata").at("uid"), before.at("metadata").at("uid"));
}

TEST_F(ManifestClientTest, AReloadWithoutDifferencesChangesNothing) {
  ASSERT_TRUE(ApplyStatus("", {{"observedGeneration", 1}}));
  const Json before = Get();
  ASSERT_TRUE(client_->Reload());
  EXPECT_EQ(Get(), before);
}

TEST_F(ManifestClientTest, AReloadThatFailsChangesNothing) {
  const Json before = Get();
  folder_.Write("migration.yaml", Migration("  suspend: true\n  history: {set: other}\n"));
  folder_.Write("config.yaml", "");
  const auto reloaded = client_->Reload();
  ASSERT_FALSE(reloaded);
  EXPECT_EQ(reloaded.error().ToString(),
            (folder_ / "migration.yaml").string() +
                ":1: DatabaseMigration shop/orders: spec.history.set: may not be changed");
  EXPECT_EQ(Get(), before);
  EXPECT_TRUE(client_->Get(ConfigMaps(), {"shop", "orders-sql"}, {}));
}

/// Watches on a thread of its own until it is stopped.
class Watcher {
 public:
  Watcher(ManifestClient& client, const Resource& resource, const std::string& version)
      : thread_([this, &client, resource, version](std::stop_token stop) {
          result_ = client.Watch(
              resource, {.resource_version = version},
              [this](WatchEventType type, Json&& object) {
                const std::lock_guard lock(mutex_);
                seen_.emplace_back(type, object.at("metadata").at("name"));
              },
              std::move(stop));
        }) {}

  using Seen = std::vector<std::pair<WatchEventType, std::string>>;
  Seen seen() {
    const std::lock_guard lock(mutex_);
    return seen_;
  }
  ApiResult<void> Stop() {
    thread_.request_stop();
    thread_.join();
    return result_;
  }

 private:
  std::mutex mutex_;
  Seen seen_;
  ApiResult<void> result_;
  std::jthread thread_;
};

TEST_F(ManifestClientTest, AWatchSeesWhatAReloadBroughtAndStopsAtOnce) {
  const auto version = client_->List(ConfigMaps(), {}, [](Json&&) {}, {});
  Watcher watcher(*client_, ConfigMaps(), *version);
  folder_.Write("new.yaml", "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: more}\n");
  ASSERT_TRUE(client_->Reload());
  folder_.Write("new.yaml",
                "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: more}\ndata: {a: b}\n");
  ASSERT_TRUE(client_->Reload());
  folder_.Write("new.yaml", "");
  ASSERT_TRUE(client_->Reload());
  EXPECT_TRUE(Eventually([&] { return watcher.seen().size() == 3; }));
  const auto stopped = watcher.Stop();
  ASSERT_FALSE(stopped);
  EXPECT_EQ(stopped.error().reason, ApiErrorReason::kCancelled);
  EXPECT_EQ(watcher.seen(), (Watcher::Seen{{WatchEventType::kAdded, "more"},
                                           {WatchEventType::kModified, "more"},
                                           {WatchEventType::kDeleted, "more"}}));
}

TEST_F(ManifestClientTest, AWatchWakesUpWhenAStatusIsWritten) {
  Watcher watcher(*client_, kMigrations, VersionOf(Get()));
  ASSERT_TRUE(ApplyStatus("", {{"observedGeneration", 1}}));
  EXPECT_TRUE(Eventually([&] { return watcher.seen().size() == 1; }));
  EXPECT_FALSE(watcher.Stop());
}

TEST_F(ManifestClientTest, AWatchEndsCleanlyAtItsTimeout) {
  const WatchOptions options{.resource_version = VersionOf(Get()),
                             .timeout = std::chrono::seconds(0)};
  EXPECT_TRUE(client_->Watch(kMigrations, options, [](WatchEventType, Json&&) {}, {}));
}

TEST_F(ManifestClientTest, AWatchThatIsTooFarBehindHasToListAgain) {
  const std::string version = VersionOf(Get());
  for (int i = 0; i < 1002; ++i) ASSERT_TRUE(ApplyStatus("", {{"observedGeneration", i}}));
  const auto watched =
      client_->Watch(kMigrations, {.resource_version = version}, [](WatchEventType, Json&&) {}, {});
  ASSERT_FALSE(watched);
  EXPECT_EQ(watched.error().reason, ApiErrorReason::kExpired);
  EXPECT_EQ(watched.error().code, 410);
}

TEST_F(ManifestClientTest, AWatchFromAVersionThatIsNoneIsRefused) {
  for (const char* version : {"", "x", "1x", "-1"}) {
    const auto watched = client_->Watch(kMigrations, {.resource_version = version},
                                        [](WatchEventType, Json&&) {}, {});
    ASSERT_FALSE(watched) << version;
    EXPECT_EQ(watched.error().reason, ApiErrorReason::kInvalid) << version;
  }
}

TEST_F(ManifestClientTest, NothingIsDoneAfterAStop) {
  std::stop_source source;
  source.request_stop();
  const std::stop_token stop = source.get_token();
  EXPECT_EQ(client_->Get(kMigrations, kOrders, stop).error().reason, ApiErrorReason::kCancelled);
  EXPECT_EQ(client_->Delete(kMigrations, kOrders, "", stop).error().reason,
            ApiErrorReason::kCancelled);
  EXPECT_TRUE(client_->Get(kMigrations, kOrders, {}));
}

TEST_F(ManifestClientTest, OfManyWritersOfOneVersionExactlyOneWins) {
  const std::string version = VersionOf(Get());
  std::atomic<int> won = 0;
  {
    std::vector<std::jthread> writers;
    for (int i = 0; i < 8; ++i) {
      writers.emplace_back([&, i] {
        if (ApplyStatus(version, {{"observedGeneration", i}})) ++won;
      });
    }
  }
  EXPECT_EQ(won, 1);
}

}  // namespace
}  // namespace whimbrel::kube
