#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "unit/engine/plan_builder.h"
#include "whimbrel/engine/plan.h"

namespace whimbrel::engine {
namespace {

using history::LedgerRow;
using history::Origin;

TEST(RowsToImport, AreThoseThatOnlyTheToolHas) {
  InputBuilder builder;
  builder.File("1").File("2").Applied("1").ToolRow("1", "s1").ToolRow("2", "s2");
  const std::vector<LedgerRow> rows = RowsToImport(builder.Input());
  ASSERT_EQ(rows.size(), 1U);
  EXPECT_EQ(rows[0].id, "2");
  EXPECT_EQ(rows[0].run, 1);
  EXPECT_EQ(rows[0].origin, Origin::kImported);
  EXPECT_EQ(rows[0].sum, "s2");
  EXPECT_TRUE(rows[0].sum_verified);
}

TEST(RowsToImport, TakeThePresentFilesSumUnverifiedWhereTheToolKeepsNone) {
  InputBuilder builder;
  builder.File("1").ToolRow("1");
  const std::vector<LedgerRow> rows = RowsToImport(builder.Input());
  ASSERT_EQ(rows.size(), 1U);
  EXPECT_EQ(rows[0].sum, "s1");
  EXPECT_EQ(rows[0].raw_sum, "raws1");
  EXPECT_FALSE(rows[0].sum_verified);
}

TEST(RowsToImport, HaveNoSumWithoutAFile) {
  InputBuilder builder;
  builder.File("2").ToolRow("1");
  const std::vector<LedgerRow> rows = RowsToImport(builder.Input());
  ASSERT_EQ(rows.size(), 1U);
  EXPECT_EQ(rows[0].sum, std::nullopt);
  EXPECT_EQ(rows[0].raw_sum, std::nullopt);
}

TEST(RowsToImport, TakeARepeatableOnlyWhenItsTextIsNews) {
  InputBuilder same;
  same.Repeatable("view", "a").AppliedRepeatable("view", "a").ToolRepeatable("view", "a");
  EXPECT_TRUE(RowsToImport(same.Input()).empty());

  InputBuilder other;
  other.Repeatable("view", "b").AppliedRepeatable("view", "a").ToolRepeatable("view", "b");
  const std::vector<LedgerRow> rows = RowsToImport(other.Input());
  ASSERT_EQ(rows.size(), 1U);
  EXPECT_EQ(rows[0].run, 2);
}

TEST(RowsToImport, LeaveFailedRowsAlone) {
  InputBuilder builder;
  builder.File("1").ToolRow("1", "s1", true);
  EXPECT_TRUE(RowsToImport(builder.Input()).empty());
}

TEST(Adoption, CanBeRequired) {
  InputBuilder empty;
  empty.File("1").Tool().Adopt(report::Adopt::kRequire);
  ASSERT_TRUE(CheckAdoption(empty.Input()).has_value());
  EXPECT_EQ(CheckAdoption(empty.Input())->reason, report::Reason::kHistoryConflict);

  InputBuilder found;
  found.File("1").ToolRow("1").Adopt(report::Adopt::kRequire);
  EXPECT_FALSE(CheckAdoption(found.Input()).has_value());
}

TEST(Adoption, CanBeForbidden) {
  InputBuilder foreign;
  foreign.File("1").ToolRow("1").Adopt(report::Adopt::kNever);
  EXPECT_TRUE(CheckAdoption(foreign.Input()).has_value());

  InputBuilder own;
  own.File("1").Applied("1").ToolRow("1").Adopt(report::Adopt::kNever);
  EXPECT_FALSE(CheckAdoption(own.Input()).has_value());
}

TEST(Baseline, IsRecordedOnlyInAnEmptyHistory) {
  InputBuilder empty;
  empty.File("1").File("2").WantBaseline("1");
  const std::optional<LedgerRow> row = BaselineRow(empty.Input());
  ASSERT_TRUE(row.has_value());
  EXPECT_EQ(row->kind, migration::Kind::kBaseline);
  EXPECT_EQ(row->id, "1");

  InputBuilder used;
  used.File("1").File("2").Applied("1").WantBaseline("1");
  EXPECT_FALSE(BaselineRow(used.Input()).has_value());
}

TEST(Baseline, MustBeAVersion) {
  InputBuilder builder;
  builder.File("1");
  EXPECT_FALSE(CheckBaseline(builder.Input()).has_value());
  EXPECT_FALSE(CheckBaseline(builder.WantBaseline("1.2").Input()).has_value());
  ASSERT_TRUE(CheckBaseline(builder.WantBaseline("latest").Input()).has_value());
  EXPECT_EQ(CheckBaseline(builder.Input())->reason, report::Reason::kInvalidSpec);
}

}  // namespace
}  // namespace whimbrel::engine
