#include "kube/proxy.h"

#include <gtest/gtest.h>

#include <map>
#include <string>

#include "whimbrel/base/hash.h"

namespace whimbrel::kube {
namespace {

TEST(ProxyTest, ReadsHostPortAndCredentials) {
  const auto plain = ParseProxy("http://proxy.example.com:3128/", "proxy-url");
  ASSERT_TRUE(plain);
  EXPECT_EQ(plain->host, "proxy.example.com");
  EXPECT_EQ(plain->port, 3128);
  EXPECT_TRUE(plain->authorization.empty());
  const auto full = ParseProxy("HTTP://us%40er:p%3Aa@ss@[fd00::1]", "proxy-url");
  ASSERT_TRUE(full);
  EXPECT_EQ(full->host, "fd00::1");
  EXPECT_EQ(full->port, 80);
  EXPECT_EQ(full->authorization.Reveal(), "Basic " + Base64Encode("us@er:p:a@ss"));
}

TEST(ProxyTest, WhatIsNoHttpProxyIsRefusedWithoutShowingAPassword) {
  for (const auto& [url, expected] :
       {std::pair{"https://u:hunter2@p:3128", "kind https://, which Whimbrel does not support"},
        {"socks5://u:hunter2@p:1080", "kind socks5://, which Whimbrel does not support"},
        {"proxy:3128", "is not the URL of a proxy"},
        {"http://u:hunter2@", "has no valid host and port"},
        {"http://u:hunter2@p:http", "has no valid host and port"},
        {"http://u:hunter2@p q", "has no valid host and port"}}) {
    const auto proxy = ParseProxy(url, "cluster \"a\": proxy-url");
    ASSERT_FALSE(proxy) << url;
    const std::string& error = proxy.error().message;
    EXPECT_TRUE(error.starts_with("cluster \"a\": proxy-url ")) << error;
    EXPECT_NE(error.find(expected), std::string::npos) << error;
    EXPECT_EQ(error.find("hunter2"), std::string::npos) << error;
  }
}

TEST(ProxyTest, TheEnvironmentChoosesByServer) {
  const struct {
    const char* sentence;
    const char* server;
    std::map<std::string, std::string> variables;
    const char* expected;
  } cases[] = {
      {"no proxy is set", "https://h", {}, ""},
      {"https goes through HTTPS_PROXY", "https://h", {{"HTTPS_PROXY", "http://p"}}, "http://p"},
      {"a proxy without a scheme is http", "https://h", {{"https_proxy", "p:1"}}, "http://p:1"},
      {"http goes through HTTP_PROXY",
       "http://h",
       {{"HTTPS_PROXY", "http://p"}, {"HTTP_PROXY", "http://q"}},
       "http://q"},
      {"this machine is never reached through a proxy",
       "https://127.3.2.1:6443",
       {{"HTTPS_PROXY", "http://p"}},
       ""},
      {"nor by its name", "https://localhost", {{"HTTPS_PROXY", "http://p"}}, ""},
      {"nor by IPv6", "https://[::1]:6443", {{"HTTPS_PROXY", "http://p"}}, ""},
  };
  for (const auto& test : cases) {
    const ConfigEnvironment environment{
        .variable = [&](const std::string& name) -> std::optional<std::string> {
          const auto it = test.variables.find(name);
          if (it == test.variables.end()) return std::nullopt;
          return it->second;
        },
        .read_file = {}};
    EXPECT_EQ(ProxyFromEnvironment(test.server, environment), test.expected) << test.sentence;
  }
}

TEST(ProxyTest, NoProxyHasNamesAddressesAndNetworks) {
  const struct {
    const char* server;
    const char* no_proxy;
    bool exempt;
  } cases[] = {
      {"https://api.example.com", "example.com", true},
      {"https://API.Example.com", "EXAMPLE.com", true},
      {"https://example.com", "example.com", true},
      {"https://notexample.com", "example.com", false},
      {"https://api.example.com", ".example.com", true},
      {"https://example.com", ".example.com", false},
      {"https://api.example.com", "*.example.com", true},
      {"https://api.example.com", "a, example.com ,b", true},
      {"https://api.example.com:6443", "example.com:6443", true},
      {"https://api.example.com:6443", "example.com:443", false},
      {"https://anything", "*", true},
      {"https://anything", "", false},
      {"https://anything", ",,", false},
      {"https://10.96.0.1", "10.96.0.0/12", true},
      {"https://10.112.0.1", "10.96.0.0/12", false},
      {"https://10.96.0.1", "10.96.0.1", true},
      {"https://10.96.0.1:6443", "10.96.0.1:443", false},
      {"https://[fd00::1]", "fd00::/8", true},
      {"https://[fd00::1]", "fe00::/8", false},
      {"https://[fd00::1]", "fd00::1", true},
      {"https://[fd00::1]:6443", "[fd00::1]:6443", true},
      {"https://10.96.0.1", "0.0.0.0/0", true},
      {"https://[fd00::1]", "0.0.0.0/0", false},
      {"https://10.96.0.1", "10.96.0.0/x", false},
      {"https://10.96.0.1", "10.96.0.0/99", false},
      {"https://api.example.com", "10.0.0.0/8", false},
  };
  for (const auto& test : cases) {
    const ConfigEnvironment environment{
        .variable = [&](const std::string& name) -> std::optional<std::string> {
          if (name == "HTTPS_PROXY") return "http://p";
          if (name == "NO_PROXY") return test.no_proxy;
          return std::nullopt;
        },
        .read_file = {}};
    EXPECT_EQ(ProxyFromEnvironment(test.server, environment).empty(), test.exempt)
        << test.server << " and " << test.no_proxy;
  }
}

}  // namespace
}  // namespace whimbrel::kube
