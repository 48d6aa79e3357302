#pragma once

#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/x509.h>
#include <openssl/x509v3.h>

#include <chrono>
#include <stdexcept>
#include <string>

#include "whimbrel/base/pem.h"

namespace whimbrel::kube {

/// A key with its certificate, as objects and as PEM.
struct TestIdentity {
  KeyPtr key;
  CertificatePtr certificate;

  [[nodiscard]] std::string CertificatePem() const {
    const BioPtr bio(BIO_new(BIO_s_mem()));
    PEM_write_bio_X509(bio.get(), certificate.get());
    return TextOf(bio.get());
  }
  /// Encrypted when there is a pass phrase.
  [[nodiscard]] std::string KeyPem(std::string pass_phrase = "") const {
    const BioPtr bio(BIO_new(BIO_s_mem()));
    PEM_write_bio_PrivateKey(bio.get(), key.get(),
                             pass_phrase.empty() ? nullptr : EVP_aes_128_cbc(), nullptr, 0, nullptr,
                             pass_phrase.empty() ? nullptr : pass_phrase.data());
    return TextOf(bio.get());
  }
};

struct CertificateOptions {
  std::string common_name;
  std::string subject_alt_name;          ///< As in openssl.cnf: `DNS:a,IP:127.0.0.1`.
  const TestIdentity* issuer = nullptr;  ///< nullptr: signed by itself.
  bool is_ca = false;
  std::chrono::seconds valid_for = std::chrono::hours(1);  ///< Negative: expired.
};

inline TestIdentity MakeCertificate(const CertificateOptions& options) {
  TestIdentity identity{.key = KeyPtr(EVP_EC_gen("P-256")),
                        .certificate = CertificatePtr(X509_new())};
  X509* certificate = identity.certificate.get();
  X509_set_version(certificate, X509_VERSION_3);
  static long serial = 1;
  ASN1_INTEGER_set(X509_get_serialNumber(certificate), serial++);
  X509_gmtime_adj(X509_getm_notBefore(certificate), -7200);
  X509_gmtime_adj(X509_getm_notAfter(certificate), options.valid_for.count());
  X509_set_pubkey(certificate, identity.key.get());
  X509_NAME_add_entry_by_txt(X509_get_subject_name(certificate), "CN", MBSTRING_ASC,
                             reinterpret_cast<const unsigned char*>(options.common_name.c_str()),
                             -1, -1, 0);
  const TestIdentity& issuer = options.issuer == nullptr ? identity : *options.issuer;
  X509_set_issuer_name(certificate, X509_get_subject_name(issuer.certificate.get()));
  const auto add = [&](int nid, const std::string& value) {
    X509V3_CTX context;
    X509V3_set_ctx(&context, issuer.certificate.get(), certificate, nullptr, nullptr, 0);
    const CPtr<X509_EXTENSION, X509_EXTENSION_free> extension(
        X509V3_EXT_conf_nid(nullptr, &context, nid, value.c_str()));
    if (!extension) throw std::runtime_error("bad extension " + value);
    X509_add_ext(certificate, extension.get(), -1);
  };
  add(NID_basic_constraints, options.is_ca ? "critical,CA:TRUE" : "CA:FALSE");
  if (!options.subject_alt_name.empty()) add(NID_subject_alt_name, options.subject_alt_name);
  if (X509_sign(certificate, issuer.key.get(), EVP_sha256()) == 0) {
    throw std::runtime_error("cannot sign");
  }
  return identity;
}

}  // namespace whimbrel::kube
