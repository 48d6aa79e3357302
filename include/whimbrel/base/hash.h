#pragma once

#include <array>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

namespace whimbrel {

/// SHA-256 (FIPS 180-4), fed piece by piece. Not thread-safe.
class Sha256 {
 public:
  using Digest = std::array<std::uint8_t, 32>;

  Sha256();
  Sha256(Sha256&&) noexcept;
  Sha256& operator=(Sha256&&) noexcept;
  ~Sha256();

  Sha256& Update(std::string_view bytes);
  /// The digest of what was fed so far; feeding may go on afterwards.
  [[nodiscard]] Digest Finish() const;
  [[nodiscard]] std::string FinishHex() const;

 private:
  struct Context;
  std::unique_ptr<Context> context_;
};

[[nodiscard]] std::string ToHex(const Sha256::Digest& digest);
/// Lower-case hexadecimal SHA-256 of `bytes`.
[[nodiscard]] std::string Sha256Hex(std::string_view bytes);

/// CRC-32/ISO-HDLC (zlib, java.util.zip.CRC32) of `bytes`, continuing from `crc`.
[[nodiscard]] std::uint32_t Crc32(std::string_view bytes, std::uint32_t crc = 0);

/// RFC 4648 §4, with padding. Decoding refuses anything else (line breaks included).
[[nodiscard]] std::string Base64Encode(std::string_view bytes);
[[nodiscard]] bool Base64Decode(std::string_view text, std::string* bytes);

/// A random UUID (RFC 9562 §5.4, version 4), in lower case.
[[nodiscard]] std::string NewUuid();

}  // namespace whimbrel
