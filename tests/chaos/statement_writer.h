#pragma once

#include <string>
#include <vector>

#include "chaos/dice.h"

namespace whimbrel::chaos {

/// Writes statements that make sense in the order in which they were asked for. Nearly all of them
/// show when they are run twice: they fail, or leave other rows.
class StatementWriter {
 public:
  explicit StatementWriter(Dice& dice) : dice_(dice) {}

  /// What the other statements work on: a table with rows, a partitioned one, an enum.
  [[nodiscard]] std::string Foundation();
  /// One or a few statements that may be part of any transaction.
  [[nodiscard]] std::string Transactional();
  /// COPY with some thousand rows.
  [[nodiscard]] std::string Copy();
  /// One that may be no part of a transaction, or (enum values) had better not be.
  [[nodiscard]] std::string Alone();
  /// What a savepoint takes back: for statements that share a transaction.
  [[nodiscard]] std::string Undone();
  /// A setting that holds to the end of the file, and what fails or differs where it does not.
  [[nodiscard]] std::string SetValue();
  [[nodiscard]] std::string UseValue();
  /// What only a file that is one transaction may leave in its session.
  [[nodiscard]] std::string Litter();

 private:
  struct Table {
    std::string name;
    std::vector<std::string> indexes;
    int rows = 0;  ///< Ids up to here are taken.
  };

  [[nodiscard]] std::string Number() { return std::to_string(++last_); }
  Table& AnyTable() { return tables_[static_cast<std::size_t>(dice_.Below(TableCount()))]; }
  [[nodiscard]] int TableCount() const { return static_cast<int>(tables_.size()); }
  [[nodiscard]] std::string CreateTable();
  [[nodiscard]] std::string CreateIndex(const std::string& how);
  [[nodiscard]] std::string DropIndex();
  [[nodiscard]] std::string Reindex();
  [[nodiscard]] std::string Detach();
  [[nodiscard]] std::string AddEnumValue();

  Dice& dice_;
  int last_ = 0;
  std::vector<Table> tables_;
  std::vector<std::string> partitions_;
};

}  // namespace whimbrel::chaos
