#include "history/name_table.h"

#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "unit/history/migrations.h"

namespace whimbrel::history {
namespace {

struct Case {
  const char* description;
  std::vector<std::string> names;
  std::vector<std::string> applied;  ///< `id path (description)`.
};

TEST(MatchNames, TellsWhichMigrationsTheNamesStandFor) {
  const auto source =
      Resolved({Versioned("001", "users", "sql/001_users.sql", "a"),
                Versioned("002", "orders", "sql/002_orders.sql", "b"),
                Versioned("20250603120000", "stock", "20250603120000_stock.sql", "c")});
  const Case cases[] = {
      {"no names", {}, {}},
      {"a name is that of a file, in whatever folder",
       {"001_users.sql"},
       {"1 sql/001_users.sql (users)"}},
      {"timestamps are numbers",
       {"20250603120000_stock.sql"},
       {"20250603120000 20250603120000_stock.sql (stock)"}},
      {"a file that is gone is known by its number",
       {"000_old.sql"},
       {"0 000_old.sql (000_old.sql)"}},
      {"a renamed file differs instead of running again",
       {"002_order.sql"},
       {"2 002_order.sql (002_order.sql)"}},
      {"beside the file itself another name of its number is nobody's",
       {"001_other.sql", "001_users.sql"},
       {"1 sql/001_users.sql (users)"}},
      {"of two unknown names of one number one stands for it",
       {"007_a.sql", "007_b.sql"},
       {"7 007_a.sql (007_a.sql)"}},
      {"a name without number is nobody's", {"init.sql", ""}, {}},
      {"a name that is there twice counts once",
       {"001_users.sql", "001_users.sql"},
       {"1 sql/001_users.sql (users)"}},
  };
  for (const Case& c : cases) {
    SCOPED_TRACE(c.description);
    std::vector<std::string> lines;
    for (const ToolRow& row : MatchNames(c.names, source)) {
      lines.push_back(row.id + " " + row.path + " (" + row.description + ")");
      EXPECT_EQ(row.sum, std::nullopt);
    }
    EXPECT_EQ(lines, c.applied);
  }
}

}  // namespace
}  // namespace whimbrel::history
