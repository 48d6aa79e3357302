#include "migration/gzip_source.h"

#include <algorithm>
#include <cstddef>

namespace whimbrel::migration {
namespace {

constexpr std::size_t kPiece = std::size_t{64} << 10;
constexpr std::size_t kMostAtOnce = std::size_t{1} << 30;  // zlib counts input in 32 bits.
constexpr std::string_view kMagic = "\x1f\x8b";
constexpr int kGzipOnly = 16 + MAX_WBITS;  // zlib.h, inflateInit2.

tl::unexpected<Error> Invalid(std::string message) {
  return Fail(ErrorKind::kInvalidArgument, std::move(message));
}

tl::unexpected<Error> NoMemory() {
  return Fail(ErrorKind::kUnavailable, "there is not enough memory to unpack the archive");
}

}  // namespace

GzipSource::GzipSource(std::string_view gzip, std::uint64_t max_bytes)
    : rest_(gzip), max_bytes_(max_bytes), buffer_(kPiece, '\0') {
  allocated_ = inflateInit2(&stream_, kGzipOnly) == Z_OK;
}

GzipSource::~GzipSource() {
  if (allocated_) inflateEnd(&stream_);
}

Result<std::string_view> GzipSource::Read() {
  if (!allocated_) return NoMemory();
  for (;;) {
    if (!in_member_ && members_ > 0 && rest_.empty()) return std::string_view();
    if (!in_member_) {
      if (Result<void> begun = BeginMember(); !begun) return tl::make_unexpected(begun.error());
    }
    Result<std::string_view> piece = Inflate();
    if (!piece) return piece;
    given_out_ += piece->size();
    if (given_out_ > max_bytes_) {
      return Invalid("the archive unpacks to more than " + std::to_string(max_bytes_ >> 20) +
                     " MiB: pack fewer or smaller files");
    }
    if (!piece->empty()) return piece;
  }
}

Result<void> GzipSource::BeginMember() {
  if (!rest_.starts_with(kMagic)) {
    if (members_ > 0) return Invalid("there are bytes after the end of the archive: pack it again");
    return Invalid("the archive is not gzip: pack it with `tar -czf`");
  }
  inflateReset(&stream_);
  in_member_ = true;
  ++members_;
  return {};
}

Result<std::string_view> GzipSource::Inflate() {
  const std::size_t available = std::min(rest_.size(), kMostAtOnce);
  stream_.next_in = reinterpret_cast<const Bytef*>(rest_.data());
  stream_.avail_in = static_cast<uInt>(available);
  stream_.next_out = reinterpret_cast<Bytef*>(buffer_.data());
  stream_.avail_out = static_cast<uInt>(buffer_.size());
  const int code = inflate(&stream_, Z_NO_FLUSH);
  rest_.remove_prefix(available - stream_.avail_in);
  const std::string_view piece(buffer_.data(), buffer_.size() - stream_.avail_out);
  switch (code) {
    case Z_STREAM_END:
      in_member_ = false;
      return piece;
    case Z_OK:
      if (!piece.empty() || !rest_.empty()) return piece;
      [[fallthrough]];
    case Z_BUF_ERROR:  // No more input, and room for output.
      return Invalid("the archive is cut short: pack it again");
    case Z_MEM_ERROR:
      return NoMemory();
    default:
      return Invalid(std::string("the archive is damaged (") +
                     (stream_.msg != nullptr ? stream_.msg : "unknown gzip") + "): pack it again");
  }
}

}  // namespace whimbrel::migration
