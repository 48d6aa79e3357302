#include "whimbrel/kube/config.h"

#include <gtest/gtest.h>

#include <string>

#include "config_fixture.h"
#include "support/temp_dir.h"
#include "whimbrel/base/hash.h"

namespace whimbrel::kube {
namespace {

using testing::TempDir;

TEST_F(ConfigTest, ReadsDataInline) {
  files_["/c"] = Kubeconfig(
      "a",
      "server: 'https://h:6443', tls-server-name: kubernetes, certificate-authority-data: " +
          Base64Encode("the ca"),
      "client-certificate-data: " + Base64Encode("the certificate") +
          ", client-key-data: " + Base64Encode("the key") + ", token: the-token");
  const auto config = Load("/c");
  ASSERT_TRUE(config) << config.error().message;
  EXPECT_EQ(config->server, "https://h:6443");
  EXPECT_EQ(config->tls_server_name, "kubernetes");
  EXPECT_EQ(config->ca_pem, "the ca");
  EXPECT_EQ(config->client_certificate_pem, "the certificate");
  EXPECT_EQ(config->client_key_pem.Reveal(), "the key");
  EXPECT_EQ(config->token.Reveal(), "the-token");
  EXPECT_EQ(config->ns, "default");
  EXPECT_FALSE(config->insecure_skip_tls_verify);
}

TEST_F(ConfigTest, ReadsFilesRelativeToTheKubeconfig) {
  files_["/home/me/kube/config"] =
      Kubeconfig("a", "server: 'https://h', certificate-authority: pki/ca.crt",
                 "client-certificate: ../me.crt, client-key: /abs/me.key, tokenFile: token");
  files_["/home/me/kube/pki/ca.crt"] = "the ca";
  files_["/home/me/kube/../me.crt"] = "the certificate";
  files_["/abs/me.key"] = "the key";
  const auto config = Load("/home/me/kube/config");
  ASSERT_TRUE(config) << config.error().message;
  EXPECT_EQ(config->ca_pem, "the ca");
  EXPECT_EQ(config->client_certificate_pem, "the certificate");
  EXPECT_EQ(config->client_key_pem.Reveal(), "the key");
  EXPECT_EQ(config->token_file, "/home/me/kube/token");
}

TEST_F(ConfigTest, DataWinsOverTheFile) {
  files_["/c"] = Kubeconfig("a",
                            "server: 'https://h', certificate-authority: /missing, "
                            "certificate-authority-data: " +
                                Base64Encode("the ca"),
                            "token: t");
  const auto config = Load("/c");
  ASSERT_TRUE(config) << config.error().message;
  EXPECT_EQ(config->ca_pem, "the ca");
}

TEST_F(ConfigTest, TakesTheContextThatIsAskedFor) {
  files_["/c"] = R"(
current-context: a
clusters:
- {name: one, cluster: {server: 'https://one', insecure-skip-tls-verify: true}}
- {name: two, cluster: {server: 'https://two'}}
users:
- {name: me, user: {token: mine}}
contexts:
- {name: a, context: {cluster: one, user: me}}
- {name: b, context: {cluster: two, user: me, namespace: team}}
- {name: anonymous, context: {cluster: two}}
)";
  auto config = Load("/c");
  ASSERT_TRUE(config) << config.error().message;
  EXPECT_EQ(config->server, "https://one");
  EXPECT_TRUE(config->insecure_skip_tls_verify);
  config = Load("/c", "b");
  ASSERT_TRUE(config) << config.error().message;
  EXPECT_EQ(config->server, "https://two");
  EXPECT_EQ(config->ns, "team");
  EXPECT_FALSE(config->insecure_skip_tls_verify);
  config = Load("/c", "anonymous");
  ASSERT_TRUE(config) << config.error().message;
  EXPECT_TRUE(config->token.empty());
  EXPECT_EQ(
      ErrorOf("/c", "z"),
      "--context names the context \"z\", which the kubeconfig does not define; it defines a, "
      "anonymous, b");
}

TEST_F(ConfigTest, MergesTheFilesOfTheVariableFirstWins) {
  variables_["KUBECONFIG"] = "/missing:/one::/two:/one";
  files_["/one"] = Kubeconfig("a", "server: 'https://one'", "token: one");
  files_["/two"] = R"(
current-context: b
clusters:
- {name: a, cluster: {server: 'https://ignored', tls-server-name: ignored}}
- {name: b, cluster: {server: 'https://two'}}
contexts:
- {name: b, context: {cluster: b, user: a}}
)";
  auto config = Load();
  ASSERT_TRUE(config) << config.error().message;
  EXPECT_EQ(config->server, "https://one");
  EXPECT_EQ(config->tls_server_name, "");
  config = Load("", "b");
  ASSERT_TRUE(config) << config.error().message;
  EXPECT_EQ(config->server, "https://two");
  EXPECT_EQ(config->token.Reveal(), "one");
}

TEST_F(ConfigTest, LooksUpFlagThenVariableThenPodThenHome) {
  variables_["HOME"] = "/home/me";
  files_["/home/me/.kube/config"] = Kubeconfig("a", "server: 'https://home'", "token: t");
  auto config = Load();
  ASSERT_TRUE(config) << config.error().message;
  EXPECT_EQ(config->server, "https://home");

  InPod();
  config = Load();
  ASSERT_TRUE(config) << config.error().message;
  EXPECT_EQ(config->server, "https://10.96.0.1:443");
  EXPECT_EQ(config->token_file, "/var/run/secrets/kubernetes.io/serviceaccount/token");
  EXPECT_EQ(config->ca_pem, "pod-ca");
  EXPECT_EQ(config->ns, "whimbrel-system");
  EXPECT_EQ(Load("", "a")->server, "https://home") << "a context is one of a kubeconfig";

  variables_["KUBECONFIG"] = "/variable";
  files_["/variable"] = Kubeconfig("b", "server: 'https://variable'", "token: t");
  EXPECT_EQ(Load()->server, "https://variable");
  files_["/flag"] = Kubeconfig("c", "server: 'https://flag'", "token: t");
  EXPECT_EQ(Load("/flag")->server, "https://flag");
}

