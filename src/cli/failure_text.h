#pragma once

#include <string>
#include <string_view>

#include "whimbrel/report/run_report.h"

namespace whimbrel::cli {

/// A failure as a person wants it: where, the source line with a caret, SQLSTATE and message, what
/// to do. `source_text` is the text of the file that the position names; empty: the line is left
/// out. Several lines, each ending in a line feed.
[[nodiscard]] std::string FailureText(const report::Failure& failure, std::string_view source_text,
                                      bool colour);

}  // namespace whimbrel::cli
