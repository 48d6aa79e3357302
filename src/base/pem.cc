#include "whimbrel/base/pem.h"

#include <openssl/pem.h>

namespace whimbrel {
namespace {

// Without one OpenSSL would ask for the pass phrase on the terminal.
int NoPassPhrase(char*, int, int, void*) { return -1; }

}  // namespace

BioPtr ReaderOf(std::string_view pem) {
  return BioPtr(BIO_new_mem_buf(pem.data(), static_cast<int>(pem.size())));
}

CertificatePtr ReadCertificate(BIO* pem) {
  return CertificatePtr(PEM_read_bio_X509(pem, nullptr, &NoPassPhrase, nullptr));
}

KeyPtr ReadPrivateKey(BIO* pem) {
  return KeyPtr(PEM_read_bio_PrivateKey(pem, nullptr, &NoPassPhrase, nullptr));
}

std::string TextOf(BIO* memory) {
  char* data = nullptr;
  const long size = BIO_get_mem_data(memory, &data);
  return {data, static_cast<std::size_t>(size)};
}

}  // namespace whimbrel
