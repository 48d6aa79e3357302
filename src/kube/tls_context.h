#pragma once

#include <openssl/ssl.h>

#include <memory>
#include <string>

#include "whimbrel/base/error.h"
#include "whimbrel/base/secret.h"

namespace whimbrel::kube {

struct TlsOptions {
  std::string server_name;  ///< Host name or address that the server's certificate must be for.
  std::string ca_pem;       ///< The only roots; empty: the system's.
  bool insecure_skip_verify = false;
  std::string certificate_pem;  ///< Ours, with its chain; empty: none.
  Secret key_pem;
};

/// How we do TLS: at least 1.2, the server verified by OpenSSL itself against the configured roots
/// and nothing else (cpp-httplib would add the system's, and has a host name matcher of its own).
/// Immutable, hence thread-safe.
class TlsContext {
 public:
  /// Fails when a PEM text is not what it should be, or key and certificate do not belong together.
  static Result<TlsContext> Create(TlsOptions options);
  TlsContext(TlsContext&&) noexcept;
  ~TlsContext();

  /// Sets a context up for one connection; false: it must not be used. Why a server's certificate
  /// was refused goes to `verify_error`, which must live as long as `context`; it stays empty
  /// otherwise.
  [[nodiscard]] bool Configure(SSL_CTX* context, std::string* verify_error) const;

 private:
  struct Material;
  TlsContext(TlsOptions options, std::unique_ptr<Material> material);
  bool ConfigureIdentity(SSL_CTX* context) const;

  TlsOptions options_;
  std::unique_ptr<Material> material_;
};

}  // namespace whimbrel::kube
