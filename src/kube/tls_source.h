#pragma once

#include <functional>
#include <memory>
#include <mutex>
#include <string>

#include "kube/tls_context.h"
#include "whimbrel/base/clock.h"
#include "whimbrel/base/error.h"

namespace whimbrel::kube {

/// Files that TLS material comes from, and that somebody may replace; an empty path: the text in
/// TlsOptions stays.
struct TlsFiles {
  std::string ca;
  std::string certificate;
  std::string key;
};

/// The TLS context for the next connection. Files are read again at most every five minutes, as
/// client-go does; what is not whole or does not fit together (a rotation that is half done) leaves
/// the context as it was, and is looked at again soon. Thread-safe.
class TlsSource {
 public:
  using ReadFile = std::function<Result<std::string>(const std::string& path)>;

  /// `options` holds what the files said at the start. Fails as TlsContext::Create does.
  static Result<std::unique_ptr<TlsSource>> Create(TlsOptions options, TlsFiles files,
                                                   ReadFile read_file, const Clock& clock);

  /// Another pointer than before: connections that were made earlier are not to be used again.
  [[nodiscard]] std::shared_ptr<const TlsContext> Current();
  /// From now on we are somebody else: what a credential plug-in gave. On an error nothing changes.
  [[nodiscard]] Result<void> SetIdentity(std::string certificate_pem, Secret key_pem);

 private:
  TlsSource(TlsOptions options, TlsFiles files, ReadFile read_file, const Clock& clock);
  [[nodiscard]] Result<void> ReadAgain();
  [[nodiscard]] Result<void> Adopt(TlsOptions options);

  const TlsFiles files_;
  const ReadFile read_file_;
  const Clock& clock_;

  std::mutex mutex_;  // For what follows.
  TlsOptions options_;
  std::shared_ptr<const TlsContext> current_;
  SteadyTime read_again_at_;
};

}  // namespace whimbrel::kube
