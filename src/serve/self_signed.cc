#include "serve/self_signed.h"

#include <openssl/bn.h>
#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/rand.h>
#include <openssl/x509v3.h>

#include <array>

#include "whimbrel/base/pem.h"

namespace whimbrel::serve {
namespace {

bool SetRandomSerial(X509* certificate) {
  // RFC 5280 §4.1.2.2: positive, at most 20 octets.
  std::array<unsigned char, 16> bytes{};
  if (RAND_bytes(bytes.data(), bytes.size()) != 1) return false;
  bytes[0] &= 0x7f;
  const CPtr<BIGNUM, BN_free> number(BN_bin2bn(bytes.data(), bytes.size(), nullptr));
  return BN_to_ASN1_INTEGER(number.get(), X509_get_serialNumber(certificate)) != nullptr;
}

bool SetName(X509* certificate) {
  X509_NAME* name = X509_get_subject_name(certificate);
  return X509_NAME_add_entry_by_txt(name, "CN", MBSTRING_ASC,
                                    reinterpret_cast<const unsigned char*>("whimbrel metrics"), -1,
                                    -1, 0) == 1 &&
         X509_set_issuer_name(certificate, name) == 1;
}

bool SetValidity(X509* certificate, SystemTime now) {
  constexpr std::chrono::hours kYear{24 * 365};
  time_t from = std::chrono::system_clock::to_time_t(now - std::chrono::hours(1));
  time_t until = std::chrono::system_clock::to_time_t(now + kYear);
  return X509_time_adj(X509_getm_notBefore(certificate), 0, &from) != nullptr &&
         X509_time_adj(X509_getm_notAfter(certificate), 0, &until) != nullptr;
}

bool AddExtension(X509* certificate, int nid, const char* value) {
  const CPtr<X509_EXTENSION, X509_EXTENSION_free> extension(
      X509V3_EXT_conf_nid(nullptr, nullptr, nid, value));
  return extension && X509_add_ext(certificate, extension.get(), -1) == 1;
}

bool Fill(X509* certificate, EVP_PKEY* key, SystemTime now) {
  return X509_set_version(certificate, X509_VERSION_3) == 1 && SetRandomSerial(certificate) &&
         SetName(certificate) && SetValidity(certificate, now) &&
         X509_set_pubkey(certificate, key) == 1 &&
         AddExtension(certificate, NID_basic_constraints, "critical,CA:FALSE") &&
         AddExtension(certificate, NID_ext_key_usage, "serverAuth") &&
         AddExtension(certificate, NID_subject_alt_name, "DNS:localhost,IP:127.0.0.1,IP:::1") &&
         X509_sign(certificate, key, EVP_sha256()) != 0;
}

}  // namespace

Result<SelfSignedPair> MakeSelfSigned(SystemTime now) {
  const KeyPtr key(EVP_EC_gen("P-256"));
  const CertificatePtr certificate(X509_new());
  const BioPtr certificate_pem(BIO_new(BIO_s_mem()));
  const BioPtr key_pem(BIO_new(BIO_s_secmem()));
  const bool made = key && certificate && certificate_pem && key_pem &&
                    Fill(certificate.get(), key.get(), now) &&
                    PEM_write_bio_X509(certificate_pem.get(), certificate.get()) == 1 &&
                    PEM_write_bio_PKCS8PrivateKey(key_pem.get(), key.get(), nullptr, nullptr, 0,
                                                  nullptr, nullptr) == 1;
  ERR_clear_error();
  if (!made) return Fail(ErrorKind::kInternal, "OpenSSL could not make a certificate");
  return SelfSignedPair{.certificate_pem = TextOf(certificate_pem.get()),
                        .key_pem = Secret(TextOf(key_pem.get()))};
}

}  // namespace whimbrel::serve
