#pragma once

#include <cstddef>
#include <string>
#include <string_view>

namespace whimbrel::sql {

/// Collects the comments that stand before a statement and belong to it: not those that begin on
/// the line on which the statement before ended.
class LeadingComment {
 public:
  void OnComment(std::string_view comment);
  void OnOtherGap(std::string_view text);
  /// A statement ended here; `comments` before the next one are collected anew.
  void OnStatementEnd() {
    text_.clear();
    own_line_ = false;
  }
  /// A statement was taken; its comments stay readable until the next call.
  void OnStatement() { own_line_ = false; }
  void OnNewLine() { own_line_ = true; }

  /// Each comment with a line feed after it; of too many the last whole lines. Valid until the next
  /// call of another function.
  [[nodiscard]] std::string_view View() const {
    return std::string_view(text_).substr(FirstKeptByte());
  }

 private:
  [[nodiscard]] std::size_t FirstKeptByte() const;

  std::string text_;
  bool own_line_ = true;  ///< Nothing of a statement stands before, on this line.
};

}  // namespace whimbrel::sql
