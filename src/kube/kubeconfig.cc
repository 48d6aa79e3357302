#include "kube/kubeconfig.h"

#include <filesystem>
#include <map>
#include <nlohmann/json.hpp>
#include <string_view>
#include <utility>

#include "kube/kubeconfig_entry.h"
#include "kube/kubeconfig_exec.h"
#include "kube/proxy.h"
#include "whimbrel/kube/yaml.h"

namespace whimbrel::kube {
namespace {

using Json = nlohmann::json;
using ReadFile = KubeconfigEntry::ReadFile;
using Entry = KubeconfigEntry;

using Entries = std::map<std::string, Entry>;

struct Merged {
  Entries clusters;
  Entries users;
  Entries contexts;
  std::string current_context;
};

// Adds the entries of one list, `{name: …, <kind>: {…}}` each, that no earlier file has defined.
Result<void> MergeList(const Json& root, const char* list, const char* kind,
                       const std::string& file, Entries* entries) {
  const auto it = root.find(list);
  if (it == root.end() || it->is_null()) return {};
  if (!it->is_array()) return InvalidKubeconfig(file + ": " + list + " must be a list");
  for (const Json& item : *it) {
    if (!item.is_object() || !item.contains("name") || !item.at("name").is_string()) {
      return InvalidKubeconfig(file + ": an entry of " + list + " has no name");
    }
    const auto name = item.at("name").get<std::string>();
    Entry entry{.what = std::string(kind) + " \"" + name + "\" of " + file,
                .folder = std::filesystem::path(file).parent_path().string(),
                .values = item.contains(kind) ? item.at(kind) : Json::object()};
    if (entry.values.is_null()) entry.values = Json::object();
    if (!entry.values.is_object()) return InvalidKubeconfig(entry.what + " must be a map");
    entries->emplace(name, std::move(entry));
  }
  return {};
}

Result<void> MergeFile(const KubeconfigFile& file, Merged* merged) {
  const Result<std::vector<YamlDocument>> documents = ParseYaml(file.text, file.path);
  if (!documents) return tl::make_unexpected(documents.error());
  if (documents->empty() || documents->front().value->is_null()) return {};  // kubectl takes it.
  const Json& root = *documents->front().value;
  if (documents->size() > 1 || !root.is_object()) {
    return InvalidKubeconfig(file.path + " is not a kubeconfig: expected one document, a map");
  }
  for (const auto& [list, kind, entries] : {std::tuple{"clusters", "cluster", &merged->clusters},
                                            std::tuple{"users", "user", &merged->users},
                                            std::tuple{"contexts", "context", &merged->contexts}}) {
    const Result<void> added = MergeList(root, list, kind, file.path, entries);
    if (!added) return added;
  }
  const auto current = root.find("current-context");
  if (merged->current_context.empty() && current != root.end() && current->is_string()) {
    merged->current_context = current->get<std::string>();
  }
  return {};
}

Result<const Entry*> Find(const Entries& entries, const char* kind, const std::string& name,
                          const std::string& wanted_by) {
  const auto it = entries.find(name);
  if (it != entries.end()) return &it->second;
  std::string known;
  for (const auto& [other, entry] : entries) known += (known.empty() ? "" : ", ") + other;
  return InvalidKubeconfig(wanted_by + " names the " + kind + " \"" + name +
                           "\", which the kubeconfig does not define; it defines " +
                           (known.empty() ? "none" : known));
}

// What we cannot honour is refused: to leave it out would act as somebody else, or fail obscurely.
Result<void> RefuseUnsupported(const Entry& entry,
                               std::initializer_list<std::pair<const char*, const char*>> keys) {
  for (const auto& [key, advice] : keys) {
    if (entry.Has(key)) {
      return InvalidKubeconfig(entry.what + " uses " + key + ", which Whimbrel does not support; " +
                               advice);
    }
  }
  return {};
}

// Where the bytes came from, when that is a file: it may be replaced.
Result<void> ReadPath(const Entry& entry, const std::string& key, std::string* file) {
  if (entry.Has((key + "-data").c_str())) return {};
  Result<std::string> path = entry.Path(key.c_str());
  if (!path) return tl::make_unexpected(path.error());
  *file = std::move(*path);
  return {};
}

Result<void> ReadCluster(const Entry& cluster, const ReadFile& read_file, Config* config) {
  const Result<std::string> server = cluster.Text("server");
  if (!server) return tl::make_unexpected(server.error());
  if (server->empty()) return InvalidKubeconfig(cluster.what + " has no server");
  config->server = *server;
  const Result<std::string> name = cluster.Text("tls-server-name");
  if (!name) return tl::make_unexpected(name.error());
  config->tls_server_name = *name;
  if (cluster.Has("insecure-skip-tls-verify")) {
    const Json& insecure = cluster.values.at("insecure-skip-tls-verify");
    if (!insecure.is_boolean()) {
      return InvalidKubeconfig(cluster.what + ": insecure-skip-tls-verify must be true or false");
    }
    config->insecure_skip_tls_verify = insecure.get<bool>();
  }
  Result<std::string> ca = cluster.Bytes("certificate-authority", read_file);
  if (!ca) return tl::make_unexpected(ca.error());
  config->ca_pem = std::move(*ca);
  if (auto read = ReadPath(cluster, "certificate-authority", &config->ca_file); !read) return read;
  if (config->insecure_skip_tls_verify && !config->ca_pem.empty()) {
    return InvalidKubeconfig(
        cluster.what +
        " has both a certificate authority and insecure-skip-tls-verify; remove one");
  }
  Result<std::string> proxy = cluster.Text("proxy-url");
  if (!proxy) return tl::make_unexpected(proxy.error());
  if (!proxy->empty()) {
    const Result<Proxy> valid = ParseProxy(*proxy, cluster.what + ": proxy-url");
    if (!valid) return tl::make_unexpected(valid.error());
    config->proxy_url = Secret(std::move(*proxy));
  }
  return {};
}

Result<void> ReadUser(const Entry& user, const ReadFile& read_file, Config* config) {
  const char* const use_token = "use a token or a client certificate";
  const char* const be_yourself = "use the credentials of that account itself";
  if (auto ok = RefuseUnsupported(user, {{"auth-provider", use_token},
                                         {"username", use_token},
                                         {"act-as", be_yourself},
                                         {"act-as-uid", be_yourself},
                                         {"act-as-groups", be_yourself},
                                         {"act-as-user-extra", be_yourself}});
      !ok) {
    return ok;
  }
  Result<std::string> certificate = user.Bytes("client-certificate", read_file);
  if (!certificate) return tl::make_unexpected(certificate.error());
  Result<std::string> key = user.Bytes("client-key", read_file);
  if (!key) return tl::make_unexpected(key.error());
  if (certificate->empty() != key->empty()) {
    return InvalidKubeconfig(user.what + " has a client certificate or its key, but not both");
  }
  config->client_certificate_pem = std::move(*certificate);
  config->client_key_pem = Secret(std::move(*key));
  for (const auto& [name, file] :
       {std::pair{"client-certificate", &config->client_certificate_file},
        std::pair{"client-key", &config->client_key_file}}) {
    if (auto path = ReadPath(user, name, file); !path) return path;
  }
  Result<std::string> token = user.Text("token");
  if (!token) return tl::make_unexpected(token.error());
  config->token = Secret(std::move(*token));
  Result<std::string> token_file = user.Path("tokenFile");
  if (!token_file) return tl::make_unexpected(token_file.error());
  config->token_file = std::move(*token_file);
  return {};
}

Result<Config> ResolveContext(const Merged& merged, const Entry& context,
                              const ReadFile& read_file) {
  const Result<std::string> cluster_name = context.Text("cluster");
  if (!cluster_name) return tl::make_unexpected(cluster_name.error());
  const Result<const Entry*> cluster =
      Find(merged.clusters, "cluster", *cluster_name, context.what);
  if (!cluster) return tl::make_unexpected(cluster.error());
  Config config;
  if (auto read = ReadCluster(**cluster, read_file, &config); !read) {
    return tl::make_unexpected(read.error());
  }
  const Result<std::string> user_name = context.Text("user");
  if (!user_name) return tl::make_unexpected(user_name.error());
  if (!user_name->empty()) {
    const Result<const Entry*> user = Find(merged.users, "user", *user_name, context.what);
    if (!user) return tl::make_unexpected(user.error());
    if (auto read = ReadUser(**user, read_file, &config); !read) {
      return tl::make_unexpected(read.error());
    }
    if (auto read = ReadExecPlugin(**user, **cluster, &config); !read) {
      return tl::make_unexpected(read.error());
    }
  }
  const Result<std::string> ns = context.Text("namespace");
  if (!ns) return tl::make_unexpected(ns.error());
  if (!ns->empty()) config.ns = *ns;
  return config;
}

}  // namespace

Result<Config> ResolveKubeconfig(const std::vector<KubeconfigFile>& files,
                                 const std::string& context, const ReadFile& read_file) {
  Merged merged;
  for (const KubeconfigFile& file : files) {
    const Result<void> added = MergeFile(file, &merged);
    if (!added) return tl::make_unexpected(added.error());
  }
  const bool chosen = !context.empty();
  const std::string& name = chosen ? context : merged.current_context;
  if (name.empty()) {
    return InvalidKubeconfig("the kubeconfig has no current-context; choose one with --context");
  }
  const Result<const Entry*> entry =
      Find(merged.contexts, "context", name, chosen ? "--context" : "current-context");
  if (!entry) return tl::make_unexpected(entry.error());
  return ResolveContext(merged, **entry, read_file);
}

}  // namespace whimbrel::kube
