#include "kube/exec_credential.h"

#include <unistd.h>

#include <nlohmann/json.hpp>
#include <utility>

#include "whimbrel/base/redact.h"

namespace whimbrel::kube {
namespace {

using Json = nlohmann::json;
using Interactive = ExecPlugin::Interactive;

constexpr std::chrono::seconds kFailureStands{2};
constexpr std::chrono::minutes kTimeout{1};
constexpr std::chrono::minutes kTimeoutOfAPerson{5};
constexpr std::size_t kMaxShownErrors = 512;

tl::unexpected<Error> Unusable(const std::string& why) {
  return Fail(ErrorKind::kUnauthenticated, why);
}

std::string TextAt(const Json& object, const char* key) {
  const auto it = object.find(key);
  return it != object.end() && it->is_string() ? it->get<std::string>() : std::string();
}

std::vector<std::string> Environment(const ExecPlugin& plugin, bool interactive) {
  Json info = {{"apiVersion", plugin.api_version},
               {"kind", "ExecCredential"},
               {"spec", {{"interactive", interactive}}}};
  if (!plugin.cluster_json.empty()) info["spec"]["cluster"] = Json::parse(plugin.cluster_json);
  std::vector<std::pair<std::string, std::string>> own = plugin.environment;
  own.emplace_back("KUBERNETES_EXEC_INFO", info.dump());
  std::vector<std::string> all;
  for (char** entry = environ; *entry != nullptr; ++entry) {
    const std::string_view text(*entry);
    const std::string_view name = text.substr(0, text.find('='));
    bool replaced = false;
    for (const auto& [other, value] : own) replaced |= name == other;
    if (!replaced) all.emplace_back(text);
  }
  for (const auto& [name, value] : own) all.push_back(name + "=" + value);
  return all;
}

Error Explain(const ExecPlugin& plugin, const Error& error) {
  std::string text =
      "the credential plug-in " + plugin.command + " of the kubeconfig failed: " + error.message;
  if (error.kind == ErrorKind::kNotFound && !plugin.install_hint.empty()) {
    text += "; " + TruncateUtf8(plugin.install_hint, kMaxShownErrors);
  }
  return {.kind = error.kind, .message = std::move(text)};
}

}  // namespace

Result<ExecCredential> ParseExecCredential(std::string_view text, const std::string& api_version) {
  const Json object = Json::parse(text, nullptr, /*allow_exceptions=*/false);
  if (!object.is_object()) return Unusable("its output is no JSON object");
  if (TextAt(object, "kind") != "ExecCredential") return Unusable("it printed no ExecCredential");
  if (TextAt(object, "apiVersion") != api_version) {
    return Unusable("its answer is not of the apiVersion " + api_version +
                    " that the kubeconfig asks for");
  }
  const auto status = object.find("status");
  if (status == object.end() || !status->is_object()) return Unusable("its answer has no status");
  ExecCredential credential{.token = Secret(TextAt(*status, "token")),
                            .certificate_pem = TextAt(*status, "clientCertificateData"),
                            .key_pem = Secret(TextAt(*status, "clientKeyData"))};
  if (credential.certificate_pem.empty() != credential.key_pem.empty()) {
    return Unusable("it gave a client certificate or its key, but not both");
  }
  if (credential.token.empty() && credential.certificate_pem.empty()) {
    return Unusable("it gave neither a token nor a client certificate");
  }
  if (const std::string expires = TextAt(*status, "expirationTimestamp"); !expires.empty()) {
    const Result<SystemTime> time = ParseRfc3339(expires);
    if (!time) return Unusable("its expirationTimestamp is no time of RFC 3339");
    credential.expires_at = *time;
  }
  return credential;
}

Result<ExecCredential> RunExecPlugin(const ExecPlugin& plugin, std::stop_token stop) {
  const bool terminal = ::isatty(STDIN_FILENO) == 1;
  const auto fail = [&](const Error& error) { return tl::make_unexpected(Explain(plugin, error)); };
  if (plugin.interactive == Interactive::kAlways && !terminal) {
    return fail({ErrorKind::kUnauthenticated,
                 "it must ask a person (interactiveMode Always), and there is no terminal"});
  }
  const bool interactive = terminal && plugin.interactive != Interactive::kNever;
  std::vector<std::string> argv{plugin.command};
  argv.insert(argv.end(), plugin.arguments.begin(), plugin.arguments.end());
  const Result<ChildResult> child =
      RunChild({.argv = std::move(argv),
                .environment = Environment(plugin, interactive),
                .with_terminal = interactive,
                .timeout = interactive ? kTimeoutOfAPerson : kTimeout},
               std::move(stop));
  if (!child) return fail(child.error());
  if (child->exit_code != 0) {
    std::string why = "it ended with exit code " + std::to_string(child->exit_code);
    if (!child->errors.empty()) {
      why += ": " + TruncateUtf8(Redact(child->errors), kMaxShownErrors);
    }
    return fail({ErrorKind::kUnauthenticated, why});
  }
  Result<ExecCredential> credential = ParseExecCredential(child->output, plugin.api_version);
  if (!credential) return fail(credential.error());
  return credential;
}

ExecCredentialSource::ExecCredentialSource(Run run, TlsSource& tls, const Clock& clock)
    : run_(std::move(run)), tls_(tls), clock_(clock) {}

bool ExecCredentialSource::IsFresh() const {
  return !wanted_ && (!expires_at_ || clock_.SystemNow() < *expires_at_);
}

Result<BearerToken> ExecCredentialSource::Get(std::stop_token stop) {
  std::unique_lock lock(mutex_);
  const auto idle = [this] { return !running_; };
  if (!changed_.wait(lock, stop, idle)) return Fail(ErrorKind::kCancelled, "stopped");
  if (IsFresh()) return token_;
  if (failure_ && clock_.SteadyNow() - failed_at_ < kFailureStands) {
    return tl::make_unexpected(*failure_);
  }
  running_ = true;
  lock.unlock();
  Result<ExecCredential> credential = run_(stop);
  lock.lock();
  running_ = false;
  changed_.notify_all();
  const Result<void> accepted = Accept(std::move(credential));
  if (accepted) return token_;
  // Whose caller was stopped says nothing about the next attempt.
  if (accepted.error().kind != ErrorKind::kCancelled) {
    failure_ = accepted.error();
    failed_at_ = clock_.SteadyNow();
  }
  return tl::make_unexpected(accepted.error());
}

Result<void> ExecCredentialSource::Accept(Result<ExecCredential> credential) {
  if (!credential) return tl::make_unexpected(credential.error());
  if (!credential->certificate_pem.empty()) {
    const Result<void> identity =
        tls_.SetIdentity(std::move(credential->certificate_pem), std::move(credential->key_pem));
    if (!identity) {
      return Unusable(
          "the credential plug-in of the kubeconfig gave a client certificate that "
          "cannot be used: " +
          identity.error().message);
    }
  }
  token_ = {.value = std::move(credential->token), .generation = token_.generation + 1};
  expires_at_ = credential->expires_at;
  failure_.reset();
  wanted_ = false;
  return {};
}

void ExecCredentialSource::Refused(const BearerToken& token) {
  const std::lock_guard lock(mutex_);
  if (token.generation == token_.generation) wanted_ = true;
}

}  // namespace whimbrel::kube
