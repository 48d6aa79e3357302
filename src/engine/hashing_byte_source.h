#pragma once

#include <string>

#include "whimbrel/base/byte_source.h"
#include "whimbrel/base/hash.h"

namespace whimbrel::engine {

/// Passes bytes on and hashes them on the way: pass 1 and pass 2 must have seen the same text.
class HashingByteSource final : public ByteSource {
 public:
  explicit HashingByteSource(ByteSource& from) : from_(from) {}

  Result<std::string_view> Read() override {
    Result<std::string_view> piece = from_.Read();
    if (piece) hash_.Update(*piece);
    return piece;
  }
  /// Of all bytes read so far.
  [[nodiscard]] std::string Hex() const { return hash_.FinishHex(); }

 private:
  ByteSource& from_;
  Sha256 hash_;
};

}  // namespace whimbrel::engine
