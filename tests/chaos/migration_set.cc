#include "chaos/migration_set.h"

#include <array>
#include <cstdio>
#include <utility>

#include "chaos/statement_writer.h"

namespace whimbrel::chaos {
namespace {

enum class History { kLedger, kNameTable, kFlyway };

class SetWriter {
 public:
  SetWriter(Dice& dice, const Kinds& kinds) : dice_(dice), kinds_(kinds), statements_(dice) {}

  MigrationSet Write();

 private:
  std::string FileName();
  /// A mark that nobody else has, as a statement.
  std::string Mark();
  std::string Group();
  std::string OneTransaction();
  std::string Mixed();
  std::string SelfManaged();
  std::string EachAlone();
  std::string Versioned();
  std::string Repeatable();
  void Stage(int files);

  Dice& dice_;
  const Kinds kinds_;
  StatementWriter statements_;
  History history_ = History::kLedger;
  MigrationSet set_;
  MigrationSet::Folder folder_;
  std::string file_;  // Being written.
  int version_ = 0;
  int marks_in_file_ = 0;
  int one_transaction_ = 0;
  int mixed_ = 0;
  int self_managed_ = 0;
  int each_alone_ = 0;
};

std::string SetWriter::FileName() {
  ++version_;
  if (history_ == History::kFlyway) {
    return "V" + std::to_string(version_) + (version_ % 3 == 0 ? "_1" : "") + "__step.sql";
  }
  std::array<char, 32> name{};
  std::snprintf(name.data(), name.size(), "%03d_step.sql", version_);
  return name.data();
}

std::string SetWriter::Mark() {
  set_.marks.push_back(file_ + ":" + std::to_string(++marks_in_file_));
  return MarkSql(set_.marks.back());
}

/// Statements that belong together, with a mark among them.
std::string SetWriter::Group() {
  const int before = dice_.Below(3);
  const int after = dice_.Below(2);
  std::string sql;
  for (int i = 0; i < before; ++i) sql += statements_.Transactional();
  sql += Mark();
  for (int i = 0; i < after; ++i) sql += statements_.Transactional();
  return sql;
}

std::string SetWriter::OneTransaction() {
  ++one_transaction_;
  const bool pair = dice_.Chance(20);
  std::string sql = pair ? "BEGIN;\n" : "";
  if (!pair && dice_.Chance(30)) sql += statements_.Litter();
  sql += Group();
  if (dice_.Chance(20)) sql += statements_.Undone();
  if (dice_.Chance(15)) sql += statements_.Copy();
  if (dice_.Chance(40)) sql += Group();
  if (pair) sql += "COMMIT;\n";
  const bool down = history_ != History::kFlyway && dice_.Chance(25);
  return down ? sql + "-- Migration Down\nSELECT 'the way back';\n" : sql;
}

std::string SetWriter::Mixed() {
  ++mixed_;
  const bool sets = dice_.Chance(30);
  std::string sql = sets ? statements_.SetValue() : "";
  const int parts = dice_.Between(1, 3);
  for (int i = 0; i < parts; ++i) {
    if (dice_.Chance(60)) sql += Group();
    sql += statements_.Alone();
    if (dice_.Chance(20)) sql += statements_.Alone();
  }
  if (dice_.Chance(10)) sql += statements_.Copy();
  if (sets) sql += statements_.UseValue();
  return dice_.Chance(60) ? sql + Group() : sql;
}

std::string SetWriter::EachAlone() {
  ++each_alone_;
  const bool sets = dice_.Chance(30);
  std::string sql = "-- whimbrel: file transaction=none\n";
  if (sets) sql += statements_.SetValue();
  sql += Group();
  if (dice_.Chance(40)) sql += statements_.Alone();
  if (dice_.Chance(50)) sql += Group();
  return sets ? sql + statements_.UseValue() : sql;
}

std::string SetWriter::SelfManaged() {
  ++self_managed_;
  std::string sql;
  const int blocks = dice_.Between(2, 4);
  for (int i = 0; i < blocks; ++i) {
    sql += "BEGIN;\n" + Group();
    if (dice_.Chance(15)) sql += statements_.Undone();
    if (dice_.Chance(10)) sql += statements_.Copy();
    sql += dice_.Chance(30) ? "END;\n" : "COMMIT;\n";
    if (dice_.Chance(20)) sql += statements_.Transactional();
  }
  return sql;
}

std::string SetWriter::Versioned() {
  switch (dice_.Weighted(
      {8, kinds_.mixed ? 6 : 0, kinds_.self_managed ? 4 : 0, kinds_.each_alone ? 3 : 0})) {
    case 1:
      return Mixed();
    case 2:
      return SelfManaged();
    case 3:
      return EachAlone();
    default:
      return OneTransaction();
  }
}

std::string SetWriter::Repeatable() {
  return "CREATE OR REPLACE VIEW public.again AS SELECT " + std::to_string(set_.marks.size()) +
         " AS n;\n" + Mark();
}

void SetWriter::Stage(int files) {
  for (int i = 0; i < files; ++i) {
    file_ = FileName();
    marks_in_file_ = 0;
    folder_[file_] = version_ == 1 ? statements_.Foundation() + Mark() : Versioned();
  }
  if (history_ == History::kFlyway && dice_.Chance(60)) {
    file_ = "R__again.sql";
    marks_in_file_ = static_cast<int>(set_.stages.size()) * 100;
    folder_[file_] = Repeatable();
  }
  set_.stages.push_back(folder_);
}

MigrationSet SetWriter::Write() {
  history_ = static_cast<History>(dice_.Weighted({4, 2, 4}));
  if (history_ == History::kNameTable) {
    set_.arguments = {"--history-table", dice_.Chance(50) ? "public.migrations(name)" : "done"};
  }
  if (dice_.Chance(30)) Stage(dice_.Between(1, 3));
  Stage(dice_.Between(1, 6));
  set_.summary = std::string(history_ == History::kLedger      ? "ledger"
                             : history_ == History::kNameTable ? "name table"
                                                               : "Flyway") +
                 ", " + std::to_string(set_.stages.size()) + " stages, " +
                 std::to_string(one_transaction_ + 1) + " transactional, " +
                 std::to_string(mixed_) + " mixed, " + std::to_string(self_managed_) +
                 " self-managed, " + std::to_string(each_alone_) + " without";
  return std::move(set_);
}

}  // namespace

std::string MarkSql(const std::string& mark) {
  return "INSERT INTO chaos.probe SELECT '" + mark + "', chaos.mark('" + mark + "');\n";
}

MigrationSet MakeMigrationSet(Dice& dice, const Kinds& kinds) {
  return SetWriter(dice, kinds).Write();
}

}  // namespace whimbrel::chaos
