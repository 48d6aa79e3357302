#pragma once

#include <filesystem>
#include <memory>

#include "whimbrel/base/clock.h"
#include "whimbrel/base/error.h"

struct ssl_ctx_st;  // OpenSSL's SSL_CTX.

namespace whimbrel::serve {

/// The certificate and key with which a server shows itself; at least TLS 1.2. Thread-safe.
class TlsIdentity {
 public:
  /// PEM files, the chain after the certificate; read again within ten seconds of a change (a
  /// mounted Secret, cert-manager). While what stands there is unusable the last good pair is kept,
  /// and a log line says so. kInvalidArgument when the first reading fails.
  static Result<std::shared_ptr<TlsIdentity>> FromFiles(std::filesystem::path certificate,
                                                        std::filesystem::path key,
                                                        const Clock& clock = Clock::System());
  /// A key and a certificate made now, kept in memory only, as kubebuilder's default does: it
  /// encrypts, but proves nothing, so scrapers must skip verification. Renewed when it gets old.
  static Result<std::shared_ptr<TlsIdentity>> SelfSigned(const Clock& clock = Clock::System());

  virtual ~TlsIdentity() = default;

  /// For one new connection: the context with the pair that is good now.
  [[nodiscard]] virtual std::shared_ptr<ssl_ctx_st> Context() = 0;
};

}  // namespace whimbrel::serve
