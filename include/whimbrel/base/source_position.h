#pragma once

#include <cstdint>
#include <string>

namespace whimbrel {

/// A place in a text, as editors and compilers show it.
struct SourcePosition {
  std::string file;        ///< Name as the user wrote it; empty when the text has no name.
  std::uint32_t line = 0;  ///< 1-based; 0 when unknown.
  /// 1-based, counted in UTF-8 characters as PostgreSQL does; 0 when unknown.
  std::uint32_t column = 0;
  std::uint64_t offset = 0;  ///< 0-based, in bytes from the beginning of the file.

  /// `file:line:column`, leaving out what is unknown.
  [[nodiscard]] std::string ToString() const {
    std::string text = file;
    if (line == 0) return text;
    if (!text.empty()) text += ':';
    text += std::to_string(line);
    if (column != 0) text += ':' + std::to_string(column);
    return text;
  }

  friend bool operator==(const SourcePosition&, const SourcePosition&) = default;
};

}  // namespace whimbrel
