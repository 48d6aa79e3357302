#include "kube/tls_context.h"

#include <arpa/inet.h>
#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/x509_vfy.h>
#include <openssl/x509v3.h>

#include <string_view>
#include <utility>
#include <vector>

#include "whimbrel/base/pem.h"

namespace whimbrel::kube {
namespace {

using Store = CPtr<X509_STORE, X509_STORE_free>;

// As Go does, passes over blocks that cannot be read: bundles of authorities hold strange ones.
std::vector<CertificatePtr> ReadCertificates(std::string_view pem) {
  std::vector<CertificatePtr> certificates;
  const BioPtr bio = ReaderOf(pem);
  bool at_end = false;
  while (!at_end) {
    CertificatePtr next = ReadCertificate(bio.get());
    at_end = !next && ERR_GET_REASON(ERR_peek_last_error()) == PEM_R_NO_START_LINE;
    if (next) certificates.push_back(std::move(next));
    ERR_clear_error();
  }
  return certificates;
}

Result<Store> MakeStore(const std::string& ca_pem) {
  Store store(X509_STORE_new());
  if (ca_pem.empty()) {
    X509_STORE_set_default_paths(store.get());
    return store;
  }
  const std::vector<CertificatePtr> roots = ReadCertificates(ca_pem);
  if (roots.empty()) {
    return Fail(ErrorKind::kInvalidArgument,
                "the certificate authority of the API server holds no PEM certificate");
  }
  for (const CertificatePtr& root : roots) X509_STORE_add_cert(store.get(), root.get());
  // As Go does: whatever the CA file holds is trusted, an intermediate too.
  X509_STORE_set_flags(store.get(), X509_V_FLAG_PARTIAL_CHAIN);
  return store;
}

std::string DescribeVerifyError(int code) {
  if (code == X509_V_ERR_HOSTNAME_MISMATCH || code == X509_V_ERR_IP_ADDRESS_MISMATCH) {
    return "the server's certificate is for another host";
  }
  return std::string("the server's certificate is not trusted: ") +
         X509_verify_cert_error_string(code);
}

int VerifyCertificate(X509_STORE_CTX* context, void* verify_error) {
  const int accepted = X509_verify_cert(context);
  if (accepted <= 0) {
    *static_cast<std::string*>(verify_error) =
        DescribeVerifyError(X509_STORE_CTX_get_error(context));
  }
  return accepted;
}

bool IsAddress(const std::string& host) {
  unsigned char buffer[sizeof(in6_addr)];
  return ::inet_pton(AF_INET, host.c_str(), buffer) == 1 ||
         ::inet_pton(AF_INET6, host.c_str(), buffer) == 1;
}

}  // namespace

struct TlsContext::Material {
  Store store;
  std::vector<CertificatePtr> chain;  // Ours first, then those that lead to its root.
  KeyPtr key;

  Result<void> ReadIdentity(const TlsOptions& options);
};

Result<void> TlsContext::Material::ReadIdentity(const TlsOptions& options) {
  chain = ReadCertificates(options.certificate_pem);
  if (chain.empty()) {
    return Fail(ErrorKind::kInvalidArgument, "the client certificate holds no PEM certificate");
  }
  key = ReadPrivateKey(ReaderOf(options.key_pem.Reveal()).get());
  const bool fits = key && X509_check_private_key(chain[0].get(), key.get()) == 1;
  ERR_clear_error();
  if (!key) {
    return Fail(ErrorKind::kInvalidArgument,
                "the client key is not a PEM private key without a pass phrase");
  }
  if (!fits) {
    return Fail(ErrorKind::kInvalidArgument,
                "the client key does not belong to the client certificate");
  }
  return {};
}

TlsContext::TlsContext(TlsOptions options, std::unique_ptr<Material> material)
    : options_(std::move(options)), material_(std::move(material)) {}
TlsContext::TlsContext(TlsContext&&) noexcept = default;
TlsContext::~TlsContext() = default;

Result<TlsContext> TlsContext::Create(TlsOptions options) {
  auto material = std::make_unique<Material>();
  Result<Store> store = MakeStore(options.ca_pem);
  if (!store) return tl::make_unexpected(store.error());
  material->store = std::move(*store);
  if (!options.certificate_pem.empty()) {
    const Result<void> identity = material->ReadIdentity(options);
    if (!identity) return tl::make_unexpected(identity.error());
  }
  return TlsContext(std::move(options), std::move(material));
}

bool TlsContext::ConfigureIdentity(SSL_CTX* context) const {
  if (material_->chain.empty()) return true;
  if (SSL_CTX_use_certificate(context, material_->chain[0].get()) != 1) return false;
  for (std::size_t i = 1; i < material_->chain.size(); ++i) {
    if (SSL_CTX_add1_chain_cert(context, material_->chain[i].get()) != 1) return false;
  }
  return SSL_CTX_use_PrivateKey(context, material_->key.get()) == 1;
}

bool TlsContext::Configure(SSL_CTX* context, std::string* verify_error) const {
  if (SSL_CTX_set_min_proto_version(context, TLS1_2_VERSION) != 1) return false;
  SSL_CTX_set_options(context, SSL_OP_NO_RENEGOTIATION);
  if (!ConfigureIdentity(context)) return false;
  if (options_.insecure_skip_verify) {
    SSL_CTX_set_verify(context, SSL_VERIFY_NONE, nullptr);
    return true;
  }
  SSL_CTX_set1_cert_store(context, material_->store.get());
  SSL_CTX_set_verify(context, SSL_VERIFY_PEER, nullptr);
  SSL_CTX_set_cert_verify_callback(context, &VerifyCertificate, verify_error);
  X509_VERIFY_PARAM* parameters = SSL_CTX_get0_param(context);
  // As Go does: subject alternative names alone count, never the common name.
  X509_VERIFY_PARAM_set_hostflags(
      parameters, X509_CHECK_FLAG_NO_PARTIAL_WILDCARDS | X509_CHECK_FLAG_NEVER_CHECK_SUBJECT);
  const std::string& name = options_.server_name;
  return IsAddress(name) ? X509_VERIFY_PARAM_set1_ip_asc(parameters, name.c_str()) == 1
                         : X509_VERIFY_PARAM_set1_host(parameters, name.data(), name.size()) == 1;
}

}  // namespace whimbrel::kube
