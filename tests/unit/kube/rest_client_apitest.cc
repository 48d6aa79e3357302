#include <gtest/gtest.h>

#include <algorithm>
#include <atomic>
#include <future>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "kube/object_json.h"
#include "support/api_server.h"
#include "support/eventually.h"
#include "support/tcp_proxy.h"
#include "unit/kube/connect.h"

namespace whimbrel::kube {
namespace {

using nlohmann::json;
using std::chrono::seconds;
using testing::ApiServer;
using testing::Eventually;
using testing::SharedApiServer;
using testing::TcpProxy;
using Reason = ApiErrorReason;
using Strings = std::vector<std::string>;

std::string NameOf(const json& object) { return StringAt(object, "metadata", "name"); }
std::string VersionOf(const json& object) {
  return StringAt(object, "metadata", "resourceVersion");
}

class RestClientApiTest : public ::testing::Test {
 protected:
  [[nodiscard]] json ConfigMap(const std::string& name, const json& data = json::object()) const {
    return {{"apiVersion", "v1"},
            {"kind", "ConfigMap"},
            {"metadata", {{"name", name}, {"namespace", ns_}}},
            {"data", data}};
  }
  [[nodiscard]] ObjectKey Key(const std::string& name) const { return {ns_, name}; }

  ApiServer& server_ = SharedApiServer();
  const std::string ns_ = server_.CreateNamespace();
  const std::unique_ptr<ObjectClient> client_ = Connect(server_.kubeconfig());
};

TEST_F(RestClientApiTest, CreatesGetsAndDeletes) {
  const auto created = client_->Create(ConfigMaps(), ConfigMap("a", {{"k", "v"}}), {});
  ASSERT_TRUE(created) << created.error().ToString();
  EXPECT_FALSE(created->at("metadata").contains("managedFields"));
  const auto again = client_->Create(ConfigMaps(), ConfigMap("a"), {});
  ASSERT_FALSE(again);
  EXPECT_EQ(again.error().reason, Reason::kAlreadyExists) << again.error().ToString();

  const auto read = client_->Get(ConfigMaps(), Key("a"), {});
  ASSERT_TRUE(read) << read.error().ToString();
  EXPECT_EQ(*read, *created);

  const auto other_uid = client_->Delete(ConfigMaps(), Key("a"), "not-the-uid", {});
  ASSERT_FALSE(other_uid);
  EXPECT_TRUE(other_uid.error().IsConflict()) << other_uid.error().ToString();
  const auto deleted =
      client_->Delete(ConfigMaps(), Key("a"), StringAt(*read, "metadata", "uid"), {});
  EXPECT_TRUE(deleted) << deleted.error().ToString();
  EXPECT_TRUE(client_->Get(ConfigMaps(), Key("a"), {}).error().IsNotFound());
  EXPECT_TRUE(client_->Delete(ConfigMaps(), Key("a"), "", {}).error().IsNotFound());
}

TEST_F(RestClientApiTest, AppliesAWholeIntention) {
  const ApplyOptions options{.field_manager = "whimbrel-test"};
  auto applied =
      client_->Apply(ConfigMaps(), ConfigMap("a", {{"x", "1"}, {"y", "2"}}), options, {});
  ASSERT_TRUE(applied) << applied.error().ToString();
  applied = client_->Apply(ConfigMaps(), ConfigMap("a", {{"y", "3"}}), options, {});
  ASSERT_TRUE(applied) << applied.error().ToString();
  EXPECT_EQ(applied->at("data"), (json{{"y", "3"}})) << "what is left out is removed";
}

TEST_F(RestClientApiTest, AnApplyOverANewerObjectIsAConflict) {
  const ApplyOptions options{.field_manager = "whimbrel-test"};
  const auto first = client_->Apply(ConfigMaps(), ConfigMap("a", {{"x", "1"}}), options, {});
  ASSERT_TRUE(first) << first.error().ToString();
  ASSERT_TRUE(client_->Apply(ConfigMaps(), ConfigMap("a", {{"x", "2"}}), options, {}));
  json stale = ConfigMap("a", {{"x", "3"}});
  stale["metadata"]["resourceVersion"] = VersionOf(*first);
  const auto conflict = client_->Apply(ConfigMaps(), stale, options, {});
  ASSERT_FALSE(conflict);
  EXPECT_TRUE(conflict.error().IsConflict()) << conflict.error().ToString();
}

TEST_F(RestClientApiTest, OfTwoThatUpdateALeaseFromOneVersionTheSecondHasAConflict) {
  const json lease = {{"apiVersion", "coordination.k8s.io/v1"},
                      {"kind", "Lease"},
                      {"metadata", {{"name", "leader"}, {"namespace", ns_}}},
                      {"spec", {{"holderIdentity", "a"}, {"leaseDurationSeconds", 15}}}};
  const auto created = client_->Create(Leases(), lease, {});
  ASSERT_TRUE(created) << created.error().ToString();
  EXPECT_EQ(client_->Create(Leases(), lease, {}).error().reason, Reason::kAlreadyExists);

  json mine = *created;
  mine["spec"]["holderIdentity"] = "b";
  const auto updated = client_->Update(Leases(), mine, {});
  ASSERT_TRUE(updated) << updated.error().ToString();
  EXPECT_EQ(updated->at("spec").at("holderIdentity"), "b");
  EXPECT_NE(VersionOf(*updated), VersionOf(*created));
  EXPECT_EQ(client_->Update(Leases(), mine, {}).error().reason, Reason::kConflict);
  mine["metadata"]["name"] = "absent";
  EXPECT_EQ(client_->Update(Leases(), mine, {}).error().reason, Reason::kConflict);
}

TEST_F(RestClientApiTest, APodThatIsOnNoNodeHasNoLogYet) {
  const json pod = {
      {"apiVersion", "v1"},
      {"kind", "Pod"},
      {"metadata", {{"name", "p"}, {"namespace", ns_}}},
      {"spec", {{"containers", json::array({{{"name", "runner"}, {"image", "none"}}})}}}};
  ASSERT_TRUE(client_->Create(Pods(), pod, {}));
  const auto log = client_->ReadLog(Key("p"), {.container = "runner", .tail_lines = 20}, {});
  ASSERT_TRUE(log) << log.error().ToString();
  EXPECT_EQ(*log, "");
  const auto no_container = client_->ReadLog(Key("p"), {.container = "none"}, {});
  ASSERT_FALSE(no_container);
  EXPECT_EQ(no_container.error().reason, Reason::kInvalid) << no_container.error().ToString();
  EXPECT_TRUE(client_->ReadLog(Key("absent"), {}, {}).error().IsNotFound());
}

TEST_F(RestClientApiTest, AnInvalidObjectIsInvalidAndSaysWhy) {
  const auto invalid = client_->Create(ConfigMaps(), ConfigMap("Not_A_Name"), {});
  ASSERT_FALSE(invalid);
  EXPECT_EQ(invalid.error().reason, Reason::kInvalid);
  EXPECT_EQ(invalid.error().code, 422);
  EXPECT_NE(invalid.error().message.find("metadata.name"), std::string::npos)
      << invalid.error().message;
}

TEST_F(RestClientApiTest, WhatIsNotAllowedIsForbidden) {
  const auto client = Connect(server_.weak_kubeconfig());
  const auto read = client->Get(ConfigMaps(), Key("a"), {});
  ASSERT_FALSE(read);
  EXPECT_EQ(read.error().reason, Reason::kForbidden) << read.error().ToString();
}

TEST_F(RestClientApiTest, AWrongTokenIsUnauthorized) {
  auto config = LoadConfig(server_.kubeconfig(), "", ConfigEnvironment::Process());
  ASSERT_TRUE(config);
  config->token = Secret("wrong");
  const auto client = NewRestClient(*config, {});
  const auto read = (*client)->Get(ConfigMaps(), Key("a"), {});
  ASSERT_FALSE(read);
  EXPECT_EQ(read.error().reason, Reason::kUnauthorized) << read.error().ToString();
  EXPECT_EQ(read.error().message.find("wrong"), std::string::npos);
}

TEST_F(RestClientApiTest, AClientCertificateIsAsGoodAsAToken) {
  const auto client = Connect(server_.client_certificate_kubeconfig());
  const auto created = client->Create(ConfigMaps(), ConfigMap("a"), {});
  EXPECT_TRUE(created) << created.error().ToString();
}

TEST_F(RestClientApiTest, AServerOfAnotherAuthorityIsRefused) {
  auto config = LoadConfig(server_.kubeconfig(), "", ConfigEnvironment::Process());
  ASSERT_TRUE(config);
  config->ca_pem.clear();  // The system's roots do not know the test's authority.
  const auto client = NewRestClient(*config, {});
  const auto read = (*client)->Get(ConfigMaps(), Key("a"), {});
  ASSERT_FALSE(read);
  EXPECT_EQ(read.error().reason, Reason::kTransport);
  EXPECT_NE(read.error().message.find("not trusted"), std::string::npos) << read.error().message;
}

TEST_F(RestClientApiTest, ListsPageByPage) {
  for (const char* name : {"a", "b", "c", "d", "e"}) {
    ASSERT_TRUE(client_->Create(ConfigMaps(), ConfigMap(name, {{"k", "v"}}), {}));
  }
  Strings names;
  const auto version = client_->List(ConfigMaps(), {.ns = ns_, .limit = 2},
                                     [&](Json&& object) {
                                       EXPECT_EQ(object.at("kind"), "ConfigMap");
                                       EXPECT_EQ(object.at("apiVersion"), "v1");
                                       EXPECT_EQ(object.at("data"), (json{{"k", "v"}}));
                                       names.push_back(NameOf(object));
                                     },
                                     {});
  ASSERT_TRUE(version) << version.error().ToString();
  EXPECT_EQ(names, (Strings{"a", "b", "c", "d", "e"}));
}

TEST_F(RestClientApiTest, ListsBySelectors) {
  json labelled = ConfigMap("labelled");
  labelled["metadata"]["labels"] = {{"whimbrel.dev/x", "1"}};
  ASSERT_TRUE(client_->Create(ConfigMaps(), labelled, {}));
  ASSERT_TRUE(client_->Create(ConfigMaps(), ConfigMap("other"), {}));
  Strings names;
  const auto keep = [&](Json&& object) { names.push_back(NameOf(object)); };
  ASSERT_TRUE(client_->List(ConfigMaps(), {.ns = ns_, .label_selector = "whimbrel.dev/x in (1, 2)"},
                            keep, {}));
  ASSERT_TRUE(
      client_->List(ConfigMaps(), {.ns = ns_, .field_selector = "metadata.name=other"}, keep, {}));
  EXPECT_EQ(names, (Strings{"labelled", "other"}));
}

TEST_F(RestClientApiTest, AListOfMetadataCarriesNoCopyOfTheData) {
  const json big = ConfigMap("big", {{"k", std::string(100'000, 'x')}});
  server_.MustKubectl({"apply", "-f", "-"}, big.dump());
  std::vector<json> objects;
  const auto version =
      client_->List(ConfigMaps(), {.ns = ns_, .metadata_only = true},
                    [&](Json&& object) { objects.push_back(std::move(object)); }, {});
  ASSERT_TRUE(version) << version.error().ToString();
  ASSERT_EQ(objects.size(), 1U);
  EXPECT_EQ(NameOf(objects[0]), "big");
  EXPECT_FALSE(StringAt(objects[0], "metadata", "uid").empty());
  EXPECT_FALSE(objects[0].contains("data"));
  EXPECT_LT(objects[0].dump().size(), 1000U);
}

TEST_F(RestClientApiTest, AWatchReportsWhatHappensFromAVersionOn) {
  ASSERT_TRUE(client_->Create(ConfigMaps(), ConfigMap("before"), {}));
  const auto version = client_->List(ConfigMaps(), {.ns = ns_}, [](Json&&) {}, {});
  ASSERT_TRUE(version);
  ASSERT_TRUE(client_->Create(ConfigMaps(), ConfigMap("a"), {}));
  ASSERT_TRUE(client_->Apply(ConfigMaps(), ConfigMap("a", {{"k", "v"}}),
                             {.field_manager = "whimbrel-test"}, {}));
  ASSERT_TRUE(client_->Delete(ConfigMaps(), Key("a"), "", {}));
  for (const bool metadata_only : {false, true}) {
    Strings events;
    std::stop_source stop;
    const auto watched = client_->Watch(
        ConfigMaps(), {.ns = ns_, .metadata_only = metadata_only, .resource_version = *version},
        [&](WatchEventType type, Json&& object) {
          events.push_back(std::to_string(static_cast<int>(type)) + NameOf(object));
          EXPECT_EQ(object.contains("data"), !metadata_only && type != WatchEventType::kAdded);
          if (type == WatchEventType::kDeleted) stop.request_stop();
        },
        stop.get_token());
    ASSERT_FALSE(watched);
    EXPECT_EQ(watched.error().reason, Reason::kCancelled) << watched.error().ToString();
    EXPECT_EQ(events, (Strings{"0a", "1a", "2a"}));
  }
}

TEST_F(RestClientApiTest, AWatchEndsCleanlyAtItsTimeout) {
  const auto version = client_->List(ConfigMaps(), {.ns = ns_}, [](Json&&) {}, {});
  ASSERT_TRUE(version);
  const auto watched =
      client_->Watch(ConfigMaps(), {.ns = ns_, .resource_version = *version, .timeout = seconds(1)},
                     [](WatchEventType, Json&&) {}, {});
  EXPECT_TRUE(watched) << watched.error().ToString();
}

TEST_F(RestClientApiTest, AnIdleWatchIsCancelledAtOnce) {
  const auto version = client_->List(ConfigMaps(), {.ns = ns_}, [](Json&&) {}, {});
  ASSERT_TRUE(version);
  TcpProxy proxy(server_.port());
  std::atomic<bool> asked = false;
  proxy.OnRequest([&](std::string_view) { asked = true; });
  const auto client = Connect(
      server_.KubeconfigFor("https://127.0.0.1:" + std::to_string(proxy.port()), "idle-watch"));
  std::stop_source stop;
  auto watch = std::async(std::launch::async, [&] {
    return client->Watch(
        ConfigMaps(), {.ns = ns_, .resource_version = *version}, [](WatchEventType, Json&&) {},
        stop.get_token());
  });
  ASSERT_TRUE(Eventually([&] { return asked.load(); }));
  const auto begin = std::chrono::steady_clock::now();
  stop.request_stop();
  EXPECT_EQ(watch.get().error().reason, Reason::kCancelled);
  EXPECT_LT(std::chrono::steady_clock::now() - begin, seconds(2));
}

TEST_F(RestClientApiTest, AConnectionThatIsCutIsNotNoticedByTheCaller) {
  TcpProxy proxy(server_.port());
  const auto client =
      Connect(server_.KubeconfigFor("https://127.0.0.1:" + std::to_string(proxy.port()), "cut"));
  ASSERT_TRUE(client->Create(ConfigMaps(), ConfigMap("a"), {}));
  for (int i = 0; i < 3; ++i) {
    proxy.Cut();
    const auto read = client->Get(ConfigMaps(), Key("a"), {});
    EXPECT_TRUE(read) << read.error().ToString();
  }
}

}  // namespace
}  // namespace whimbrel::kube
