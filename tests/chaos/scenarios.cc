#include "chaos/scenarios.h"

#include <utility>

namespace whimbrel::chaos {
namespace {

/// Marks are written `@name@`, on lines of their own.
Scenario Make(std::string name, MigrationSet::Folder folder,
              std::vector<std::string> arguments = {}) {
  Scenario scenario{.name = std::move(name), .set = {.arguments = std::move(arguments)}};
  for (auto& [path, text] : folder) {
    std::string::size_type at = 0;
    while ((at = text.find('@', at)) != std::string::npos) {
      const auto end = text.find('@', at + 1);
      const std::string mark = path + ":" + text.substr(at + 1, end - at - 1);
      scenario.set.marks.push_back(mark);
      const std::string sql = MarkSql(mark);
      text.replace(at, end - at + 1, sql);
      at += sql.size();
    }
  }
  scenario.set.stages.push_back(std::move(folder));
  return scenario;
}

// The builds are slow enough to be interrupted in their midst.
constexpr const char* kTable =
    "CREATE TABLE t (id int, a int);\n"
    "INSERT INTO t SELECT n, n FROM generate_series(1, 300) AS n;\n@table@";
constexpr const char* kPartitions =
    "CREATE TABLE event (at int) PARTITION BY RANGE (at);\n"
    "CREATE TABLE event_0 PARTITION OF event FOR VALUES FROM (0) TO (10);\n"
    "CREATE TABLE event_1 PARTITION OF event FOR VALUES FROM (10) TO (20);\n"
    "CREATE TYPE mood AS ENUM ('calm');\nCREATE INDEX old ON event_1 (at);\n@all@";

std::vector<Scenario> MakeScenarios() {
  return {
      Make("ordinary", {{"001_a.sql", kTable},
                        {"002_b.sql", "UPDATE t SET a = a + 1;\n@one@ALTER TABLE t ADD c int;\n"}}),
      Make("flyway", {{"V1__a.sql", kTable},
                      {"V2__b.sql", "UPDATE t SET a = a + 1;\n@one@"},
                      {"R__again.sql", "CREATE OR REPLACE VIEW v AS SELECT a FROM t;\n@again@"}}),
      Make("name table", {{"1_a.sql", kTable}, {"2_b.sql", "UPDATE t SET a = a + 1;\n@one@"}},
           {"--history-table", "public.migrations(name)"}),
      Make("copy", {{"001_a.sql", kTable},
                    {"002_b.sql", "@one@COPY t FROM stdin;\n1\t1\n2\t2\n\\.\n@two@"}}),
      Make("index", {{"001_a.sql", kTable},
                     {"002_b.sql",
                      "UPDATE t SET a = a + 1;\n@one@"
                      "CREATE INDEX CONCURRENTLY i ON t (chaos.slow(a));\n"
                      "UPDATE t SET a = a + 1;\n@two@"}}),
      Make("index if not exists",
           {{"001_a.sql", kTable},
            {"002_b.sql",
             "CREATE INDEX CONCURRENTLY IF NOT EXISTS i ON t (chaos.slow(a));\n@one@"}}),
      Make("alone", {{"001_a.sql", kPartitions},
                     {"002_b.sql",
                      "ALTER TYPE mood ADD VALUE 'glad';\n"
                      "ALTER TABLE event DETACH PARTITION event_0 CONCURRENTLY;\n"
                      "@one@REINDEX INDEX CONCURRENTLY old;\nVACUUM event_1;\n"
                      "DROP INDEX CONCURRENTLY old;\n"}}),
      Make("flyway index",
           {{"V1__a.sql", kTable},
            {"V2__b.sql", "CREATE UNIQUE INDEX CONCURRENTLY i ON t (chaos.slow(id));\n@one@"}}),
      Make("own blocks", {{"001_a.sql", kTable},
                          {"002_b.sql",
                           "BEGIN;\nUPDATE t SET a = a + 1;\n@one@COMMIT;\nBEGIN;\n"
                           "UPDATE t SET a = a * 2;\n@two@COMMIT;\n"}}),
  };
}

}  // namespace

const std::vector<Scenario>& Scenarios() {
  static const std::vector<Scenario> kScenarios = MakeScenarios();
  return kScenarios;
}

}  // namespace whimbrel::chaos
