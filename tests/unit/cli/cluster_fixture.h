#pragma once

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <memory>
#include <mutex>
#include <string>
#include <vector>

#include "support/api_server.h"
#include "support/eventually.h"
#include "support/postgres_server.h"
#include "support/subprocess.h"
#include "unit/cli/manifests.h"

namespace whimbrel::cli {

/// A namespace of a real API server with the CRD, a database, and `whimbrel controller` as a
/// process. What a test sees, it sees through kubectl and SQL, as users do.
class ClusterTest : public ::testing::Test {
 protected:
  ClusterTest() {
    static std::once_flag installed;
    std::call_once(installed, [] {
      auto& api = whimbrel::testing::SharedApiServer();
      api.MustKubectl({"apply", "-f", std::string(WHIMBREL_SOURCE_DIR) + "/crds/"});
      api.AwaitEstablished("databasemigrations.whimbrel.dev");
    });
  }

  std::unique_ptr<whimbrel::testing::Subprocess> StartController(
      std::vector<std::string> more = {}) {
    std::vector<std::string> argv = {WHIMBREL_BINARY,
                                     "controller",
                                     "--kubeconfig",
                                     api_.kubeconfig().string(),
                                     "--watch-namespaces",
                                     ns_,
                                     "--health-probe-bind-address",
                                     "127.0.0.1:0"};
    argv.insert(argv.end(), more.begin(), more.end());
    return std::make_unique<whimbrel::testing::Subprocess>(
        whimbrel::testing::SpawnOptions{.argv = argv, .last_signal = SIGKILL});
  }
  std::string Kubectl(std::vector<std::string> arguments, const std::string& input = "") {
    arguments.insert(arguments.begin(), {"-n", ns_});
    return api_.MustKubectl(std::move(arguments), input);
  }
  void Apply(const std::string& yaml) { Kubectl({"apply", "-f", "-"}, yaml); }
  /// A ConfigMap of one file.
  static std::string ConfigMapYaml(const std::string& name, const std::string& key,
                                   const std::string& sql) {
    std::string indented;
    for (const char c : sql) indented += c == '\n' ? std::string("\n    ") : std::string(1, c);
    return "apiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: " + name + "\ndata:\n  " + key +
           ": |\n    " + indented + "\n";
  }
  std::string Condition(const std::string& name, const std::string& type,
                        const std::string& field) {
    return Kubectl({"get", "dbmig", name, "-o",
                    "jsonpath={.status.conditions[?(@.type==\"" + type + "\")]." + field + "}"});
  }
  std::string Reason(const std::string& name) { return Condition(name, "Ready", "reason"); }
  ::testing::AssertionResult BecomesReady(const std::string& name) {
    const auto result = api_.Kubectl(
        {"-n", ns_, "wait", "--for=condition=Ready", "dbmig/" + name, "--timeout=60s"});
    if (result.exit_code == 0) return ::testing::AssertionSuccess();
    return ::testing::AssertionFailure()
           << result.err << Kubectl({"get", "dbmig", name, "-o", "yaml"});
  }
  ::testing::AssertionResult GetsReason(const std::string& name, const std::string& reason) {
    return whimbrel::testing::EventuallyEquals<std::string>([&] { return Reason(name); }, reason);
  }
  std::string Events(const std::string& reason) {
    return Kubectl(
        {"get", "events.events.k8s.io", "-o",
         "jsonpath={range .items[?(@.reason==\"" + reason + "\")]}{.note}{\"\\n\"}{end}"});
  }

  whimbrel::testing::ApiServer& api_ = whimbrel::testing::SharedApiServer();
  std::string ns_ = api_.CreateNamespace();
  whimbrel::testing::PgTarget database_ = whimbrel::testing::SharedPostgres().CreateDatabase();
  whimbrel::testing::PgClient sql_{database_};
};

}  // namespace whimbrel::cli
