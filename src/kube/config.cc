#include "whimbrel/kube/config.h"

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstdio>
#include <cstdlib>
#include <system_error>
#include <utility>
#include <vector>

#include "kube/kubeconfig.h"
#include "kube/proxy.h"
#include "whimbrel/base/c_ptr.h"

namespace whimbrel::kube {
namespace {

constexpr const char* kServiceAccountFolder = "/var/run/secrets/kubernetes.io/serviceaccount/";

Result<std::string> ReadWholeFile(const std::string& path) {
  const CPtr<std::FILE, std::fclose> file(std::fopen(path.c_str(), "re"));
  std::string text;
  if (file) {
    std::array<char, 4096> buffer;
    while (const std::size_t size = std::fread(buffer.data(), 1, buffer.size(), file.get())) {
      text.append(buffer.data(), size);
    }
  }
  if (file && std::ferror(file.get()) == 0) return text;
  const int error = errno;
  const ErrorKind kind = error == ENOENT   ? ErrorKind::kNotFound
                         : error == EACCES ? ErrorKind::kPermissionDenied
                                           : ErrorKind::kUnavailable;
  return Fail(kind, "cannot read " + path + ": " + std::generic_category().message(error));
}

std::string Variable(const ConfigEnvironment& environment, const std::string& name) {
  return environment.variable(name).value_or("");
}

// The paths of $KUBECONFIG, each once.
std::vector<std::string> SplitPaths(const std::string& list) {
  std::vector<std::string> paths;
  for (std::size_t begin = 0; begin <= list.size();) {
    const std::size_t end = std::min(list.find(':', begin), list.size());
    std::string path = list.substr(begin, end - begin);
    if (!path.empty() && std::find(paths.begin(), paths.end(), path) == paths.end()) {
      paths.push_back(std::move(path));
    }
    begin = end + 1;
  }
  return paths;
}

// The files that are there; another failure than "not there" is an error.
Result<std::vector<KubeconfigFile>> ReadThoseThatExist(const std::vector<std::string>& paths,
                                                       const ConfigEnvironment& environment) {
  std::vector<KubeconfigFile> files;
  for (const std::string& path : paths) {
    Result<std::string> text = environment.read_file(path);
    if (text) {
      files.push_back({path, std::move(*text)});
    } else if (text.error().kind != ErrorKind::kNotFound) {
      return tl::make_unexpected(text.error());
    }
  }
  return files;
}

Result<Config> LoadFromPod(const std::string& host, const std::string& port,
                           const ConfigEnvironment& environment) {
  const std::string folder = kServiceAccountFolder;
  Config config;
  const bool is_ipv6 = host.find(':') != std::string::npos;
  config.server = "https://" + (is_ipv6 ? "[" + host + "]" : host) + ":" + port;
  config.token_file = folder + "token";
  if (auto token = environment.read_file(config.token_file); !token) {
    return Fail(token.error().kind, "this pod has no service account token (" +
                                        token.error().message +
                                        "); set automountServiceAccountToken or --kubeconfig");
  }
  Result<std::string> ca = environment.read_file(folder + "ca.crt");
  if (!ca) return tl::make_unexpected(ca.error());
  config.ca_pem = std::move(*ca);
  config.ca_file = folder + "ca.crt";
  if (auto ns = environment.read_file(folder + "namespace"); ns && !ns->empty()) {
    std::erase_if(*ns, [](char c) { return c == '\n' || c == '\r' || c == ' '; });
    config.ns = std::move(*ns);
  }
  return config;
}

Result<Config> LoadWithoutProxy(const std::string& kubeconfig_flag, const std::string& context,
                                const ConfigEnvironment& environment) {
  if (!kubeconfig_flag.empty()) {
    Result<std::string> text = environment.read_file(kubeconfig_flag);
    if (!text) return tl::make_unexpected(text.error());
    return ResolveKubeconfig({{kubeconfig_flag, std::move(*text)}}, context, environment.read_file);
  }
  const std::string list = Variable(environment, "KUBECONFIG");
  const std::string host = Variable(environment, "KUBERNETES_SERVICE_HOST");
  const std::string port = Variable(environment, "KUBERNETES_SERVICE_PORT");
  // A context can only be one of a kubeconfig.
  if (list.empty() && !host.empty() && !port.empty() && context.empty()) {
    return LoadFromPod(host, port, environment);
  }
  const std::string home = Variable(environment, "HOME");
  std::vector<std::string> paths = SplitPaths(list);
  if (paths.empty() && !home.empty()) paths.push_back(home + "/.kube/config");
  const Result<std::vector<KubeconfigFile>> files = ReadThoseThatExist(paths, environment);
  if (!files) return tl::make_unexpected(files.error());
  if (files->empty()) {
    return Fail(ErrorKind::kNotFound,
                "no Kubernetes configuration: " +
                    (list.empty() ? "$KUBECONFIG is not set, this is no pod, and there is no "
                                    "~/.kube/config"
                                  : "none of the files in $KUBECONFIG exists (" + list + ")") +
                    std::string("; give --kubeconfig"));
  }
  return ResolveKubeconfig(*files, context, environment.read_file);
}

}  // namespace

ConfigEnvironment ConfigEnvironment::Process() {
  return {.variable = [](const std::string& name) -> std::optional<std::string> {
            // Nothing in this program changes the environment.
            const char* value = std::getenv(name.c_str());  // NOLINT(concurrency-mt-unsafe)
            return value == nullptr ? std::nullopt : std::optional<std::string>(value);
          },
          .read_file = &ReadWholeFile};
}

Result<Config> LoadConfig(const std::string& kubeconfig_flag, const std::string& context,
                          const ConfigEnvironment& environment) {
  Result<Config> config = LoadWithoutProxy(kubeconfig_flag, context, environment);
  if (!config || !config->proxy_url.empty()) return config;
  const std::string proxy = ProxyFromEnvironment(config->server, environment);
  if (proxy.empty()) return config;
  const Result<Proxy> valid = ParseProxy(proxy, "$HTTPS_PROXY (or $HTTP_PROXY)");
  if (!valid) return tl::make_unexpected(valid.error());
  config->proxy_url = Secret(proxy);
  return config;
}

}  // namespace whimbrel::kube
