#pragma once

#include <gtest/gtest.h>

#include <map>
#include <optional>
#include <string>

#include "whimbrel/kube/config.h"

namespace whimbrel::kube {

/// A machine of variables and files.
class ConfigTest : public ::testing::Test {
 protected:
  ConfigEnvironment Environment() {
    return {.variable = [this](const std::string& name) -> std::optional<std::string> {
              const auto it = variables_.find(name);
              if (it == variables_.end()) return std::nullopt;
              return it->second;
            },
            .read_file = [this](const std::string& path) -> Result<std::string> {
              const auto it = files_.find(path);
              if (it == files_.end()) return Fail(ErrorKind::kNotFound, "cannot read " + path);
              if (it->second == kUnreadable) {
                return Fail(ErrorKind::kPermissionDenied, "cannot read " + path);
              }
              return it->second;
            }};
  }

  Result<Config> Load(const std::string& flag = "", const std::string& context = "") {
    return LoadConfig(flag, context, Environment());
  }

  std::string ErrorOf(const std::string& flag = "", const std::string& context = "") {
    const auto config = Load(flag, context);
    return config ? "no error" : config.error().ToString();
  }

  /// A kubeconfig with one cluster, user and context, all named `name`.
  static std::string Kubeconfig(const std::string& name, const std::string& cluster,
                                const std::string& user) {
    return "apiVersion: v1\nkind: Config\ncurrent-context: " + name +
           "\nclusters: [{name: " + name + ", cluster: {" + cluster + "}}]" +
           "\nusers: [{name: " + name + ", user: {" + user + "}}]" + "\ncontexts: [{name: " + name +
           ", context: {cluster: " + name + ", user: " + name + "}}]\n";
  }

  void InPod() {
    variables_["KUBERNETES_SERVICE_HOST"] = "10.96.0.1";
    variables_["KUBERNETES_SERVICE_PORT"] = "443";
    const std::string folder = "/var/run/secrets/kubernetes.io/serviceaccount/";
    files_[folder + "token"] = "pod-token";
    files_[folder + "ca.crt"] = "pod-ca";
    files_[folder + "namespace"] = "whimbrel-system\n";
  }

  static constexpr const char* kUnreadable = "\1unreadable";
  std::map<std::string, std::string> variables_;
  std::map<std::string, std::string> files_;
};

}  // namespace whimbrel::kube
