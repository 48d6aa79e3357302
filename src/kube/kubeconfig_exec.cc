#include "kube/kubeconfig_exec.h"

#include <filesystem>
#include <utility>

#include "whimbrel/base/hash.h"

namespace whimbrel::kube {
namespace {

using Json = nlohmann::json;
using Interactive = ExecPlugin::Interactive;

constexpr const char* kV1 = "client.authentication.k8s.io/v1";
constexpr const char* kV1Beta1 = "client.authentication.k8s.io/v1beta1";
constexpr const char* kClusterExtension = "client.authentication.k8s.io/exec";

Result<std::vector<std::string>> ReadArguments(const KubeconfigEntry& exec) {
  std::vector<std::string> arguments;
  if (!exec.Has("args")) return arguments;
  const Json& list = exec.values.at("args");
  if (!list.is_array()) return InvalidKubeconfig(exec.what + ": args must be a list");
  for (const Json& item : list) {
    if (!item.is_string()) return InvalidKubeconfig(exec.what + ": args must hold strings");
    arguments.push_back(item.get<std::string>());
  }
  return arguments;
}

Result<std::vector<std::pair<std::string, std::string>>> ReadEnvironment(
    const KubeconfigEntry& exec) {
  std::vector<std::pair<std::string, std::string>> variables;
  if (!exec.Has("env")) return variables;
  const Json& list = exec.values.at("env");
  if (!list.is_array()) return InvalidKubeconfig(exec.what + ": env must be a list");
  for (const Json& item : list) {
    const KubeconfigEntry entry{.what = exec.what + ": env", .folder = "", .values = item};
    if (!item.is_object()) return InvalidKubeconfig(entry.what + " must hold maps");
    const Result<std::string> name = entry.Text("name");
    if (!name) return tl::make_unexpected(name.error());
    const Result<std::string> value = entry.Text("value");
    if (!value) return tl::make_unexpected(value.error());
    if (name->empty() || name->find('=') != std::string::npos) {
      return InvalidKubeconfig(entry.what + " holds a variable without a valid name");
    }
    variables.emplace_back(*name, *value);
  }
  return variables;
}

Result<Interactive> ReadInteractive(const KubeconfigEntry& exec, const std::string& api_version) {
  const Result<std::string> mode = exec.Text("interactiveMode");
  if (!mode) return tl::make_unexpected(mode.error());
  if (*mode == "Never") return Interactive::kNever;
  if (*mode == "Always") return Interactive::kAlways;
  if (*mode == "IfAvailable" || (mode->empty() && api_version == kV1Beta1)) {
    return Interactive::kIfAvailable;
  }
  return InvalidKubeconfig(exec.what + ": interactiveMode must be Never, IfAvailable or Always");
}

// `spec.cluster` of KUBERNETES_EXEC_INFO.
std::string DescribeCluster(const KubeconfigEntry& cluster, const Config& config) {
  Json described = {{"server", config.server}};
  if (!config.tls_server_name.empty()) described["tls-server-name"] = config.tls_server_name;
  if (config.insecure_skip_tls_verify) described["insecure-skip-tls-verify"] = true;
  if (!config.ca_pem.empty()) {
    described["certificate-authority-data"] = Base64Encode(config.ca_pem);
  }
  if (!config.proxy_url.empty()) described["proxy-url"] = config.proxy_url.Reveal();
  if (cluster.Has("extensions") && cluster.values.at("extensions").is_array()) {
    for (const Json& extension : cluster.values.at("extensions")) {
      if (extension.is_object() && extension.value("name", Json()) == Json(kClusterExtension)) {
        described["config"] = extension.value("extension", Json());
      }
    }
  }
  return described.dump();
}

Result<std::string> ReadCommand(const KubeconfigEntry& exec) {
  Result<std::string> command = exec.Text("command");
  if (!command) return command;
  if (command->empty()) return InvalidKubeconfig(exec.what + " has no command");
  if (command->find('/') == std::string::npos) return command;
  return exec.Path("command");
}

Result<void> CheckAlone(const KubeconfigEntry& user, const Config& config) {
  if (config.token.empty() && config.token_file.empty() && config.client_certificate_pem.empty()) {
    return {};
  }
  return InvalidKubeconfig(user.what +
                           " has exec and a token or a client certificate too; remove one");
}

Result<bool> WantsClusterInfo(const KubeconfigEntry& exec) {
  if (!exec.Has("provideClusterInfo")) return false;
  const Json& value = exec.values.at("provideClusterInfo");
  if (value.is_boolean()) return value.get<bool>();
  return InvalidKubeconfig(exec.what + ": provideClusterInfo must be true or false");
}

}  // namespace

Result<void> ReadExecPlugin(const KubeconfigEntry& user, const KubeconfigEntry& cluster,
                            Config* config) {
  if (!user.Has("exec")) return {};
  const KubeconfigEntry exec{
      .what = user.what + ": exec", .folder = user.folder, .values = user.values.at("exec")};
  if (!exec.values.is_object()) return InvalidKubeconfig(exec.what + " must be a map");
  if (auto alone = CheckAlone(user, *config); !alone) return alone;
  ExecPlugin plugin;
  const auto take = [](auto result, auto* target) -> Result<void> {
    if (!result) return tl::make_unexpected(result.error());
    *target = std::move(*result);
    return {};
  };
  Result<void> read = take(exec.Text("apiVersion"), &plugin.api_version);
  if (read && plugin.api_version != kV1 && plugin.api_version != kV1Beta1) {
    return InvalidKubeconfig(exec.what + ": apiVersion must be " + kV1 + " or " + kV1Beta1);
  }
  bool wants_cluster = false;
  if (read) read = take(ReadCommand(exec), &plugin.command);
  if (read) read = take(ReadArguments(exec), &plugin.arguments);
  if (read) read = take(ReadEnvironment(exec), &plugin.environment);
  if (read) read = take(exec.Text("installHint"), &plugin.install_hint);
  if (read) read = take(ReadInteractive(exec, plugin.api_version), &plugin.interactive);
  if (read) read = take(WantsClusterInfo(exec), &wants_cluster);
  if (!read) return read;
  if (wants_cluster) plugin.cluster_json = DescribeCluster(cluster, *config);
  config->exec = std::move(plugin);
  return {};
}

}  // namespace whimbrel::kube
