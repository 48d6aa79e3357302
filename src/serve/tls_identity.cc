#include "whimbrel/serve/tls_identity.h"

#include <openssl/err.h>
#include <openssl/ssl.h>
#include <sys/stat.h>

#include <array>
#include <fstream>
#include <iterator>
#include <mutex>
#include <optional>
#include <utility>

#include "serve/self_signed.h"
#include "whimbrel/base/log.h"
#include "whimbrel/base/pem.h"
#include "whimbrel/base/secret.h"

namespace whimbrel::serve {
namespace {

using ContextPtr = std::shared_ptr<SSL_CTX>;

/// How often the files are looked at.
constexpr std::chrono::seconds kLookInterval{10};
/// A self-signed certificate is good for a year (self_signed.cc).
constexpr std::chrono::hours kRenewAfter{24 * 300};

tl::unexpected<Error> Refuse(std::string message) {
  ERR_clear_error();
  return Fail(ErrorKind::kInvalidArgument, std::move(message));
}

ContextPtr NewContext() {
  ContextPtr context(SSL_CTX_new(TLS_server_method()), &SSL_CTX_free);
  if (!context) return nullptr;
  SSL_CTX_set_min_proto_version(context.get(), TLS1_2_VERSION);
  // One request a connection: nothing is resumed.
  SSL_CTX_set_options(context.get(), SSL_OP_NO_RENEGOTIATION | SSL_OP_NO_TICKET);
  SSL_CTX_set_num_tickets(context.get(), 0);
  SSL_CTX_set_session_cache_mode(context.get(), SSL_SESS_CACHE_OFF);
  return context;
}

// The first certificate is ours; those after it lead to its root.
bool UseCertificates(SSL_CTX* context, std::string_view pem) {
  const BioPtr bio = ReaderOf(pem);
  const CertificatePtr own = ReadCertificate(bio.get());
  if (!own || SSL_CTX_use_certificate(context, own.get()) != 1) return false;
  while (const CertificatePtr next = ReadCertificate(bio.get())) {
    if (SSL_CTX_add1_chain_cert(context, next.get()) != 1) return false;
  }
  ERR_clear_error();
  return true;
}

Result<ContextPtr> MakeContext(std::string_view certificate_pem, const Secret& key_pem) {
  const ContextPtr context = NewContext();
  if (!context) return Fail(ErrorKind::kUnavailable, "OpenSSL has no memory");
  if (!UseCertificates(context.get(), certificate_pem)) {
    return Refuse("the certificate file does not begin with a PEM certificate");
  }
  const KeyPtr key = ReadPrivateKey(ReaderOf(key_pem.Reveal()).get());
  if (!key) return Refuse("the key file is not a PEM private key without a pass phrase");
  if (SSL_CTX_use_PrivateKey(context.get(), key.get()) != 1 ||
      SSL_CTX_check_private_key(context.get()) != 1) {
    return Refuse("the key does not belong to the certificate");
  }
  return context;
}

Result<std::string> ReadFile(const std::filesystem::path& path) {
  std::ifstream file(path, std::ios::binary);
  std::string text((std::istreambuf_iterator<char>(file)), {});
  if (!file) {
    return Fail(ErrorKind::kInvalidArgument, "cannot read '" + path.string() + "'");
  }
  return text;
}

/// Tells whether a file, or what a link leads to, is another one than before.
struct FileStamp {
  std::array<std::int64_t, 4> parts{};

  static FileStamp Of(const std::filesystem::path& path) {
    struct stat status {};
    if (::stat(path.c_str(), &status) != 0) return {};
    return {{static_cast<std::int64_t>(status.st_ino), status.st_size, status.st_ctim.tv_sec,
             status.st_ctim.tv_nsec}};
  }
  friend bool operator==(const FileStamp&, const FileStamp&) = default;
};

class FileIdentity final : public TlsIdentity {
 public:
  FileIdentity(std::filesystem::path certificate, std::filesystem::path key, const Clock& clock)
      : certificate_(std::move(certificate)), key_(std::move(key)), clock_(clock) {}

