#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>

#include "sql/lexer.h"
#include "whimbrel/base/byte_source.h"
#include "whimbrel/base/error.h"
#include "whimbrel/base/source_position.h"

namespace whimbrel::sql {

/// The part of a source that is being looked at: it grows at its end with More() and shrinks at its
/// beginning with Drop(). While it lies within one chunk of the source it is a view of that chunk;
/// only what crosses the border between two chunks is copied, and each byte a bounded number of
/// times.
class Window final : public LexerInput {
 public:
  /// More() refuses when the view is larger than `limit`; then what begins at its start is too.
  Window(ByteSource& source, SourcePosition start, std::size_t limit)
      : source_(&source), position_(std::move(start)), limit_(limit) {}
  /// A text that is all there.
  Window(std::string_view text, SourcePosition start)
      : LexerInput(text), position_(std::move(start)), limit_(text.size()) {}

  bool More() override;
  /// Views of what was dropped stay valid until the next More().
  void Drop(std::size_t size);

  /// Where the window's byte at `offset` stands in the file.
  [[nodiscard]] SourcePosition PositionAt(std::size_t offset) const;
  [[nodiscard]] const SourcePosition& position() const { return position_; }
  /// Why More() said that there are no more, when it was not the end.
  [[nodiscard]] const std::optional<Error>& error() const { return error_; }

 private:
  void AppendFromChunk();

  ByteSource* source_ = nullptr;
  SourcePosition position_;
  std::size_t limit_;
  std::optional<Error> error_;
  std::string buffer_;      ///< Holds the window while it crosses chunks.
  bool in_buffer_ = false;  ///< Else the window is a view into `chunk_`.
  std::string_view chunk_;  ///< What the source gave last.
  std::size_t copied_ = 0;  ///< That many bytes of `chunk_` are in `buffer_`.
};

/// Moves a position over a text: lines end with `\n`, columns count UTF-8 characters, a byte order
/// mark at the beginning of the file has no width.
void Advance(SourcePosition& position, std::string_view text);

}  // namespace whimbrel::sql
