#include <gtest/gtest.h>

#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "support/api_server.h"
#include "support/temp_dir.h"
#include "unit/kube/connect.h"
#include "unit/kube/real_crd.h"
#include "unit/kube/schema_cases.h"
#include "whimbrel/kube/manifest_client.h"

namespace whimbrel::kube {
namespace {

using testing::ApiServer;
using testing::TempDir;

const Resource kMigrations{.group = "whimbrel.dev",
                           .version = "v1alpha1",
                           .plural = "databasemigrations",
                           .kind = "DatabaseMigration"};

/// What a client did and answered, as one text: two clients that cannot be told apart give the
/// same.
class Transcript {
 public:
  void Note(const std::string& what, const std::string& answer) {
    lines_.push_back(what + ": " + answer);
  }
  template <class T>
  void Add(const std::string& what, const ApiResult<T>& result) {
    Note(what, result ? "done"
                      : std::string(ToString(result.error().reason)) + " " +
                            std::to_string(result.error().code));
  }
  void Add(const std::string& what, const ApiResult<Json>& result) {
    if (!result) return Add(what, ApiResult<void>(tl::make_unexpected(result.error())));
    Note(what, Stripped(*result).dump());
  }
  [[nodiscard]] const std::vector<std::string>& lines() const { return lines_; }

 private:
  /// Without what is different on every server.
  static Json Stripped(Json object) {
    for (const char* field : {"uid", "resourceVersion", "creationTimestamp"}) {
      object["metadata"][field] = object["metadata"].contains(field);
    }
    return object;
  }

  std::vector<std::string> lines_;
};

Json Status(const std::string& ns, const std::string& version, const Json& status) {
  Json object = {{"apiVersion", "whimbrel.dev/v1alpha1"},
                 {"kind", "DatabaseMigration"},
                 {"metadata", {{"name", "orders"}, {"namespace", ns}}},
                 {"status", status}};
  if (!version.empty()) object["metadata"]["resourceVersion"] = version;
  return object;
}

std::string VersionOf(const ApiResult<Json>& object) {
  return object ? object->at("metadata").at("resourceVersion").get<std::string>() : "none";
}

/// The calls of a controller's life, on a server that holds the DatabaseMigration `orders` and the
/// ConfigMap `orders-sql`.
std::vector<std::string> LifeOf(ObjectClient& client, const std::string& ns) {
  Transcript transcript;
  const ApplyOptions to_status{.field_manager = "whimbrel", .subresource = "status"};
  const ObjectKey orders{ns, "orders"};
  const auto apply = [&](const std::string& version, const Json& status) {
    return client.Apply(kMigrations, Status(ns, version, status), to_status, {});
  };

  const ApiResult<Json> first = client.Get(kMigrations, orders, {});
  transcript.Add("the resource", first);
  transcript.Add("the ConfigMap", client.Get(ConfigMaps(), {ns, "orders-sql"}, {}));
  transcript.Add("a Secret that is not there", client.Get(Secrets(), {ns, "orders-db"}, {}));
  ApiResult<std::string> from = client.List(
      kMigrations, {.ns = ns},
      [&](Json&& object) { transcript.Add("listed", ApiResult<Json>(std::move(object))); }, {});
  transcript.Add("the list", from);
  const auto listed =
      client.List(ConfigMaps(), {.ns = ns, .metadata_only = true},
                  [&](Json&& object) {
                    if (object.at("metadata").at("name") != "orders-sql")
                      return;  // Of the namespace itself.
                    transcript.Note("a ConfigMap has data", object.contains("data") ? "yes" : "no");
                  },
                  {});
  transcript.Add("the list of metadata", listed);

  const Json working = {{"observedGeneration", 1}, {"pendingCount", 2}, {"currentVersion", "1"}};
  const ApiResult<Json> second = apply(VersionOf(first), working);
  transcript.Add("a status", second);
  const ApiResult<Json> same = apply(VersionOf(second), working);
  transcript.Note("the same status has the same version",
                  VersionOf(same) == VersionOf(second) ? "yes" : "no");
  transcript.Add("a status from an older version", apply(VersionOf(first), working));
  transcript.Add("a status that leaves fields out", apply("", {{"observedGeneration", 1}}));
  transcript.Add("a status that breaks the schema", apply("", {{"appliedCount", -1}}));
  transcript.Add("a status of nothing",
                 client.Apply(kMigrations,
                              {{"apiVersion", "whimbrel.dev/v1alpha1"},
                               {"kind", "DatabaseMigration"},
                               {"metadata", {{"name", "nobody"}, {"namespace", ns}}},
                               {"status", {{"observedGeneration", 1}}}},
                              to_status, {}));

  transcript.Add("a deletion of another uid", client.Delete(kMigrations, orders, "another", {}));
  transcript.Add("a deletion", client.Delete(kMigrations, orders, "", {}));
  transcript.Add("a second deletion", client.Delete(kMigrations, orders, "", {}));
  std::stop_source enough;
  const auto watched = client.Watch(
      kMigrations, {.ns = ns, .resource_version = from.value_or("")},
      [&](WatchEventType type, Json&& object) {
        transcript.Note("seen", std::to_string(static_cast<int>(type)) + " " +
                                    object.value("status", Json()).dump());
        if (type == WatchEventType::kDeleted) enough.request_stop();
      },
      enough.get_token());
  transcript.Add("the watch", watched);
  return transcript.lines();
}

TEST(ManifestClientOnApiServer, CannotBeToldFromOne) {
  ApiServer& server = testing::SharedApiServer();
  server.MustKubectl({"apply", "-f", kCrdFile});
  server.AwaitEstablished("databasemigrations.whimbrel.dev");
  const std::string ns = server.CreateNamespace();
  const TempDir folder;
  folder.Write("1.json",
               DatabaseMigrationWith({{"metadata", {{"annotations", {{"a", "b"}}}}}}).dump());
  folder.Write("2.yaml",
               "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: orders-sql, labels: {a: b}}\n"
               "data: {001.sql: SELECT 1}\n");

  server.MustKubectl({"-n", ns, "create", "-f", folder.path()});
  const auto rest = Connect(server.kubeconfig());
  const auto manifests = ManifestClient::Load(
      {folder.path()}, ns,
      {{.resource = kMigrations, .schema = DatabaseMigrationSchema(), .validate = nullptr}});
  ASSERT_TRUE(manifests) << manifests.error().ToString();

  EXPECT_EQ(LifeOf(**manifests, ns), LifeOf(*rest, ns));
}

}  // namespace
}  // namespace whimbrel::kube
