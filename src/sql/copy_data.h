#pragma once

#include <cstddef>
#include <string_view>

namespace whimbrel::sql {

struct CopyDataScan {
  std::size_t data_size = 0;  ///< That many bytes at the beginning are data.
  bool marker = false;        ///< The line that ends the data, `\.`, follows them.
};

/// Looks for the end of COPY data at the beginning of `text`; as in psql, a line that is exactly
/// `\.`, even within a quoted CSV value. Bytes that are neither counted as data nor followed by the
/// marker could still become it. `complete`: no more bytes will follow.
[[nodiscard]] CopyDataScan ScanCopyData(std::string_view text, bool at_line_start, bool complete);

}  // namespace whimbrel::sql
