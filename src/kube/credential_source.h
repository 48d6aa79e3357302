#pragma once

#include <cstdint>
#include <stop_token>

#include "whimbrel/base/error.h"
#include "whimbrel/base/secret.h"

namespace whimbrel::kube {

/// What a request authenticates itself with, beside the connection's client certificate.
struct BearerToken {
  Secret value;                  ///< Empty: none.
  std::uint64_t generation = 0;  ///< Another one for each change of the credentials.
};

/// Where the credentials of requests come from. Thread-safe.
class CredentialSource {
 public:
  virtual ~CredentialSource() = default;
  /// Asked before each request; may block while a new token is fetched, until `stop`.
  [[nodiscard]] virtual Result<BearerToken> Get(std::stop_token stop) = 0;
  /// The server did not accept `token` (401): unless it has been replaced meanwhile, the next Get
  /// looks for a new one.
  virtual void Refused(const BearerToken& token) = 0;
};

}  // namespace whimbrel::kube
