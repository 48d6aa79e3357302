#pragma once

#include <memory>
#include <string>

#include "kube/credential_source.h"
#include "kube/http_transport.h"
#include "kube/tls_source.h"
#include "whimbrel/base/clock.h"
#include "whimbrel/kube/object_client.h"
#include "whimbrel/kube/rest_client.h"

namespace whimbrel::kube {

/// What a RestClient is made of; the seam where tests put a scripted transport and their own clock.
struct RestClientParts {
  std::unique_ptr<TlsSource> tls;  ///< Null for http://; the transport and the credentials use it.
  std::unique_ptr<HttpTransport> transport;
  std::unique_ptr<CredentialSource> credentials;  ///< Null: requests carry no token.
  std::string server;                             ///< `host:port`, for error messages.
  RestClientOptions options;
};

[[nodiscard]] std::unique_ptr<ObjectClient> AssembleRestClient(RestClientParts parts,
                                                               const Clock& clock);

}  // namespace whimbrel::kube
