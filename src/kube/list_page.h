#pragma once

#include <cstddef>
#include <functional>
#include <string>
#include <string_view>
#include <utility>

namespace whimbrel::kube {

/// Cuts the text of a list answer, which arrives in pieces of any size, into its parts, so that no
/// page is ever whole in memory: the text of each object in `items`, one by one, and the text of
/// `metadata`. It knows just enough JSON for that (strings and nesting); whether the parts are JSON
/// is for a real parser to judge. Not thread-safe.
class ListPage {
 public:
  /// False ends the reading.
  using ItemHandler = std::function<bool(std::string_view item)>;

  explicit ListPage(ItemHandler on_item) : on_item_(std::move(on_item)) {}

  /// False: the handler returned false, or a part is larger than kMaxObjectBytes, or this is no
  /// JSON object; malformed() tells which.
  bool Feed(std::string_view bytes);

  /// The list was read to its closing brace, and nothing but white space came after it.
  [[nodiscard]] bool complete() const { return begun_ && depth_ == 0 && !malformed_; }
  [[nodiscard]] bool malformed() const { return malformed_; }
  /// The text of `metadata`; empty when there was none.
  [[nodiscard]] const std::string& metadata() const { return metadata_; }

 private:
  bool Malformed();
  bool Structural(char c, std::string_view bytes, std::size_t at);
  bool Open(char c, std::size_t at);
  bool Close(std::string_view bytes, std::size_t at);
  bool Capture(std::string_view piece);

  ItemHandler on_item_;
  bool malformed_ = false;
  bool begun_ = false;
  int depth_ = 0;  // 1: among the list's own keys.
  bool in_string_ = false;
  bool escaped_ = false;
  bool in_items_ = false;
  std::string last_string_;  // The last string among the list's own keys and values.
  std::string key_;          // The list's own key whose value is being read.

  bool capturing_ = false;
  std::size_t capture_from_ = 0;  // In the piece being fed.
  std::string text_;
  std::string metadata_;
};

}  // namespace whimbrel::kube
