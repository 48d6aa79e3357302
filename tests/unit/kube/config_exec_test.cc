#include <nlohmann/json.hpp>

#include "config_fixture.h"
#include "whimbrel/base/hash.h"

namespace whimbrel::kube {
namespace {

using ConfigExecTest = ConfigTest;

std::string Exec(const std::string& more) {
  return "exec: {apiVersion: client.authentication.k8s.io/v1, command: aws, " + more + "}";
}

TEST_F(ConfigExecTest, ReadsAPlugIn) {
  files_["/k/c"] = Kubeconfig(
      "a",
      "server: 'https://h', certificate-authority-data: " + Base64Encode("ca") +
          ", extensions: [{name: client.authentication.k8s.io/exec, extension: {audience: x}}]",
      Exec("args: [eks, get-token], env: [{name: A, value: b}], installHint: install it, "
           "interactiveMode: Never, provideClusterInfo: true"));
  const auto config = Load("/k/c");
  ASSERT_TRUE(config) << config.error().message;
  ASSERT_TRUE(config->exec);
  const ExecPlugin& plugin = *config->exec;
  EXPECT_EQ(plugin.api_version, "client.authentication.k8s.io/v1");
  EXPECT_EQ(plugin.command, "aws") << "a name is for $PATH";
  EXPECT_EQ(plugin.arguments, (std::vector<std::string>{"eks", "get-token"}));
  EXPECT_EQ(plugin.environment, (std::vector<std::pair<std::string, std::string>>{{"A", "b"}}));
  EXPECT_EQ(plugin.install_hint, "install it");
  EXPECT_EQ(plugin.interactive, ExecPlugin::Interactive::kNever);
  EXPECT_EQ(nlohmann::json::parse(plugin.cluster_json),
            (nlohmann::json{{"server", "https://h"},
                            {"certificate-authority-data", Base64Encode("ca")},
                            {"config", {{"audience", "x"}}}}));
}

TEST_F(ConfigExecTest, ARelativePathIsRelativeToTheKubeconfig) {
  files_["/k/c"] = Kubeconfig("a", "server: 'https://h'",
                              "exec: {apiVersion: client.authentication.k8s.io/v1beta1, "
                              "command: ./bin/plugin}");
  const auto config = Load("/k/c");
  ASSERT_TRUE(config) << config.error().message;
  EXPECT_EQ(config->exec->command, "/k/./bin/plugin");
  EXPECT_EQ(config->exec->interactive, ExecPlugin::Interactive::kIfAvailable);
  EXPECT_TRUE(config->exec->cluster_json.empty());
}

TEST_F(ConfigExecTest, SaysWhatIsWrongWithAPlugIn) {
  const std::string v1 = "apiVersion: client.authentication.k8s.io/v1, ";
  const struct {
    std::string user;
    const char* expected;
  } cases[] = {
      {"exec: aws", "user \"a\" of /c: exec must be a map"},
      {"exec: {command: aws}", "apiVersion must be client.authentication.k8s.io/v1 or"},
      {"exec: {apiVersion: client.authentication.k8s.io/v1alpha1, command: aws}",
       "apiVersion must be"},
      {"exec: {" + v1 + "interactiveMode: Never}", "exec has no command"},
      {Exec(""), "interactiveMode must be Never, IfAvailable or Always"},
      {Exec("interactiveMode: Sometimes"), "interactiveMode must be"},
      {Exec("interactiveMode: Never, args: a"), "args must be a list"},
      {Exec("interactiveMode: Never, args: [1]"), "args must hold strings"},
      {Exec("interactiveMode: Never, env: [A]"), "env must hold maps"},
      {Exec("interactiveMode: Never, env: [{name: 'A=B'}]"), "without a valid name"},
      {Exec("interactiveMode: Never, provideClusterInfo: 1"), "must be true or false"},
      {Exec("interactiveMode: Never") + ", token: hunter2", "remove one"},
  };
  for (const auto& test : cases) {
    files_["/c"] = Kubeconfig("a", "server: 'https://h'", test.user);
    const std::string error = ErrorOf("/c");
    EXPECT_NE(error.find(test.expected), std::string::npos) << test.user << ": " << error;
    EXPECT_EQ(error.find("hunter2"), std::string::npos) << error;
  }
}

TEST_F(ConfigExecTest, RemembersWhichFilesCanBeReadAgain) {
  files_["/k/ca"] = "ca";
  files_["/k/crt"] = "crt";
  files_["/k/key"] = "key";
  files_["/k/c"] = Kubeconfig("a", "server: 'https://h', certificate-authority: ca",
                              "client-certificate: crt, client-key: key");
  auto config = Load("/k/c");
  ASSERT_TRUE(config) << config.error().message;
  EXPECT_EQ(config->ca_file, "/k/ca");
  EXPECT_EQ(config->client_certificate_file, "/k/crt");
  EXPECT_EQ(config->client_key_file, "/k/key");
  files_["/k/c"] =
      Kubeconfig("a",
                 "server: 'https://h', certificate-authority: ca, certificate-authority-data: " +
                     Base64Encode("other"),
                 "token: t");
  config = Load("/k/c");
  ASSERT_TRUE(config) << config.error().message;
  EXPECT_EQ(config->ca_file, "") << "the data wins, and does not change";
  InPod();
  config = Load();
  ASSERT_TRUE(config) << config.error().message;
  EXPECT_EQ(config->ca_file, "/var/run/secrets/kubernetes.io/serviceaccount/ca.crt");
}

TEST_F(ConfigExecTest, TheProxyIsTheClustersElseThatOfTheEnvironment) {
  variables_["HTTPS_PROXY"] = "http://from-environment:1";
  files_["/c"] = Kubeconfig("a", "server: 'https://h', proxy-url: 'http://u:p@own:2'", "token: t");
  EXPECT_EQ(Load("/c")->proxy_url.Reveal(), "http://u:p@own:2");
  files_["/c"] = Kubeconfig("a", "server: 'https://h'", "token: t");
  EXPECT_EQ(Load("/c")->proxy_url.Reveal(), "http://from-environment:1");
  variables_["NO_PROXY"] = "h";
  EXPECT_TRUE(Load("/c")->proxy_url.empty());
  InPod();
  variables_["NO_PROXY"] = "10.96.0.0/16";
  EXPECT_TRUE(Load()->proxy_url.empty());
  variables_["NO_PROXY"] = "";
  variables_["HTTPS_PROXY"] = "socks5://u:hunter2@p";
  EXPECT_NE(ErrorOf().find("$HTTPS_PROXY (or $HTTP_PROXY) is a proxy of the kind socks5://"),
            std::string::npos)
      << ErrorOf();
  files_["/c"] =
      Kubeconfig("a", "server: 'https://h', proxy-url: 'https://u:hunter2@p'", "token: t");
  EXPECT_NE(ErrorOf("/c").find("cluster \"a\" of /c: proxy-url is a proxy of the kind https://"),
            std::string::npos)
      << ErrorOf("/c");
  EXPECT_EQ(ErrorOf("/c").find("hunter2"), std::string::npos);
}

}  // namespace
}  // namespace whimbrel::kube
