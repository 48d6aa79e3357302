#pragma once

#include <memory>
#include <string>
#include <string_view>
#include <utility>

#include "whimbrel/base/error.h"

namespace whimbrel {

/// Bytes that are read once, piece by piece, in order. Not thread-safe.
class ByteSource {
 public:
  virtual ~ByteSource() = default;
  /// The next piece, of any length > 0; empty at the end. Valid until the next call.
  virtual Result<std::string_view> Read() = 0;
};

/// Reads a text that somebody else keeps; hands it out in one piece.
class StringByteSource final : public ByteSource {
 public:
  explicit StringByteSource(std::string_view text) : rest_(text) {}
  Result<std::string_view> Read() override { return std::exchange(rest_, std::string_view()); }

 private:
  std::string_view rest_;
};

}  // namespace whimbrel
