#pragma once

#include <chrono>
#include <condition_variable>
#include <functional>
#include <mutex>
#include <optional>
#include <stop_token>
#include <string>

#include "kube/child_process.h"
#include "kube/credential_source.h"
#include "kube/tls_source.h"
#include "whimbrel/base/clock.h"
#include "whimbrel/kube/exec_plugin.h"

namespace whimbrel::kube {

/// What a plug-in printed.
struct ExecCredential {
  Secret token;
  std::string certificate_pem;
  Secret key_pem;
  std::optional<SystemTime> expires_at;
};

/// Reads an `ExecCredential` object; errors never quote it.
[[nodiscard]] Result<ExecCredential> ParseExecCredential(std::string_view text,
                                                         const std::string& api_version);

/// Runs the plug-in once.
[[nodiscard]] Result<ExecCredential> RunExecPlugin(const ExecPlugin& plugin, std::stop_token stop);

/// Keeps what the plug-in gave until it expires, or until the server refuses it; the plug-in runs
/// for one caller at a time, and the others wait for what it brings. A failure stands for two
/// seconds, so that many callers do not start it over and over. A client certificate goes to `tls`.
class ExecCredentialSource final : public CredentialSource {
 public:
  using Run = std::function<Result<ExecCredential>(std::stop_token)>;

  ExecCredentialSource(Run run, TlsSource& tls, const Clock& clock);

  [[nodiscard]] Result<BearerToken> Get(std::stop_token stop) override;
  void Refused(const BearerToken& token) override;

 private:
  [[nodiscard]] bool IsFresh() const;
  [[nodiscard]] Result<void> Accept(Result<ExecCredential> credential);

  const Run run_;
  TlsSource& tls_;
  const Clock& clock_;

  std::mutex mutex_;  // For what follows.
  std::condition_variable_any changed_;
  bool running_ = false;
  bool wanted_ = true;  // The cache is empty, or was refused.
  BearerToken token_;
  std::optional<SystemTime> expires_at_;
  std::optional<Error> failure_;
  SteadyTime failed_at_;
};

}  // namespace whimbrel::kube
