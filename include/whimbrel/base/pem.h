#pragma once

#include <openssl/bio.h>
#include <openssl/x509.h>

#include <string>
#include <string_view>

#include "whimbrel/base/c_ptr.h"

namespace whimbrel {

using BioPtr = CPtr<BIO, BIO_free>;
using CertificatePtr = CPtr<X509, X509_free>;
using KeyPtr = CPtr<EVP_PKEY, EVP_PKEY_free>;

/// Certificates and keys as text (RFC 7468), read with OpenSSL. `pem` must outlive what is
/// returned.
[[nodiscard]] BioPtr ReaderOf(std::string_view pem);

/// The next one in `pem`. Null, with the reason in OpenSSL's error queue of this thread: none is
/// left (PEM_R_NO_START_LINE), or it cannot be read. Nobody is asked for a pass phrase: what needs
/// one cannot be read.
[[nodiscard]] CertificatePtr ReadCertificate(BIO* pem);
[[nodiscard]] KeyPtr ReadPrivateKey(BIO* pem);

/// What was written to a BIO in memory.
[[nodiscard]] std::string TextOf(BIO* memory);

}  // namespace whimbrel
