#include "support/api_server.h"

#include <httplib.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <cstdlib>
#include <optional>
#include <stdexcept>
#include <utility>

#include "support/free_port.h"
#include "support/temp_dir.h"

namespace whimbrel::testing {
namespace {

namespace fs = std::filesystem;

constexpr const char* kAdminToken = "admin-token-of-the-tests";
constexpr const char* kWeakToken = "weak-token-of-the-tests";

constexpr const char* kCertificateConfig = R"([req]
distinguished_name = name
prompt = no
[name]
[authority]
basicConstraints = critical, CA:TRUE
keyUsage = critical, keyCertSign, cRLSign
subjectKeyIdentifier = hash
[server]
basicConstraints = critical, CA:FALSE
keyUsage = critical, digitalSignature
extendedKeyUsage = serverAuth
subjectAltName = IP:127.0.0.1, DNS:localhost, DNS:kubernetes.default.svc
[client]
basicConstraints = critical, CA:FALSE
keyUsage = critical, digitalSignature
extendedKeyUsage = clientAuth
)";

std::string Variable(const char* name) {
  const char* value = std::getenv(name);
  return value == nullptr ? "" : value;
}

bool Holds(const fs::path& folder, const std::string& program) {
  return access((folder / program).c_str(), X_OK) == 0;
}

// The folders that may hold the programs, the preferred one first.
std::vector<fs::path> AssetFolders() {
  if (const auto given = Variable("KUBEBUILDER_ASSETS"); !given.empty()) return {given};
  const auto xdg = Variable("XDG_CACHE_HOME");
  const fs::path cache = xdg.empty() ? fs::path(Variable("HOME")) / ".cache" : fs::path(xdg);
  std::vector<fs::path> folders;
  std::error_code none;
  for (const auto& entry : fs::directory_iterator(cache / "whimbrel/assets", none)) {
    folders.push_back(entry.path());
  }
  std::sort(folders.rbegin(), folders.rend());
  return folders;
}

std::string FindProgram(const std::string& program) {
  for (const auto& folder : AssetFolders()) {
    if (Holds(folder, program)) return folder / program;
  }
  if (program == "etcd") return program;
  throw std::runtime_error(
      "no " + program +
      ": set KUBEBUILDER_ASSETS to a folder that has it, or run "
      "scripts/kube-assets.sh, which builds it into the cache (`make test` does)");
}

void Must(const SpawnOptions& options) {
  const auto result = RunProcess(options);
  if (result.exit_code == 0) return;
  throw std::runtime_error(options.argv.at(0) + " failed:\n" + result.out + result.err);
}

// NAME.key and NAME.crt in the folder; signed by ca.key unless it is the authority itself.
void MakeCertificate(const fs::path& folder, const std::string& name, const std::string& subject,
                     const std::string& extensions) {
  std::vector<std::string> argv{"openssl",
                                "req",
                                "-x509",
                                "-config",
                                "openssl.cnf",
                                "-extensions",
                                extensions,
                                "-newkey",
                                "ec",
                                "-pkeyopt",
                                "ec_paramgen_curve:prime256v1",
                                "-nodes",
                                "-days",
                                "2",
                                "-subj",
                                subject,
                                "-keyout",
                                name + ".key",
                                "-out",
                                name + ".crt"};
  if (name != "ca") argv.insert(argv.end(), {"-CA", "ca.crt", "-CAkey", "ca.key"});
  Must({.argv = std::move(argv), .directory = folder, .folder_to_remove = folder});
}

std::string KubeconfigText(const std::string& url, const fs::path& ca, const std::string& user) {
  return "apiVersion: v1\nkind: Config\ncurrent-context: test\n"
         "clusters:\n- name: test\n  cluster:\n    server: " +
         url + "\n    certificate-authority: " + ca.string() +
         "\ncontexts:\n- name: test\n  context: {cluster: test, user: test}\n"
         "users:\n- name: test\n  user: " +
         user + "\n";
}

std::string TokenUser(const std::string& token) { return "{token: " + token + "}"; }

}  // namespace

struct ApiServer::State {
  State();

  void WriteFiles();
  [[nodiscard]] SpawnOptions EtcdCommand() const;
  [[nodiscard]] SpawnOptions Command() const;
  [[nodiscard]] SpawnOptions Daemon(std::vector<std::string> argv, const std::string& log) const;
  [[nodiscard]] HttpAnswer Request(const std::string& method, const std::string& path,
                                   const std::string& body) const;

