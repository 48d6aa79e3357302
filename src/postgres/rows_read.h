#pragma once

#include <charconv>
#include <cstdint>
#include <string>

#include "whimbrel/postgres/connection.h"

namespace whimbrel::postgres {

/// The text of a cell; empty for NULL and for what is not there.
[[nodiscard]] inline std::string TextAt(const Rows& rows, std::size_t row, std::size_t column) {
  if (row >= rows.size() || column >= rows[row].size()) return "";
  return rows[row][column].value_or("");
}

/// The number of a cell; 0 for what is none.
[[nodiscard]] inline std::int64_t IntegerAt(const Rows& rows, std::size_t row, std::size_t column) {
  const std::string text = TextAt(rows, row, column);
  std::int64_t value = 0;
  std::from_chars(text.data(), text.data() + text.size(), value);
  return value;
}

}  // namespace whimbrel::postgres
