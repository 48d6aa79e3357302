#pragma once

#include "kube/kubeconfig_entry.h"
#include "whimbrel/kube/config.h"

namespace whimbrel::kube {

/// Reads `exec` of a user into `config`, whose `server` and `ca_pem` are those of the cluster
/// already. As clientcmd does, a relative path of the program is relative to the kubeconfig.
[[nodiscard]] Result<void> ReadExecPlugin(const KubeconfigEntry& user,
                                          const KubeconfigEntry& cluster, Config* config);

}  // namespace whimbrel::kube