  // Looked up first: without them nothing has to be started.
  const std::string etcd_program = FindProgram("etcd");
  const std::string server_program = FindProgram("kube-apiserver");
  const std::string kubectl_program = FindProgram("kubectl");
  const TempDir folder{"whimbrel-kube"};
  const FreePort port;
  const FreePort etcd_port;
  const FreePort etcd_peer_port;
  const std::string url = "https://127.0.0.1:" + std::to_string(port.number());
  const std::string admin_token = kAdminToken;
  std::string ca_pem;
  std::atomic<int> namespaces = 0;
  std::optional<Subprocess> etcd;
  std::optional<Subprocess> server;
};

ApiServer::State::State() {
  WriteFiles();
  etcd.emplace(EtcdCommand());
}

void ApiServer::State::WriteFiles() {
  folder.Write("openssl.cnf", kCertificateConfig);
  MakeCertificate(folder.path(), "ca", "/CN=whimbrel-test-ca", "authority");
  MakeCertificate(folder.path(), "server", "/CN=kube-apiserver", "server");
  MakeCertificate(folder.path(), "client", "/O=system:masters/CN=certified-admin", "client");
  ca_pem = ReadFile(folder / "ca.crt");
  folder.Write("tokens.csv", std::string(kAdminToken) + ",admin,admin,\"system:masters\"\n" +
                                 kWeakToken + ",weak,weak\n");
  folder.Write("admin.kubeconfig", KubeconfigText(url, folder / "ca.crt", TokenUser(kAdminToken)));
  folder.Write("weak.kubeconfig", KubeconfigText(url, folder / "ca.crt", TokenUser(kWeakToken)));
  folder.Write("certificate.kubeconfig",
               KubeconfigText(url, folder / "ca.crt",
                              "{client-certificate: " + (folder / "client.crt").string() +
                                  ", client-key: " + (folder / "client.key").string() + "}"));
}

SpawnOptions ApiServer::State::Daemon(std::vector<std::string> argv, const std::string& log) const {
  return {.argv = std::move(argv),
          .directory = folder.path(),
          .output_file = folder / log,
          .folder_to_remove = folder.path()};
}

SpawnOptions ApiServer::State::EtcdCommand() const {
  const std::string client = "http://127.0.0.1:" + std::to_string(etcd_port.number());
  const std::string peer = "http://127.0.0.1:" + std::to_string(etcd_peer_port.number());
  return Daemon({etcd_program, "--data-dir", folder / "etcd", "--unsafe-no-fsync",
                 "--listen-client-urls", client, "--advertise-client-urls", client,
                 "--listen-peer-urls", peer, "--initial-advertise-peer-urls", peer,
                 "--initial-cluster", "default=" + peer, "--log-level", "warn"},
                "etcd.log");
}

SpawnOptions ApiServer::State::Command() const {
  return Daemon(
      {server_program, "--etcd-servers=http://127.0.0.1:" + std::to_string(etcd_port.number()),
       "--bind-address=127.0.0.1", "--secure-port=" + std::to_string(port.number()),
       "--tls-cert-file=server.crt", "--tls-private-key-file=server.key", "--client-ca-file=ca.crt",
       "--token-auth-file=tokens.csv", "--authorization-mode=RBAC",
       "--service-account-key-file=server.crt", "--service-account-signing-key-file=server.key",
       "--service-account-issuer=https://kubernetes.default.svc",
       "--service-cluster-ip-range=10.96.0.0/16",
       // Nobody makes ServiceAccounts here, which pods would otherwise have to wait for.
       "--disable-admission-plugins=ServiceAccount",
       // Nobody looks for the server inside its own cluster.
       "--advertise-address=192.0.2.1", "--endpoint-reconciler-type=none"},
      "kube-apiserver.log");
}

HttpAnswer ApiServer::State::Request(const std::string& method, const std::string& path,
                                     const std::string& body) const {
  httplib::SSLClient client("127.0.0.1", port.number());
  client.set_ca_cert_path((folder / "ca.crt").c_str());
  client.enable_server_certificate_verification(true);
  client.set_connection_timeout(10);
  client.set_read_timeout(30);
  httplib::Request request;
  request.method = method;
  request.path = path;
  request.body = body;
  request.set_header("Authorization", "Bearer " + admin_token);
  if (!body.empty()) request.set_header("Content-Type", "application/json");
  const auto result = client.send(request);
  if (!result) return {};
  return {.status = result->status, .body = result->body};
}

ApiServer::ApiServer() : state_(std::make_unique<State>()) { Start(); }

ApiServer::~ApiServer() = default;

const std::string& ApiServer::url() const { return state_->url; }

std::uint16_t ApiServer::port() const { return state_->port.number(); }

const std::string& ApiServer::ca_pem() const { return state_->ca_pem; }

fs::path ApiServer::kubeconfig() const { return state_->folder / "admin.kubeconfig"; }

