#include <gtest/gtest.h>

#include <future>
#include <map>
#include <mutex>
#include <nlohmann/json.hpp>
#include <string>

#include "support/api_server.h"
#include "support/eventually.h"
#include "support/tcp_proxy.h"
#include "unit/kube/connect.h"
#include "whimbrel/kube/reflector.h"

namespace whimbrel::kube {
namespace {

using nlohmann::json;
using testing::ApiServer;
using testing::Eventually;
using testing::EventuallyEquals;
using testing::SharedApiServer;
using testing::TcpProxy;

/// The owner's picture: names and the value of their key `k`.
class Picture final : public ReflectorHandler {
 public:
  using Values = std::map<std::string, std::string>;

  bool OnUpsert(const ObjectKey& key, Json&& object) override {
    const std::lock_guard lock(mutex_);
    values_[key.name] = object.contains("data") ? object["data"].value("k", "") : "";
    return true;
  }
  void OnDelete(const ObjectKey& key) override {
    const std::lock_guard lock(mutex_);
    values_.erase(key.name);
  }
  void OnSynced() override {
    const std::lock_guard lock(mutex_);
    ++lists_;
  }

  [[nodiscard]] Values values() const {
    const std::lock_guard lock(mutex_);
    return values_;
  }
  [[nodiscard]] int lists() const {
    const std::lock_guard lock(mutex_);
    return lists_;
  }

 private:
  mutable std::mutex mutex_;
  Values values_;
  int lists_ = 0;
};

/// Some kill the server that all tests share: each brings it back.
class ReflectorApiTest : public ::testing::Test {
 protected:
  void Put(const std::string& name, const std::string& value) {
    server_.MustKubectl({"apply", "-n", ns_, "--server-side", "-f", "-"},
                        json{{"apiVersion", "v1"},
                             {"kind", "ConfigMap"},
                             {"metadata", {{"name", name}}},
                             {"data", {{"k", value}}}}
                            .dump());
  }
  void Remove(const std::string& name) {
    server_.MustKubectl({"delete", "configmap", "-n", ns_, name});
  }

  [[nodiscard]] ReflectorOptions Options() const {
    return {.name = "test",
            .resource = ConfigMaps(),
            .ns = ns_,
            .backoff = {std::chrono::milliseconds(50), std::chrono::milliseconds(500)}};
  }

  ::testing::AssertionResult BecomesEqual(const Picture& picture, const Picture::Values& expected) {
    return EventuallyEquals<Picture::Values>([&] { return picture.values(); }, expected);
  }

