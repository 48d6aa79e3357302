#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>

#include "whimbrel/history/tool_tables.h"

namespace whimbrel::history {
namespace {

using testing::HasSubstr;

struct Accepted {
  const char* description;
  std::string text;
  TableName expected;
};

TEST(ParseTableName, ReadsNamesAsSqlDoes) {
  const Accepted cases[] = {
      {"a table alone", "migrations", {"", "migrations", ""}},
      {"a table and its column", "migrations(name)", {"", "migrations", "name"}},
      {"a schema, a table and a column",
       "ops.migrations(file_name)",
       {"ops", "migrations", "file_name"}},
      {"capital letters are folded", "Public.Migrations(Name)", {"public", "migrations", "name"}},
      {"double quotes keep them",
       R"("Ops"."SchemaVersion"("FileName"))",
       {"Ops", "SchemaVersion", "FileName"}},
      {"a doubled quote is one", R"("a""b")", {"", "a\"b", ""}},
      {"a quoted dot belongs to the name", R"("a.b".c)", {"a.b", "c", ""}},
      {"digits, $ and letters of any language", "t\u00eb$1", {"", "t\u00eb$1", ""}},
      {"63 bytes", std::string(63, 'x'), {"", std::string(63, 'x'), ""}},
  };
  for (const Accepted& c : cases) {
    SCOPED_TRACE(c.description);
    Result<TableName> name = ParseTableName(c.text);
    ASSERT_TRUE(name.has_value()) << name.error().ToString();
    EXPECT_EQ(*name, c.expected);
  }
}

TEST(ParseTableName, RefusesWhatCannotBeATable) {
  const std::pair<const char*, std::string> cases[] = {
      {"nothing", ""},
      {"no table", "public."},
      {"no schema", ".migrations"},
      {"three parts", "db.public.migrations"},
      {"a digit first", "1migrations"},
      {"a space", "my migrations"},
      {"a hyphen without quotes", "my-migrations"},
      {"an open quote", R"("migrations)"},
      {"an empty quoted name", R"("")"},
      {"an empty quoted schema", R"("".migrations)"},
      {"empty parentheses", "migrations()"},
      {"an open parenthesis", "migrations(name"},
      {"two columns", "migrations(name,at)"},
      {"text behind the column", "migrations(name);"},
      {"64 bytes", std::string(64, 'x')},
      {"a column of 64 bytes", "t(" + std::string(64, 'x') + ")"},
  };
  for (const auto& [description, text] : cases) {
    SCOPED_TRACE(description);
    Result<TableName> name = ParseTableName(text);
    ASSERT_FALSE(name.has_value());
    EXPECT_EQ(name.error().kind, ErrorKind::kInvalidArgument);
    EXPECT_THAT(name.error().message, HasSubstr("history.table"));
  }
}

}  // namespace
}  // namespace whimbrel::history