const std::string& ApiServer::admin_token() const { return state_->admin_token; }

fs::path ApiServer::client_certificate_kubeconfig() const {
  return state_->folder / "certificate.kubeconfig";
}

fs::path ApiServer::weak_kubeconfig() const { return state_->folder / "weak.kubeconfig"; }

fs::path ApiServer::KubeconfigFor(const std::string& url, const std::string& name) const {
  return state_->folder.Write(name + ".kubeconfig", KubeconfigText(url, state_->folder / "ca.crt",
                                                                   TokenUser(state_->admin_token)));
}

ProcessResult ApiServer::Kubectl(std::vector<std::string> arguments, std::string input) const {
  // An own cache: a port that is used again must not bring back the resources of an older server.
  std::vector<std::string> argv{state_->kubectl_program, "--kubeconfig", kubeconfig(),
                                "--cache-dir", state_->folder / "kubectl-cache"};
  argv.insert(argv.end(), arguments.begin(), arguments.end());
  return RunProcess({.argv = std::move(argv), .input = std::move(input)});
}

std::string ApiServer::MustKubectl(std::vector<std::string> arguments, std::string input) const {
  std::string what = "kubectl";
  for (const auto& argument : arguments) what += " " + argument;
  auto result = Kubectl(std::move(arguments), std::move(input));
  if (result.exit_code != 0) throw std::runtime_error(what + " failed:\n" + result.err);
  if (result.out.ends_with('\n')) result.out.pop_back();
  return result.out;
}

void ApiServer::AwaitEstablished(const std::string& crd) const {
  const auto established = [&] {
    return Kubectl({"wait", "--for=condition=Established", "crd/" + crd, "--timeout=60s"})
               .exit_code == 0;
  };
  if (!Eventually(established)) throw std::runtime_error("crd/" + crd + " is not served");
}

HttpAnswer ApiServer::Request(const std::string& method, const std::string& path,
                              const std::string& body) const {
  return state_->Request(method, path, body);
}

std::string ApiServer::CreateNamespace() {
  const std::string name = "test-" + std::to_string(++state_->namespaces);
  const auto answer = state_->Request(
      "POST", "/api/v1/namespaces",
      R"({"apiVersion":"v1","kind":"Namespace","metadata":{"name":")" + name + R"("}})");
  if (answer.status != 201) throw std::runtime_error("cannot create a namespace: " + answer.body);
  return name;
}

void ApiServer::Stop() {
  if (!state_->server) return;
  state_->server->Signal(SIGTERM);
  // It waits a minute for watches that are open, which nobody has to see in a test.
  const auto ended =
      Eventually([&] { return !state_->server->running(); }, std::chrono::seconds(5));
  if (!ended) state_->server->Signal(SIGKILL);
  state_->server->Wait();
  state_->server.reset();
}

void ApiServer::Kill9() {
  if (!state_->server) return;
  state_->server->Signal(SIGKILL);
  state_->server->Wait();
  state_->server.reset();
}

void ApiServer::CompactEtcd() const {
  // The JSON gateway of etcd's gRPC interface.
  httplib::Client etcd("127.0.0.1", state_->etcd_port.number());
  etcd.set_read_timeout(30);
  const auto ask = [&](const char* path, const std::string& body) {
    const auto answer = etcd.Post(path, body, "application/json");
    if (answer && answer->status == 200) return answer->body;
    throw std::runtime_error(std::string("etcd does not answer ") + path + " as it should");
  };
  // A write of no meaning: two compactions at one revision would be an error.
  const std::string put = ask("/v3/kv/put", R"({"key":"Y29tcGFjdGVk"})");
  const std::string name = R"("revision":")";
  const std::size_t begin = put.find(name);
  if (begin == std::string::npos) throw std::runtime_error("etcd tells no revision: " + put);
  const std::size_t digits = begin + name.size();
  const std::string revision = put.substr(digits, put.find('"', digits) - digits);
  (void)ask("/v3/kv/compaction", R"({"revision":")" + revision + R"("})");
}

void ApiServer::Start() {
  if (state_->server) throw std::runtime_error("the API server is running already");
  state_->server.emplace(state_->Command());
  const auto ready = Eventually([&] {
    return state_->Request("GET", "/readyz", "").status == 200 || !state_->server->running();
  });
  if (ready && state_->server->running()) return;
  state_->server.reset();
  throw std::runtime_error("kube-apiserver did not become ready; its log:\n" +
                           ReadFile(state_->folder / "kube-apiserver.log") +
                           "\nand that of etcd:\n" + ReadFile(state_->folder / "etcd.log"));
}

ApiServer& SharedApiServer() {
  static ApiServer server;
  return server;
}

}  // namespace whimbrel::testing