  ApiServer& server_ = SharedApiServer();
  const std::string ns_ = server_.CreateNamespace();
};

TEST_F(ReflectorApiTest, FollowsTheServerThroughItsDeathAndRestart) {
  const auto client = Connect(server_.kubeconfig());
  Put("a", "1");
  Put("b", "1");
  Picture picture;
  Reflector reflector(*client, Options(), picture);
  ASSERT_TRUE(Eventually([&] { return reflector.synced(); }));
  EXPECT_TRUE(BecomesEqual(picture, {{"a", "1"}, {"b", "1"}}));
  Put("a", "2");
  Remove("b");
  EXPECT_TRUE(BecomesEqual(picture, {{"a", "2"}}));

  server_.Kill9();
  server_.Start();
  Put("a", "3");
  Put("c", "1");
  EXPECT_TRUE(BecomesEqual(picture, {{"a", "3"}, {"c", "1"}}));
}

TEST_F(ReflectorApiTest, AWatchFromBeforeARestartCanBeTooOld) {
  Put("a", "1");
  server_.Kill9();
  server_.Start();
  const auto client = Connect(server_.kubeconfig());
  const auto watched = client->Watch(ConfigMaps(), {.ns = ns_, .resource_version = "1"},
                                     [](WatchEventType, Json&&) {}, {});
  ASSERT_FALSE(watched);
  EXPECT_EQ(watched.error().reason, ApiErrorReason::kExpired) << watched.error().ToString();
}

/// What happens to a watch when the server was restored from a backup. A reflector takes silence
/// for that; the server must not answer with events of another time instead.
TEST_F(ReflectorApiTest, AWatchFromTheFutureIsSilent) {
  const auto client = Connect(server_.kubeconfig());
  int events = 0;
  Put("a", "1");
  auto watch = std::async(std::launch::async, [&] {
    return client->Watch(
        ConfigMaps(),
        {.ns = ns_, .resource_version = "1000000000", .timeout = std::chrono::seconds(2)},
        [&](WatchEventType, Json&&) { ++events; }, {});
  });
  Put("a", "2");
  const auto watched = watch.get();
  EXPECT_TRUE(watched || watched.error().reason == ApiErrorReason::kTooLargeResourceVersion)
      << watched.error().ToString();
  EXPECT_EQ(events, 0);
}

TEST_F(ReflectorApiTest, SeesWhatHappenedWhileItsConnectionWasCut) {
  TcpProxy proxy(server_.port());
  const auto client =
      Connect(server_.KubeconfigFor("https://127.0.0.1:" + std::to_string(proxy.port()), "proxy"));
  Put("a", "1");
  Put("b", "1");
  Picture picture;
  Reflector reflector(*client, Options(), picture);
  ASSERT_TRUE(BecomesEqual(picture, {{"a", "1"}, {"b", "1"}}));
  proxy.Refuse();
  Put("a", "2");
  Remove("b");
  proxy.Restore();
  EXPECT_TRUE(BecomesEqual(picture, {{"a", "2"}}));
  EXPECT_EQ(picture.lists(), 1);
}

/// Jobs and pods as they are selected in Job mode: by our label, and a pod by its name.
TEST_F(ReflectorApiTest, WhatLeavesTheSelectionIsGone) {
  const auto client = Connect(server_.kubeconfig());
  const auto create = [&](const Resource& resource, const std::string& name, const json& labels) {
    const json pod = {{"restartPolicy", "Never"},
                      {"containers", json::array({{{"name", "runner"}, {"image", "none"}}})}};
    const json spec = resource == Pods() ? pod : json{{"template", {{"spec", pod}}}};
    const auto created =
        client->Create(resource,
                       {{"apiVersion", resource.ApiVersion()},
                        {"kind", resource.kind},
                        {"metadata", {{"name", name}, {"namespace", ns_}, {"labels", labels}}},
                        {"spec", spec}},
                       {});
    ASSERT_TRUE(created) << created.error().ToString();
  };
  for (const Resource& resource : {Jobs(), Pods()}) {
    create(resource, "mine", {{"whimbrel.dev/x", "1"}});
    create(resource, "foreign", json::object());
    Picture labelled;
    Picture named;
    ReflectorOptions options = Options();
    options.resource = resource;
    options.label_selector = "whimbrel.dev/x";
    const Reflector by_label(*client, options, labelled);
    options.label_selector.clear();
    options.field_selector = "metadata.name=mine";
    const Reflector by_name(*client, options, named);
    ASSERT_TRUE(BecomesEqual(labelled, {{"mine", ""}})) << resource.kind;
    ASSERT_TRUE(BecomesEqual(named, {{"mine", ""}})) << resource.kind;
    create(resource, "second", {{"whimbrel.dev/x", "2"}});
    ASSERT_TRUE(BecomesEqual(labelled, {{"mine", ""}, {"second", ""}})) << resource.kind;
    server_.MustKubectl({"label", resource.plural, "-n", ns_, "mine", "whimbrel.dev/x-"});
    EXPECT_TRUE(BecomesEqual(labelled, {{"second", ""}})) << resource.kind;
    server_.MustKubectl({"label", resource.plural, "-n", ns_, "foreign", "whimbrel.dev/x=3"});
    EXPECT_TRUE(BecomesEqual(labelled, {{"second", ""}, {"foreign", ""}})) << resource.kind;
    EXPECT_TRUE(BecomesEqual(named, {{"mine", ""}})) << resource.kind;
    EXPECT_EQ(labelled.lists(), 1) << resource.kind;
  }
}

TEST_F(ReflectorApiTest, EndsQuicklyAlthoughTheServerIsSilent) {
  TcpProxy proxy(server_.port());
  const auto client =
      Connect(server_.KubeconfigFor("https://127.0.0.1:" + std::to_string(proxy.port()), "silent"));
  Picture picture;
  std::chrono::steady_clock::time_point begin;
  {
    Reflector reflector(*client, Options(), picture);
    ASSERT_TRUE(Eventually([&] { return reflector.synced(); }));
    proxy.BlackHole();
    begin = std::chrono::steady_clock::now();
  }
  EXPECT_LT(std::chrono::steady_clock::now() - begin, std::chrono::seconds(2));
}

}  // namespace
}  // namespace whimbrel::kube
