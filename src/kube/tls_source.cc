#include "kube/tls_source.h"

#include <utility>

#include "whimbrel/base/log.h"

namespace whimbrel::kube {
namespace {

constexpr std::chrono::minutes kReadAgainAfter{5};
constexpr std::chrono::seconds kReadAgainAfterFailure{30};

}  // namespace

TlsSource::TlsSource(TlsOptions options, TlsFiles files, ReadFile read_file, const Clock& clock)
    : files_(std::move(files)),
      read_file_(std::move(read_file)),
      clock_(clock),
      options_(std::move(options)),
      read_again_at_(clock.SteadyNow() + kReadAgainAfter) {}

Result<std::unique_ptr<TlsSource>> TlsSource::Create(TlsOptions options, TlsFiles files,
                                                     ReadFile read_file, const Clock& clock) {
  std::unique_ptr<TlsSource> source(
      new TlsSource(options, std::move(files), std::move(read_file), clock));
  const Result<void> adopted = source->Adopt(std::move(options));
  if (!adopted) return tl::make_unexpected(adopted.error());
  return source;
}

std::shared_ptr<const TlsContext> TlsSource::Current() {
  const std::lock_guard lock(mutex_);
  const bool has_files = !files_.ca.empty() || !files_.certificate.empty() || !files_.key.empty();
  const SteadyTime now = clock_.SteadyNow();
  if (!has_files || now < read_again_at_) return current_;
  const Result<void> read = ReadAgain();
  read_again_at_ = now + (read ? Duration(kReadAgainAfter) : Duration(kReadAgainAfterFailure));
  if (!read) {
    log::Warning("kube", "going on with the certificates that were read before",
                 {{"error", read.error().message}});
  }
  return current_;
}

Result<void> TlsSource::SetIdentity(std::string certificate_pem, Secret key_pem) {
  const std::lock_guard lock(mutex_);
  TlsOptions options = options_;
  options.certificate_pem = std::move(certificate_pem);
  options.key_pem = std::move(key_pem);
  return Adopt(std::move(options));
}

Result<void> TlsSource::ReadAgain() {
  std::string key(options_.key_pem.Reveal());
  TlsOptions options = options_;
  for (const auto& [path, text] :
       {std::pair(&files_.ca, &options.ca_pem),
        std::pair(&files_.certificate, &options.certificate_pem), std::pair(&files_.key, &key)}) {
    if (path->empty()) continue;
    Result<std::string> content = read_file_(*path);
    if (!content) return tl::make_unexpected(content.error());
    // No text at all would mean the system's authorities, or no identity.
    if (content->empty()) return Fail(ErrorKind::kInvalidArgument, *path + " is empty");
    *text = std::move(*content);
  }
  options.key_pem = Secret(std::move(key));
  if (options.ca_pem == options_.ca_pem && options.certificate_pem == options_.certificate_pem &&
      options.key_pem == options_.key_pem) {
    return {};
  }
  const Result<void> adopted = Adopt(std::move(options));
  if (adopted) log::Info("kube", "using renewed certificates for new connections", {});
  return adopted;
}

Result<void> TlsSource::Adopt(TlsOptions options) {
  Result<TlsContext> context = TlsContext::Create(options);
  if (!context) return tl::make_unexpected(context.error());
  options_ = std::move(options);
  current_ = std::make_shared<const TlsContext>(std::move(*context));
  return {};
}

}  // namespace whimbrel::kube
