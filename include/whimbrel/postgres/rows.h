#pragma once

#include <cstddef>
#include <cstdint>
#include <iterator>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

struct pg_result;  // libpq's PGresult.

namespace whimbrel::postgres {

/// A result set, whole in memory as libpq received it: for our own bookkeeping queries, not for
/// user SQL. Text format. Copies share it.
class Rows {
 public:
  /// One row; valid as long as a Rows of its result lives.
  class Row {
   public:
    Row(const pg_result* result, std::size_t index) : result_(result), index_(index) {}

    /// Columns.
    [[nodiscard]] std::size_t size() const;
    /// A copy of the text of a cell; nullopt is NULL, or a column that is not there.
    [[nodiscard]] std::optional<std::string> operator[](std::size_t column) const;
    /// The same in place; valid as long as the row.
    [[nodiscard]] std::optional<std::string_view> View(std::size_t column) const;

   private:
    const pg_result* result_;
    std::size_t index_;
  };

  class Iterator {
   public:
    // The names are std::iterator_traits'.
    // NOLINTBEGIN(readability-identifier-naming)
    using iterator_category = std::input_iterator_tag;
    using value_type = Row;
    using difference_type = std::ptrdiff_t;
    using pointer = void;
    using reference = Row;
    // NOLINTEND(readability-identifier-naming)

    Iterator(const pg_result* result, std::size_t index) : result_(result), index_(index) {}
    Row operator*() const { return {result_, index_}; }
    Iterator& operator++() {
      ++index_;
      return *this;
    }
    friend bool operator==(const Iterator&, const Iterator&) = default;

   private:
    const pg_result* result_;
    std::size_t index_;
  };

  Rows() = default;
  explicit Rows(std::shared_ptr<const pg_result> result) : result_(std::move(result)) {}

  [[nodiscard]] std::size_t size() const;
  [[nodiscard]] bool empty() const { return size() == 0; }
  [[nodiscard]] Row operator[](std::size_t i) const { return {result_.get(), i}; }
  [[nodiscard]] Iterator begin() const { return {result_.get(), 0}; }
  [[nodiscard]] Iterator end() const { return {result_.get(), size()}; }
  /// `INSERT 0 1`; empty without a result.
  [[nodiscard]] std::string command_tag() const;
  /// Rows that the command touched.
  [[nodiscard]] std::uint64_t affected() const;

 private:
  std::shared_ptr<const pg_result> result_;
};

}  // namespace whimbrel::postgres
