#include "whimbrel/base/hash.h"

#include <openssl/evp.h>
#include <zlib.h>

#include <cstdlib>

#include "whimbrel/base/c_ptr.h"

namespace whimbrel {
namespace {

/// OpenSSL fails here only without memory or without a SHA-256 at all; a digest must never be made
/// up.
void Must(int ok) {
  if (ok != 1) std::abort();
}

using ContextPtr = CPtr<EVP_MD_CTX, EVP_MD_CTX_free>;

/// Fetched once: EVP_sha256() alone makes OpenSSL 3 look its provider up for each digest, which
/// takes longer than the digest of a small file.
const EVP_MD* Algorithm() {
  static const EVP_MD* const algorithm = EVP_MD_fetch(nullptr, "SHA256", nullptr);
  return algorithm;
}

}  // namespace

struct Sha256::Context {
  ContextPtr md{EVP_MD_CTX_new()};
};

Sha256::Sha256() : context_(std::make_unique<Context>()) {
  Must(EVP_DigestInit_ex(context_->md.get(), Algorithm(), nullptr));
}
Sha256::Sha256(Sha256&&) noexcept = default;
Sha256& Sha256::operator=(Sha256&&) noexcept = default;
Sha256::~Sha256() = default;

Sha256& Sha256::Update(std::string_view bytes) {
  Must(EVP_DigestUpdate(context_->md.get(), bytes.data(), bytes.size()));
  return *this;
}

Sha256::Digest Sha256::Finish() const {
  // OpenSSL's finish ends the context, ours does not: finish a copy.
  const ContextPtr copy(EVP_MD_CTX_new());
  Must(EVP_MD_CTX_copy_ex(copy.get(), context_->md.get()));
  Digest digest;
  unsigned int size = 0;
  Must(EVP_DigestFinal_ex(copy.get(), digest.data(), &size));
  Must(size == digest.size() ? 1 : 0);
  return digest;
}

std::string Sha256::FinishHex() const { return ToHex(Finish()); }

std::string ToHex(const Sha256::Digest& digest) {
  constexpr std::string_view kHex = "0123456789abcdef";
  std::string text(digest.size() * 2, '\0');
  for (std::size_t i = 0; i < digest.size(); ++i) {
    text[2 * i] = kHex[digest[i] >> 4];
    text[2 * i + 1] = kHex[digest[i] & 15];
  }
  return text;
}

// At once: the two contexts of Sha256 take longer than the sum of a small file.
std::string Sha256Hex(std::string_view bytes) {
  Sha256::Digest digest;
  Must(EVP_Digest(bytes.data(), bytes.size(), digest.data(), nullptr, Algorithm(), nullptr));
  return ToHex(digest);
}

std::uint32_t Crc32(std::string_view bytes, std::uint32_t crc) {
  // zlib takes a null pointer, which an empty view may hold, for "give me the initial value".
  if (bytes.empty()) return crc;
  return static_cast<std::uint32_t>(
      crc32_z(crc, reinterpret_cast<const Bytef*>(bytes.data()), bytes.size()));
}

}  // namespace whimbrel
