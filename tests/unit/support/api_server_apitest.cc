#include <gtest/gtest.h>

#include <stdexcept>
#include <string>

#include "support/api_server.h"
#include "support/tcp_proxy.h"

namespace whimbrel::testing {
namespace {

ProcessResult KubectlAs(const std::filesystem::path& kubeconfig, std::string verb) {
  return SharedApiServer().Kubectl(
      {"--kubeconfig", kubeconfig, "auth", "can-i", std::move(verb), "secrets"});
}

TEST(ApiServerTest, GivesEveryTestANamespaceOfItsOwn) {
  ApiServer& server = SharedApiServer();
  const std::string one = server.CreateNamespace();
  const std::string other = server.CreateNamespace();
  server.MustKubectl({"-n", one, "create", "configmap", "c", "--from-literal=a=1"});
  EXPECT_EQ(server.MustKubectl({"-n", one, "get", "cm", "c", "-o", "jsonpath={.data.a}"}), "1");
  EXPECT_EQ(server.Request("GET", "/api/v1/namespaces/" + one + "/configmaps/c").status, 200);
  EXPECT_EQ(server.Request("GET", "/api/v1/namespaces/" + other + "/configmaps/c").status, 404);
  EXPECT_THROW(server.MustKubectl({"-n", other, "get", "cm", "c"}), std::runtime_error);
}

TEST(ApiServerTest, KnowsAnAdministratorByTokenAndCertificateAndTheWeakUser) {
  ApiServer& server = SharedApiServer();
  EXPECT_EQ(KubectlAs(server.kubeconfig(), "get").out, "yes\n");
  EXPECT_EQ(KubectlAs(server.client_certificate_kubeconfig(), "get").out, "yes\n");
  EXPECT_EQ(KubectlAs(server.weak_kubeconfig(), "get").out, "no\n");
}

TEST(ApiServerTest, CanBeReachedThroughAProxy) {
  ApiServer& server = SharedApiServer();
  TcpProxy proxy(server.port());
  const auto kubeconfig =
      server.KubeconfigFor("https://127.0.0.1:" + std::to_string(proxy.port()), "through-a-proxy");
  EXPECT_EQ(KubectlAs(kubeconfig, "get").out, "yes\n");
  EXPECT_GT(proxy.accepted(), 0);
}

TEST(ApiServerTest, KeepsItsObjectsAcrossACrash) {
  ApiServer server;
  const std::string ns = server.CreateNamespace();
  server.Kill9();
  EXPECT_EQ(server.Request("GET", "/readyz").status, 0);
  server.Start();
  EXPECT_EQ(server.Request("GET", "/api/v1/namespaces/" + ns).status, 200);
  server.Stop();
  server.Start();
  EXPECT_EQ(server.Request("GET", "/api/v1/namespaces/" + ns).status, 200);
}

}  // namespace
}  // namespace whimbrel::testing
