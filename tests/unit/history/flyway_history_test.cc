#include "history/flyway_history.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "unit/history/migrations.h"

namespace whimbrel::history {
namespace {

FlywayRow Row(std::optional<std::string> version, std::string description, std::string type = "SQL",
              bool success = true) {
  FlywayRow row;
  row.version = std::move(version);
  row.description = std::move(description);
  row.type = std::move(type);
  row.checksum = "1";
  row.success = success;
  return row;
}

/// `V1 init`, `R view`, `V2 more!` with a mark for a failed one.
std::vector<std::string> Summary(const ToolHistory& history) {
  std::vector<std::string> lines;
  for (const ToolRow& row : history.applied) {
    const bool repeatable = row.kind == migration::Kind::kRepeatable;
    lines.push_back((repeatable ? "R " : "V" + row.id + " ") + row.description +
                    (row.failed ? "!" : ""));
  }
  return lines;
}

struct Case {
  const char* description;
  std::vector<FlywayRow> rows;
  std::vector<std::string> applied;
  std::string baseline;
};

TEST(ReadFlywayHistory, TellsWhatFlywayWouldCallApplied) {
  const Case cases[] = {
      {"an empty table", {}, {}, ""},
      {"plain rows, by rank", {Row("1", "a"), Row("2", "b")}, {"V1 a", "V2 b"}, ""},
      {"ids are canonical", {Row("001.020", "a"), Row("2.0", "b")}, {"V1.20 a", "V2 b"}, ""},
      {"other types of migrations count",
       {Row("1", "a", "JDBC"), Row("2", "b", "SCRIPT")},
       {"V1 a", "V2 b"},
       ""},
      {"the marker of the schema is none",
       {Row(std::nullopt, "<< Flyway Schema Creation >>", "SCHEMA"), Row("1", "a")},
       {"V1 a"},
       ""},
      {"a baseline covers, and is no migration",
       {Row("3", "<< Flyway Baseline >>", "BASELINE"), Row("4", "d")},
       {"V4 d"},
       "3"},
      {"the highest baseline holds",
       {Row("3", "b", "BASELINE"), Row("2.50", "b", "SQL_BASELINE")},
       {},
       "3"},
      {"a baseline of Flyway 3", {Row("1", "init", "INIT")}, {}, "1"},
      {"an undone version is not applied",
       {Row("1", "a"), Row("2", "b"), Row("2", "b", "UNDO_SQL")},
       {"V1 a"},
       ""},
      {"and applied again after that, last",
       {Row("1", "a"), Row("1", "a", "UNDO_SQL"), Row("2", "b"), Row("1", "a")},
       {"V2 b", "V1 a"},
       ""},
      {"repair's DELETE row removes a version", {Row("1", "a"), Row("1", "a", "DELETE")}, {}, ""},
      {"and a repeatable, by description",
       {Row(std::nullopt, "v"), Row(std::nullopt, "v", "DELETE")},
       {},
       ""},
      {"the newest row of a repeatable is current",
       {Row(std::nullopt, "v"), Row("1", "a"), Row(std::nullopt, "v")},
       {"V1 a", "R v"},
       ""},
      {"a failed row blocks", {Row("1", "a"), Row("2", "b", "SQL", false)}, {"V1 a", "V2 b!"}, ""},
      {"a failed undo blocks too",
       {Row("1", "a"), Row("1", "a", "UNDO_SQL", false)},
       {"V1 a!"},
       ""},
      {"a later success heals", {Row("1", "a", "SQL", false), Row("1", "a")}, {"V1 a"}, ""},
      {"versions that no file can have are passed over",
       {Row("x1", "a"), Row("1", "b")},
       {"V1 b"},
       ""},
  };
  for (const Case& c : cases) {
    SCOPED_TRACE(c.description);
    const ToolHistory history = ReadFlywayHistory(c.rows, {});
    EXPECT_TRUE(history.exists);
    EXPECT_EQ(Summary(history), c.applied);
    EXPECT_EQ(history.baseline_version, c.baseline);
  }
}

TEST(ReadFlywayHistory, CarriesWhatTheRowSays) {
  FlywayRow row = Row("001.2", "add orders");
  row.script = "sub/V001_2__add_orders.sql";
  row.checksum = "-133051733";
  row.installed_on = SystemTime(std::chrono::seconds(1'700'000'000));
  FlywayRow without_sum = Row("2", "java", "JDBC");
  without_sum.checksum = std::nullopt;
  const ToolHistory history = ReadFlywayHistory({row, without_sum}, {});
  ASSERT_EQ(history.applied.size(), 2U);
  EXPECT_EQ(history.applied[0].version, "001.2");
  EXPECT_EQ(history.applied[0].path, "sub/V001_2__add_orders.sql");
  EXPECT_EQ(history.applied[0].sum, "-133051733");
  EXPECT_EQ(history.applied[0].applied_at, row.installed_on);
  EXPECT_EQ(history.applied[1].sum, std::nullopt);
}

TEST(ReadFlywayHistory, KnowsAFileByItsCutDescription) {
  const std::string description(250, 'd');
  const auto source = Resolved({Versioned("1", description, "V1__d.sql", "1")},
                               {Repeatable(description, "R__d.sql", "2")});
  const std::string stored = FlywayDescription(description);
  const ToolHistory history =
      ReadFlywayHistory({Row("1", stored), Row(std::nullopt, stored)}, source);
  ASSERT_EQ(history.applied.size(), 2U);
  EXPECT_EQ(history.applied[0].description, description);
  EXPECT_EQ(history.applied[1].id, description);
}

TEST(FlywayDescription, IsCutAt200) {
  EXPECT_EQ(FlywayDescription(std::string(200, 'd')), std::string(200, 'd'));
  EXPECT_EQ(FlywayDescription(std::string(201, 'd')), std::string(197, 'd') + "...");
}

TEST(FlywayScript, LosesItsFirstAndItsLastCharacters) {
  const std::string head = "abc" + std::string(997, 'p');
  EXPECT_EQ(FlywayScript(head), head);
  EXPECT_EQ(FlywayScript(head + "tail"), "..." + std::string(997, 'p'));
}

}  // namespace
}  // namespace whimbrel::history
