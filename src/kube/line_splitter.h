#pragma once

#include <cstddef>
#include <functional>
#include <string>
#include <string_view>
#include <utility>

namespace whimbrel::kube {

/// Cuts a stream, which arrives in pieces of any size, into lines. What stands after the last line
/// end is never handed out: half an event. Not thread-safe.
class LineSplitter {
 public:
  /// Gets a line without its end, never an empty one; false ends the reading.
  using LineHandler = std::function<bool(std::string_view line)>;

  LineSplitter(std::size_t max_line, LineHandler on_line)
      : max_line_(max_line), on_line_(std::move(on_line)) {}

  /// False: the handler returned false, or a line is longer than allowed; too_long() tells which.
  bool Feed(std::string_view bytes);
  [[nodiscard]] bool too_long() const { return too_long_; }

 private:
  const std::size_t max_line_;
  LineHandler on_line_;
  std::string begun_;
  bool too_long_ = false;
};

}  // namespace whimbrel::kube
