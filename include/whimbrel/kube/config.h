#pragma once

#include <functional>
#include <optional>
#include <string>

#include "whimbrel/base/error.h"
#include "whimbrel/base/secret.h"
#include "whimbrel/kube/exec_plugin.h"

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
  /// Where PEM texts came from, when that is a file: it is read again at most every five minutes,
  /// and connections are replaced when it has changed.
  std::string ca_file;
  std::string client_certificate_file;
  std::string client_key_file;
  Secret token;
  std::string token_file;          ///< Read again at most every 50 s; wins over `token`.
  std::optional<ExecPlugin> exec;  ///< Brings a token or a client certificate.
  /// `http://[user:password@]host[:port]`, asked for tunnels (CONNECT); empty: none.
  Secret proxy_url;
  std::string ns = "default";  ///< Of the context, or of the pod.
};

/// Where configuration comes from; the seam for tests.
struct ConfigEnvironment {
  std::function<std::optional<std::string>(const std::string& name)> variable;
  std::function<Result<std::string>(const std::string& path)> read_file;
  static ConfigEnvironment Process();
};

/// `--kubeconfig` → $KUBECONFIG (a list, merged as clientcmd does) → in-cluster → ~/.kube/config
/// (reference/controller.md §8). Without a `proxy-url` the proxy is that of HTTPS_PROXY and
/// NO_PROXY. What Whimbrel does not do (auth-provider, impersonation, proxies other than http://)
/// is an error that says so.
[[nodiscard]] Result<Config> LoadConfig(const std::string& kubeconfig_flag,
                                        const std::string& context,
                                        const ConfigEnvironment& environment);

}  // namespace whimbrel::kube
