#pragma once

#ifndef ZLIB_CONST
#define ZLIB_CONST  // zlib only reads its input, and then says so.
#endif
#include <zlib.h>

#include <cstdint>
#include <string>
#include <string_view>

#include "whimbrel/base/byte_source.h"

namespace whimbrel::migration {

/// Inflates gzip (RFC 1952) that somebody else keeps, piece by piece; several members are read as
/// one stream. The sums are checked, so whoever has read to the end has the bytes that were packed.
/// Errors are sentences about "the archive".
class GzipSource final : public ByteSource {
 public:
  /// Hands out at most `max_bytes`; more of them are an error (kInvalidArgument).
  GzipSource(std::string_view gzip, std::uint64_t max_bytes);
  GzipSource(const GzipSource&) = delete;
  GzipSource& operator=(const GzipSource&) = delete;
  ~GzipSource() override;

  Result<std::string_view> Read() override;

 private:
  Result<void> BeginMember();
  Result<std::string_view> Inflate();

  std::string_view rest_;  ///< What is not inflated yet.
  const std::uint64_t max_bytes_;
  std::uint64_t given_out_ = 0;
  z_stream stream_ = {};
  bool allocated_ = false;  ///< stream_ holds memory.
  int members_ = 0;
  bool in_member_ = false;
  std::string buffer_;
};

}  // namespace whimbrel::migration
