#pragma once

#include <string_view>

namespace whimbrel::sql {

enum class CopyStream {
  kNone,  ///< No COPY, or one with a file or a program.
  kFromStdin,
  kToStdout,
};

/// What a statement that is a COPY does with the connection. As in the grammar, STDIN and STDOUT
/// mean the same, and `"stdin"` is a table's or a file's name.
[[nodiscard]] CopyStream FindCopyStream(std::string_view statement,
                                        bool standard_conforming_strings);

}  // namespace whimbrel::sql
