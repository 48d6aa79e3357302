#pragma once

#include <functional>
#include <optional>
#include <string>

#include "whimbrel/base/error.h"
#include "whimbrel/base/secret.h"

namespace whimbrel::kube {

/// Everything that is needed to talk to one API server (client-go's rest.Config). PEM texts are
/// already read.
struct Config {
  std::string server;           ///< `https://host:port[/prefix]`.
  std::string tls_server_name;  ///< Overrides the host for SNI and verification; empty: the host.
  std::string ca_pem;           ///< Empty: the system's roots.
  bool insecure_skip_tls_verify = false;
  std::string client_certificate_pem;
  Secret client_key_pem;
  Secret token;
  std::string token_file;      ///< Read again at most every 50 s; wins over `token`.
  std::string ns = "default";  ///< Of the context, or of the pod.
};

/// Where configuration comes from; the seam for tests.
struct ConfigEnvironment {
  std::function<std::optional<std::string>(const std::string& name)> variable;
  std::function<Result<std::string>(const std::string& path)> read_file;
  static ConfigEnvironment Process();
};

/// `--kubeconfig` → $KUBECONFIG (a list, merged as clientcmd does) → in-cluster → ~/.kube/config
/// (reference/controller.md §8). What cannot be done yet (exec plug-ins, auth-provider, proxy-url)
/// is an error that says so.
[[nodiscard]] Result<Config> LoadConfig(const std::string& kubeconfig_flag,
                                        const std::string& context,
                                        const ConfigEnvironment& environment);

}  // namespace whimbrel::kube
