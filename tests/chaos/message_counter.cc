#include "chaos/message_counter.h"

#include <algorithm>

namespace whimbrel::chaos {
namespace {

constexpr std::size_t kLengthSize = 4;  // It counts itself, and not the type byte before it.

std::uint64_t BigEndian(std::string_view bytes) {
  std::uint64_t value = 0;
  for (const char byte : bytes) value = value * 256 + static_cast<unsigned char>(byte);
  return value;
}

}  // namespace

bool MessageCounter::Begin(Stream& stream, int connection, bool to_server) {
  const int number = ++counts_.at(to_server ? 1 : 0);
  if (!place_ || place_->to_server != to_server || number != place_->message) return false;
  if (place_->answer) {
    answered_on_ = connection;
    return false;
  }
  if (place_->part <= 0) return true;
  stream.left = 0;  // Known when the header is.
  return false;
}

void MessageCounter::ReadHeader(Stream& stream, bool to_server, char byte) {
  stream.header += byte;
  const bool typed = !to_server || stream.begun;
  const std::size_t size = kLengthSize + (typed ? 1 : 0);
  if (stream.header.size() < size) return;
  stream.missing =
      std::max<std::uint64_t>(BigEndian(std::string_view(stream.header).substr(size - kLengthSize)),
                              kLengthSize) -
      kLengthSize;
  stream.begun = true;
  stream.header.clear();
  if (!stream.left) return;
  const auto whole = static_cast<double>(size + stream.missing);
  const auto wanted = static_cast<std::uint64_t>(whole * std::min(place_->part, 1.0));
  stream.left = wanted > size ? wanted - size : 0;
}

std::optional<std::size_t> MessageCounter::Take(int connection, bool to_server,
                                                std::string_view piece) {
  Stream& stream = streams_[{connection, to_server}];
  std::optional<std::size_t> found;
  if (!to_server && answered_on_ == connection) {
    found = 0;
    place_.reset();
    answered_on_.reset();
  }
  std::size_t at = 0;
  const auto check = [&] {
    if (!stream.left || !stream.header.empty() || *stream.left > 0) return;
    found = at;
    stream.left.reset();
    place_.reset();
  };
  while (at < piece.size()) {
    if (stream.missing == 0) {
      if (stream.header.empty() && Begin(stream, connection, to_server)) {
        found = at;
        place_.reset();
      }
      ReadHeader(stream, to_server, piece[at++]);
    } else {
      std::uint64_t step = std::min<std::uint64_t>(stream.missing, piece.size() - at);
      if (stream.left) step = std::min(step, *stream.left);
      stream.missing -= step;
      if (stream.left) *stream.left -= step;
      at += step;
    }
    check();
  }
  return found;
}

}  // namespace whimbrel::chaos
