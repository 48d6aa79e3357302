#include <gtest/gtest.h>
#include <httplib.h>

#include <atomic>
#include <chrono>
#include <string>
#include <thread>

#include "support/api_fault_proxy.h"
#include "support/eventually.h"

namespace whimbrel::testing {
namespace {

constexpr std::size_t kAll = std::numeric_limits<std::size_t>::max();

class ApiFaultProxyTest : public ::testing::Test {
 protected:
  httplib::Client Client(const ApiFaultProxy& proxy) {
    httplib::Client client(proxy.url());
    client.set_read_timeout(60);
    return client;
  }
  [[nodiscard]] std::string ConfigMaps() const {
    return "/api/v1/namespaces/" + ns_ + "/configmaps";
  }
  static std::string ConfigMap(const std::string& name) {
    return R"({"apiVersion":"v1","kind":"ConfigMap","metadata":{"name":")" + name + R"("}})";
  }

  void Create(const std::string& name) {
    EXPECT_EQ(server_.Request("POST", ConfigMaps(), ConfigMap(name)).status, 201);
  }

  ApiServer& server_ = SharedApiServer();
  const std::string ns_ = server_.CreateNamespace();
};

TEST_F(ApiFaultProxyTest, WithoutAFaultItIsTheServer) {
  std::atomic<int> requests = 0;
  ApiFaultProxy proxy(server_, [&](const ApiRequest& request) {
    ++requests;
    EXPECT_FALSE(request.IsStatusWrite());
    return ApiFault{};
  });
  httplib::Client client = Client(proxy);
  client.set_keep_alive(true);
  EXPECT_EQ(client.Post(ConfigMaps(), ConfigMap("a"), "application/json")->status, 201);
  const auto list = client.Get(ConfigMaps() + "?limit=1");
  ASSERT_TRUE(list);
  EXPECT_NE(list->body.find("ConfigMapList"), std::string::npos);
  EXPECT_EQ(client.Get(ConfigMaps() + "/b")->status, 404);
  EXPECT_EQ(requests, 3);
}

TEST_F(ApiFaultProxyTest, ARefusedRequestNeverReachesTheServer) {
  ApiFaultProxy proxy(server_, [](const ApiRequest&) {
    return ApiFault{.refuse_with = 429, .retry_after_seconds = 7};
  });
  const auto answer = Client(proxy).Post(ConfigMaps(), ConfigMap("a"), "application/json");
  ASSERT_TRUE(answer);
  EXPECT_EQ(answer->status, 429);
  EXPECT_EQ(answer->get_header_value("Retry-After"), "7");
  EXPECT_NE(answer->body.find("TooManyRequests"), std::string::npos);
  EXPECT_EQ(server_.Request("GET", ConfigMaps() + "/a").status, 404);
}

TEST_F(ApiFaultProxyTest, AWriteWhoseAnswerIsCutHasTakenEffect) {
  for (const std::size_t bytes : {std::size_t{0}, std::size_t{100}}) {
    ApiFaultProxy proxy(server_, [&](const ApiRequest&) { return ApiFault{.cut_after = bytes}; });
    const std::string name = "a" + std::to_string(bytes);
    EXPECT_FALSE(Client(proxy).Post(ConfigMaps(), ConfigMap(name), "application/json"));
    EXPECT_EQ(server_.Request("GET", ConfigMaps() + "/" + name).status, 200);
  }
}

TEST_F(ApiFaultProxyTest, AWatchPassesAtOnceAndBreaksOffWhereItIsTold) {
  std::atomic<std::size_t> cut = kAll;
  ApiFaultProxy proxy(server_, [&](const ApiRequest& request) {
    EXPECT_TRUE(request.IsWatch());
    return ApiFault{.cut_after = cut};
  });
  const auto watch = [&](const std::function<void(const std::string&)>& on_text) {
    std::string text;
    const auto result = Client(proxy).Get(ConfigMaps() + "?watch=1&timeoutSeconds=600",
                                          [&](const char* data, std::size_t size) {
                                            text.append(data, size);
                                            on_text(text);
                                            return text.find("last-one") == std::string::npos;
                                          });
    EXPECT_FALSE(result);
    return text;
  };
  std::atomic<bool> begun = false;
  Create("first-one");
  const std::string whole = watch([&](const std::string& text) {
    if (begun || text.find("first-one") == std::string::npos) return;
    begun = true;
    Create("last-one");
  });
  EXPECT_NE(whole.find("last-one"), std::string::npos);
  cut = 300;
  const std::string part = watch([](const std::string&) {});
  EXPECT_LT(part.size(), 300U);
  EXPECT_EQ(part.find("last-one"), std::string::npos);
}

TEST_F(ApiFaultProxyTest, CutEndsAnIdleWatch) {
  std::atomic<bool> watching = false;
  ApiFaultProxy proxy(server_, [&](const ApiRequest&) {
    watching = true;
    return ApiFault{};
  });
  std::thread watch([&] { EXPECT_FALSE(Client(proxy).Get(ConfigMaps() + "?watch=1")); });
  EXPECT_TRUE(Eventually([&] { return watching.load(); }));
  // Until it is the server that the watch waits for.
  std::atomic<bool> ended = false;
  std::thread waiter([&] {
    watch.join();
    ended = true;
  });
  EXPECT_TRUE(Eventually([&] {
    proxy.Cut();
    return ended.load();
  }));
  waiter.join();
}

TEST_F(ApiFaultProxyTest, CompactionExpiresWhatIsOlder) {
  Create("a");
  Create("b");
  const auto page = server_.Request("GET", ConfigMaps() + "?limit=1");
  const std::string name = "\"continue\":\"";
  const std::size_t begin = page.body.find(name) + name.size();
  const std::string next = page.body.substr(begin, page.body.find('"', begin) - begin);
  Create("c");
  server_.CompactEtcd();
  // Its cache outlives the compaction.
  server_.Kill9();
  server_.Start();
  EXPECT_EQ(server_.Request("GET", ConfigMaps() + "?limit=1&continue=" + next).status, 410);
}

}  // namespace
}  // namespace whimbrel::testing
