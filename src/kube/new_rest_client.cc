#include <optional>
#include <string>
#include <utility>

#include "kube/exec_credential.h"
#include "kube/proxy.h"
#include "kube/rest_client_parts.h"
#include "kube/token_source.h"
#include "whimbrel/kube/rest_client.h"

namespace whimbrel::kube {
namespace {

Result<std::unique_ptr<TlsSource>> MakeTls(const Config& config, const std::string& server_name) {
  return TlsSource::Create({.server_name = server_name,
                            .ca_pem = config.ca_pem,
                            .insecure_skip_verify = config.insecure_skip_tls_verify,
                            .certificate_pem = config.client_certificate_pem,
                            .key_pem = config.client_key_pem},
                           {.ca = config.ca_file,
                            .certificate = config.client_certificate_file,
                            .key = config.client_key_file},
                           ConfigEnvironment::Process().read_file, Clock::System());
}

std::unique_ptr<CredentialSource> MakeCredentials(const Config& config, TlsSource& tls) {
  if (!config.exec) {
    return std::make_unique<TokenSource>(config.token, config.token_file,
                                         ConfigEnvironment::Process().read_file, Clock::System());
  }
  return std::make_unique<ExecCredentialSource>(
      [plugin = *config.exec](std::stop_token stop) {
        return RunExecPlugin(plugin, std::move(stop));
      },
      tls, Clock::System());
}

}  // namespace

Result<std::unique_ptr<ObjectClient>> NewRestClient(Config config, RestClientOptions options) {
  const Result<ServerUrl> url = ParseServerUrl(config.server);
  if (!url) return tl::make_unexpected(url.error());
  RestClientParts parts;
  parts.server = url->Authority();
  parts.options = std::move(options);
  HttpTransportOptions transport{.server = *url};
  transport.server_name = config.tls_server_name.empty() ? url->host : config.tls_server_name;
  if (!config.proxy_url.empty()) {
    Result<Proxy> proxy = ParseProxy(config.proxy_url.Reveal(), "the proxy of the API server");
    if (!proxy) return tl::make_unexpected(proxy.error());
    transport.proxy = std::move(*proxy);
  }
  if (url->tls) {
    Result<std::unique_ptr<TlsSource>> tls = MakeTls(config, transport.server_name);
    if (!tls) return tl::make_unexpected(tls.error());
    parts.tls = std::move(*tls);
    transport.tls = [source = parts.tls.get()] { return source->Current(); };
    // As client-go does: credentials travel over TLS only.
    parts.credentials = MakeCredentials(config, *parts.tls);
  }
  parts.transport = NewHttpTransport(std::move(transport));
  return AssembleRestClient(std::move(parts), Clock::System());
}

}  // namespace whimbrel::kube