TEST_F(ConfigTest, BracketsTheIpv6AddressOfTheCluster) {
  InPod();
  variables_["KUBERNETES_SERVICE_HOST"] = "fd00::1";
  EXPECT_EQ(Load()->server, "https://[fd00::1]:443");
}

TEST_F(ConfigTest, SaysWhatIsMissing) {
  EXPECT_NE(ErrorOf().find("no Kubernetes configuration"), std::string::npos) << ErrorOf();
  EXPECT_NE(ErrorOf("/missing").find("/missing"), std::string::npos);
  variables_["KUBECONFIG"] = "/missing:/gone";
  EXPECT_NE(ErrorOf().find("/missing:/gone"), std::string::npos) << ErrorOf();
  files_["/gone"] = kUnreadable;
  EXPECT_NE(ErrorOf().find("cannot read /gone"), std::string::npos)
      << "only a file that is not there is skipped";
  variables_.erase("KUBECONFIG");
  InPod();
  files_.erase("/var/run/secrets/kubernetes.io/serviceaccount/token");
  EXPECT_NE(ErrorOf().find("automountServiceAccountToken"), std::string::npos) << ErrorOf();
}

TEST_F(ConfigTest, SaysWhatIsWrongInAFileAndShowsNoSecret) {
  const struct {
    const char* name;
    std::string text;
    const char* expected;
  } cases[] = {
      {"no YAML", "clusters: [", "/c:"},
      {"a list", "[1]", "is not a kubeconfig"},
      {"two documents", "a: 1\n---\nb: 2\n", "is not a kubeconfig"},
      {"clusters that are no list", "clusters: {}", "clusters must be a list"},
      {"an entry without a name", "users: [{user: {}}]", "an entry of users has no name"},
      {"an entry that is no map", "users: [{name: a, user: 1}]", "user \"a\" of /c must be a map"},
      {"no current context", "clusters: []", "no current-context"},
      {"an empty file", "", "no current-context"},
      {"a context that is not there", "current-context: x", "it defines none"},
      {"a cluster that is not there",
       "current-context: a\ncontexts: [{name: a, context: {cluster: x}}]",
       "context \"a\" of /c names the cluster \"x\""},
      {"a user that is not there",
       "current-context: a\ncontexts: [{name: a, context: {cluster: c, user: x}}]\n"
       "clusters: [{name: c, cluster: {server: 'https://h'}}]",
       "names the user \"x\""},
      {"no server", Kubeconfig("a", "", "token: t"), "cluster \"a\" of /c has no server"},
      {"a server that is no text", Kubeconfig("a", "server: 1", "token: t"),
       "server must be a string"},
      {"a CA that is not there",
       Kubeconfig("a", "server: 'https://h', certificate-authority: ca", "token: t"),
       "certificate-authority: cannot read /ca"},
      {"data that is not base64",
       Kubeconfig("a", "server: 'https://h', certificate-authority-data: '!hunter2'", "token: t"),
       "certificate-authority-data is not base64"},
      {"a CA and no verification",
       Kubeconfig("a",
                  "server: 'https://h', insecure-skip-tls-verify: true, "
                  "certificate-authority-data: eA==",
                  "token: t"),
       "remove one"},
      {"an insecure that is no boolean",
       Kubeconfig("a", "server: 'https://h', insecure-skip-tls-verify: 'true'", "token: t"),
       "must be true or false"},
      {"a certificate without a key",
       Kubeconfig("a", "server: 'https://h'", "client-certificate-data: eA=="), "but not both"},
      {"an auth provider", Kubeconfig("a", "server: 'https://h'", "auth-provider: {name: gcp}"),
       "uses auth-provider"},
      {"a password", Kubeconfig("a", "server: 'https://h'", "username: u, password: hunter2"),
       "uses username"},
      {"impersonation", Kubeconfig("a", "server: 'https://h'", "act-as: root, token: hunter2"),
       "uses act-as"},
  };
  for (const auto& test : cases) {
    files_["/c"] = test.text;
    const std::string error = ErrorOf("/c");
    EXPECT_NE(error.find(test.expected), std::string::npos) << test.name << ": " << error;
    EXPECT_EQ(error.find("hunter2"), std::string::npos) << test.name << ": " << error;
  }
}

TEST(ProcessEnvironmentTest, ReadsFilesAndTellsWhyItCannot) {
  const ConfigEnvironment environment = ConfigEnvironment::Process();
  const TempDir folder;
  const std::string bytes = std::string("a\0b", 3) + std::string(10'000, 'x');
  EXPECT_EQ(environment.read_file(folder.Write("file", bytes)), bytes);
  EXPECT_EQ(environment.read_file(folder.Write("empty", "")), "");
  EXPECT_EQ(environment.read_file(folder / "missing").error().kind, ErrorKind::kNotFound);
  const auto folder_as_file = environment.read_file(folder.path());
  ASSERT_FALSE(folder_as_file);
  EXPECT_EQ(folder_as_file.error().kind, ErrorKind::kUnavailable);
  EXPECT_TRUE(environment.variable("PATH").has_value());
  EXPECT_FALSE(environment.variable("WHIMBREL_NO_SUCH_VARIABLE").has_value());
}

}  // namespace
}  // namespace whimbrel::kube
