#include "sql/window.h"

#include <algorithm>

#include "sql/encoding.h"

namespace whimbrel::sql {
namespace {

constexpr std::size_t kStep = std::size_t{16} << 10;
constexpr std::size_t kKeptCapacity = std::size_t{1} << 20;
constexpr std::size_t kMostReserved = std::size_t{128} << 20;

}  // namespace

bool Window::More() {
  if (view_.size() > limit_ || source_ == nullptr || error_.has_value()) return false;
  if (!in_buffer_ && !view_.empty()) {
    if (buffer_.capacity() > kKeptCapacity && view_.size() < kKeptCapacity) buffer_ = std::string();
    buffer_.assign(view_);
    in_buffer_ = true;
    copied_ = chunk_.size();
  } else if (in_buffer_) {
    buffer_.erase(0, buffer_.size() - view_.size());
  }
  if (!in_buffer_ || copied_ == chunk_.size()) {
    Result<std::string_view> chunk = source_->Read();
    if (!chunk.has_value()) error_ = std::move(chunk.error());
    chunk_ = chunk.has_value() ? *chunk : std::string_view();
    copied_ = 0;
    if (chunk_.empty()) {
      source_ = nullptr;
      if (in_buffer_) view_ = buffer_;
      return false;
    }
  }
  if (in_buffer_) {
    AppendFromChunk();
  } else {
    view_ = chunk_;
  }
  return true;
}

/// Copies little of a large chunk at a time, so that the window soon is a view of the chunk again.
/// What is large gets its room at once: pages that are not used cost nothing, but with each growth
/// the old and the new buffer would be in memory together, and the old one stay in the heap.
void Window::AppendFromChunk() {
  const std::size_t step = std::min(chunk_.size() - copied_, kStep);
  const std::size_t wanted = buffer_.size() + step;
  if (wanted > kKeptCapacity && wanted > buffer_.capacity()) {
    buffer_.reserve(std::max(wanted, std::min(limit_, kMostReserved) + kStep));
  }
  buffer_.append(chunk_.substr(copied_, step));
  copied_ += step;
  view_ = buffer_;
}

void Window::Drop(std::size_t size) {
  Advance(position_, view_.substr(0, size));
  view_.remove_prefix(size);
  if (in_buffer_ && view_.size() <= copied_) {
    // What is left was copied from the present chunk: go on there.
    view_ = chunk_.substr(copied_ - view_.size());
    in_buffer_ = false;
  }
}

SourcePosition Window::PositionAt(std::size_t offset) const {
  SourcePosition position = position_;
  Advance(position, view_.substr(0, offset));
  return position;
}

void Advance(SourcePosition& position, std::string_view text) {
  if (position.offset == 0 && text.starts_with(kByteOrderMark)) {
    position.offset = kByteOrderMark.size();
    text.remove_prefix(kByteOrderMark.size());
  }
  position.offset += text.size();
  const std::size_t newline = text.rfind('\n');
  if (newline != std::string_view::npos) {
    position.line += static_cast<std::uint32_t>(std::count(text.begin(), text.end(), '\n'));
    position.column = 1;
    text.remove_prefix(newline + 1);
  }
  const auto starts_character = [](char c) {
    return (static_cast<unsigned char>(c) & 0xC0) != 0x80;
  };
  position.column +=
      static_cast<std::uint32_t>(std::count_if(text.begin(), text.end(), starts_character));
}

}  // namespace whimbrel::sql
