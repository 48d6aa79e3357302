#pragma once

#include <functional>
#include <string>
#include <vector>

#include "whimbrel/base/error.h"
#include "whimbrel/kube/config.h"

namespace whimbrel::kube {

struct KubeconfigFile {
  std::string path;  ///< Relative paths in the file are relative to its folder.
  std::string text;
};

/// Merges kubeconfig files as client-go's clientcmd does (tools/clientcmd/loader.go): the first
/// file that names a cluster, a user, a context or the current context wins, whole. Then resolves
/// `context`, or the current one when that is empty, and reads the files that it refers to.
[[nodiscard]] Result<Config> ResolveKubeconfig(
    const std::vector<KubeconfigFile>& files, const std::string& context,
    const std::function<Result<std::string>(const std::string& path)>& read_file);

}  // namespace whimbrel::kube
