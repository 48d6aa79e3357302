#pragma once

#include <cstdint>
#include <filesystem>
#include <memory>
#include <string>
#include <vector>

#include "support/subprocess.h"

namespace whimbrel::testing {

struct HttpAnswer {
  int status = 0;  ///< 0: no answer.
  std::string body;
};

/// A private etcd and kube-apiserver on 127.0.0.1 with RBAC and certificates of an own authority;
/// no controllers and no nodes, so nothing collects garbage, runs Jobs or makes ServiceAccount
/// tokens. Programs come from $KUBEBUILDER_ASSETS or, without that, from the cache that
/// scripts/kube-assets.sh fills; etcd from there or PATH. It never outlives the test. Failures
/// throw std::runtime_error. Kubectl, Request, CreateNamespace and the getters are thread-safe.
class ApiServer {
 public:
  ApiServer();
  ~ApiServer();
  ApiServer(const ApiServer&) = delete;
  ApiServer& operator=(const ApiServer&) = delete;

  [[nodiscard]] const std::string& url() const;
  [[nodiscard]] std::uint16_t port() const;
  [[nodiscard]] const std::string& ca_pem() const;

  /// An administrator (system:masters), by token.
  [[nodiscard]] std::filesystem::path kubeconfig() const;
  [[nodiscard]] const std::string& admin_token() const;
  /// The same rights by client certificate.
  [[nodiscard]] std::filesystem::path client_certificate_kubeconfig() const;
  /// User `weak`, who may do nothing but what a test grants.
  [[nodiscard]] std::filesystem::path weak_kubeconfig() const;
  /// A new kubeconfig like kubeconfig() but for another URL (a proxy before the server); with
  /// `name` it is told apart from others.
  [[nodiscard]] std::filesystem::path KubeconfigFor(const std::string& url,
                                                    const std::string& name) const;

  /// Runs kubectl as the administrator.
  [[nodiscard]] ProcessResult Kubectl(std::vector<std::string> arguments,
                                      std::string input = "") const;
  /// The same, and its standard output without the last line end; throws where it fails.
  std::string MustKubectl(std::vector<std::string> arguments, std::string input = "") const;

  /// Waits until the kind of that CustomResourceDefinition is served. kubectl wait alone fails
  /// where it looks before the server has written the first condition.
  void AwaitEstablished(const std::string& crd) const;

  /// One request as the administrator, past kubectl; `body` is JSON.
  [[nodiscard]] HttpAnswer Request(const std::string& method, const std::string& path,
                                   const std::string& body = "") const;

  /// A new empty namespace; every test takes its own.
  [[nodiscard]] std::string CreateNamespace();

  /// SIGTERM; clients see an orderly end. Watches that are still open after five seconds are cut.
  void Stop();
  /// The API server dies at once; etcd stays.
  void Kill9();
  /// On the same port and data, after Stop or Kill9; returns when it is ready.
  void Start();
  /// etcd forgets all revisions but the newest: pages and watches from before expire (410), the
  /// latter when the API server's own cache is too short or new.
  void CompactEtcd() const;

 private:
  struct State;
  std::unique_ptr<State> state_;
};

/// One API server for all tests of this binary, started at the first call and stopped at exit.
[[nodiscard]] ApiServer& SharedApiServer();

}  // namespace whimbrel::testing
