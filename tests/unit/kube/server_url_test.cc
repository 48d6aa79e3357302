#include "kube/server_url.h"

#include <gtest/gtest.h>

#include "kube/rest_paths.h"

namespace whimbrel::kube {
namespace {

struct Case {
  const char* text;
  bool tls;
  const char* host;
  int port;
  const char* prefix;
  const char* authority;
};

TEST(ParseServerUrlTest, ReadsWhatKubeconfigsHold) {
  const Case cases[] = {
      {"https://10.0.0.1:6443", true, "10.0.0.1", 6443, "", "10.0.0.1:6443"},
      {"https://api.example.com", true, "api.example.com", 443, "", "api.example.com:443"},
      {"https://h:1/k8s/clusters/c-1/", true, "h", 1, "/k8s/clusters/c-1", "h:1"},
      {"https://[fd00::1]:6443", true, "fd00::1", 6443, "", "[fd00::1]:6443"},
      {"https://[::1]/", true, "::1", 443, "", "[::1]:443"},
      {"http://localhost:8001", false, "localhost", 8001, "", "localhost:8001"},
      {"http://localhost", false, "localhost", 80, "", "localhost:80"},
  };
  for (const Case& test : cases) {
    const auto url = ParseServerUrl(test.text);
    ASSERT_TRUE(url) << test.text;
    EXPECT_EQ(url->tls, test.tls) << test.text;
    EXPECT_EQ(url->host, test.host) << test.text;
    EXPECT_EQ(url->port, test.port) << test.text;
    EXPECT_EQ(url->prefix, test.prefix) << test.text;
    EXPECT_EQ(url->Authority(), test.authority) << test.text;
  }
}

TEST(ParseServerUrlTest, RefusesTheRestAndShowsNothingOfIt) {
  for (const char* text :
       {"", "10.0.0.1:6443", "ftp://h", "https://", "https://:6443", "https://h:", "https://h:0",
        "https://h:65536", "https://h:6443x", "https://user:hunter2@h", "https://h?a=b",
        "https://h/#x", "https://h /", "https://h\r\nX: y", "https://[::1", "https://[::1]x"}) {
    const auto url = ParseServerUrl(text);
    ASSERT_FALSE(url) << text;
    EXPECT_EQ(url.error().kind, ErrorKind::kInvalidArgument) << text;
    EXPECT_EQ(url.error().message.find("hunter2"), std::string::npos);
  }
}

TEST(PercentEncodeTest, EncodesEverythingThatIsNotUnreserved) {
  EXPECT_EQ(PercentEncode("aZ09-._~"), "aZ09-._~");
  EXPECT_EQ(PercentEncode("a/b?c=d&e f%\r\n\xc3\xa9"), "a%2Fb%3Fc%3Dd%26e%20f%25%0D%0A%C3%A9");
}

TEST(ResourcePathTest, FollowsTheApiConventions) {
  const Resource widgets{
      .group = "example.com", .version = "v1alpha1", .plural = "widgets", .kind = "Widget"};
  const Resource nodes{
      .group = "", .version = "v1", .plural = "nodes", .kind = "Node", .namespaced = false};
  EXPECT_EQ(ResourcePath(ConfigMaps(), ""), "/api/v1/configmaps");
  EXPECT_EQ(ResourcePath(ConfigMaps(), "a"), "/api/v1/namespaces/a/configmaps");
  EXPECT_EQ(ResourcePath(widgets, "a", "b", "status"),
            "/apis/example.com/v1alpha1/namespaces/a/widgets/b/status");
  EXPECT_EQ(ResourcePath(nodes, "ignored", "n"), "/api/v1/nodes/n");
  EXPECT_EQ(ResourcePath(ConfigMaps(), "a?", "b#"), "/api/v1/namespaces/a%3F/configmaps/b%23");
}

TEST(QueryTest, EncodesOnceAndLeavesEmptyValuesOut) {
  EXPECT_EQ(Query({}), "");
  EXPECT_EQ(Query({{"limit", "500"}, {"continue", ""}, {"labelSelector", "a=b,c in (d)"}}),
            "?limit=500&labelSelector=a%3Db%2Cc%20in%20%28d%29");
}

}  // namespace
}  // namespace whimbrel::kube
