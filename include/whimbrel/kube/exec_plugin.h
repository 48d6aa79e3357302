#pragma once

#include <string>
#include <utility>
#include <vector>

namespace whimbrel::kube {

/// A credential plug-in of a kubeconfig (client.authentication.k8s.io, `users[].user.exec`): a
/// program that prints a token or a client certificate.
struct ExecPlugin {
  /// May it ask a person? Only where standard input is a terminal.
  enum class Interactive { kNever, kIfAvailable, kAlways };

  std::string api_version;  ///< client.authentication.k8s.io/v1 or …/v1beta1.
  std::string command;      ///< A path, or a name that is looked up in $PATH.
  std::vector<std::string> arguments;
  std::vector<std::pair<std::string, std::string>> environment;  ///< Beside that of this process.
  std::string install_hint;  ///< What a person reads when the program is not there.
  Interactive interactive = Interactive::kIfAvailable;
  /// JSON of `spec.cluster` for KUBERNETES_EXEC_INFO; empty unless provideClusterInfo is set.
  std::string cluster_json;
};

}  // namespace whimbrel::kube
