#pragma once

#include <functional>
#include <mutex>
#include <optional>
#include <string>

#include "kube/credential_source.h"
#include "whimbrel/base/clock.h"
#include "whimbrel/base/error.h"
#include "whimbrel/base/secret.h"

namespace whimbrel::kube {

/// The bearer token of requests: a fixed one, or a file that somebody rotates (the kubelet does so
/// with the tokens of service accounts, client-go transport/token_source.go). Thread-safe.
class TokenSource final : public CredentialSource {
 public:
  using ReadFile = std::function<Result<std::string>(const std::string& path)>;

  /// The file wins where both are given; the fixed token serves while the file cannot be read.
  TokenSource(Secret fixed, std::string file, ReadFile read_file, const Clock& clock);

  /// A file that cannot be read any more leaves the last token. Never an error.
  [[nodiscard]] Result<BearerToken> Get(std::stop_token stop) override;
  /// The next Get reads the file again.
  void Refused(const BearerToken& token) override;

 private:
  const std::string file_;
  const ReadFile read_file_;
  const Clock& clock_;

  std::mutex mutex_;
  BearerToken token_;
  std::optional<SteadyTime> read_at_;  // Empty: read at the next Get.
};

}  // namespace whimbrel::kube
