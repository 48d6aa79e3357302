#pragma once

#include <functional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "sql/lexer.h"
#include "whimbrel/base/error.h"
#include "whimbrel/sql/psql_scanner.h"

namespace whimbrel::sql {

/// Reads the value of `:name` as psql does, which scans it as if it stood in the file: variables in
/// it are replaced, too, but none within itself.
class PsqlValueReader {
 public:
  using OnToken = std::function<void(LexemeKind, std::string_view)>;

  /// `on_token` gets the tokens of the value; comments and white space as kSpace. `in_subscript`
  /// is asked behind them whether a colon would belong to a slice.
  PsqlValueReader(const PsqlVariables& variables, bool standard_conforming_strings,
                  OnToken on_token, std::function<bool()> in_subscript)
      : variables_(variables),
        standard_conforming_strings_(standard_conforming_strings),
        on_token_(std::move(on_token)),
        in_subscript_(std::move(in_subscript)) {}

  /// The text that stands for it in the end. The error, of a value that opens what it does not
  /// close, has no position.
  Result<std::string> Read(std::string_view name, std::string_view value);

  /// How many references it has replaced.
  [[nodiscard]] std::size_t nested_values() const { return nested_values_; }

 private:
  Result<void> Append(std::string_view name, std::string_view value);
  /// Puts in the value of the reference that `rest` begins with, and returns the reference's size;
  /// 0 when there is none to be replaced.
  Result<std::size_t> AppendReference(std::string_view rest);

  const PsqlVariables& variables_;
  const bool standard_conforming_strings_;
  const OnToken on_token_;
  const std::function<bool()> in_subscript_;
  std::vector<std::string_view> within_;  ///< The variables whose values are being read.
  std::string text_;
  std::size_t nested_values_ = 0;
};

}  // namespace whimbrel::sql