  // Before anybody else knows of this object.
  Result<void> Load() {
    stamp_ = Stamp();
    looked_ = clock_.SteadyNow();
    Result<ContextPtr> context = Read();
    if (!context) return tl::make_unexpected(std::move(context).error());
    context_ = *std::move(context);
    return {};
  }

  ContextPtr Context() override {
    const std::lock_guard lock(mutex_);
    if (clock_.SteadyNow() - looked_ >= kLookInterval) Look();
    return context_;
  }

 private:
  using Stamps = std::pair<FileStamp, FileStamp>;

  [[nodiscard]] Stamps Stamp() const { return {FileStamp::Of(certificate_), FileStamp::Of(key_)}; }

  [[nodiscard]] Result<ContextPtr> Read() const {
    const Result<std::string> certificate = ReadFile(certificate_);
    if (!certificate) return tl::make_unexpected(certificate.error());
    Result<std::string> key = ReadFile(key_);
    if (!key) return tl::make_unexpected(key.error());
    Result<ContextPtr> context = MakeContext(*certificate, Secret(*std::move(key)));
    if (!context) context.error().message += " ('" + certificate_.string() + "')";
    return context;
  }

  void Look() {
    looked_ = clock_.SteadyNow();
    // Before reading: what changes in between is seen the next time.
    const Stamps now = Stamp();
    if (now == stamp_) return;
    stamp_ = now;
    Result<ContextPtr> context = Read();
    if (!context) {
      log::Error("serve", "the certificate was not read again; going on with the last good one",
                 {{"error", context.error().ToString()}});
      return;
    }
    context_ = *std::move(context);
    log::Info("serve", "the certificate was read again", {{"file", certificate_.string()}});
  }

  const std::filesystem::path certificate_;
  const std::filesystem::path key_;
  const Clock& clock_;
  std::mutex mutex_;
  Stamps stamp_;
  SteadyTime looked_;
  ContextPtr context_;
};

class SelfSignedIdentity final : public TlsIdentity {
 public:
  explicit SelfSignedIdentity(const Clock& clock) : clock_(clock) {}

  Result<void> Renew() {
    const Result<SelfSignedPair> pair = MakeSelfSigned(clock_.SystemNow());
    if (!pair) return tl::make_unexpected(pair.error());
    Result<ContextPtr> context = MakeContext(pair->certificate_pem, pair->key_pem);
    if (!context) return tl::make_unexpected(std::move(context).error());
    made_ = clock_.SystemNow();
    context_ = *std::move(context);
    return {};
  }

  ContextPtr Context() override {
    const std::lock_guard lock(mutex_);
    if (clock_.SystemNow() - made_ >= kRenewAfter) {
      if (const Result<void> renewed = Renew(); !renewed) {
        log::Error("serve", "the certificate was not renewed",
                   {{"error", renewed.error().ToString()}});
      }
    }
    return context_;
  }

 private:
  const Clock& clock_;
  std::mutex mutex_;
  SystemTime made_;
  ContextPtr context_;
};

}  // namespace

Result<std::shared_ptr<TlsIdentity>> TlsIdentity::FromFiles(std::filesystem::path certificate,
                                                            std::filesystem::path key,
                                                            const Clock& clock) {
  auto identity = std::make_shared<FileIdentity>(std::move(certificate), std::move(key), clock);
  if (Result<void> loaded = identity->Load(); !loaded) {
    return tl::make_unexpected(std::move(loaded).error());
  }
  return identity;
}

Result<std::shared_ptr<TlsIdentity>> TlsIdentity::SelfSigned(const Clock& clock) {
  auto identity = std::make_shared<SelfSignedIdentity>(clock);
  if (Result<void> made = identity->Renew(); !made) {
    return tl::make_unexpected(std::move(made).error());
  }
  return identity;
}

}  // namespace whimbrel::serve
