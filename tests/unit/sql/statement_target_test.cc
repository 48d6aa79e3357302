#include "whimbrel/sql/statement_target.h"

#include <gtest/gtest.h>

#include <optional>
#include <string>
#include <string_view>

namespace whimbrel::sql {
namespace {

std::string Join(const std::vector<std::string>& parts, std::string_view between) {
  std::string text;
  for (const std::string& part : parts) text.append(text.empty() ? "" : between).append(part);
  return text;
}

constexpr std::string_view kUnreadable = "unreadable";

struct Case {
  std::string_view statement;
  std::string_view expected;  ///< What was read, in one line.
};

std::string Describe(const std::optional<CreateIndexTarget>& target) {
  if (!target.has_value()) return std::string(kUnreadable);
  return target->name.value_or("-") + " on " + Join(target->table.parts, "|") +
         (target->unique ? " unique" : "") + (target->if_not_exists ? " if-not-exists" : "") +
         (target->has_tablespace ? " tablespace" : "") + ": " + target->definition;
}

TEST(ReadCreateIndex, ReadsIndexAndTableAndTheDefinitionBehindThem) {
  static constexpr Case kCases[] = {
      {"create index concurrently i on t (a)", "i on t: (a)"},
      {"CREATE UNIQUE INDEX CONCURRENTLY IF NOT EXISTS \"I\"\"x\" ON S.\"T\" USING gin (a) ",
       "I\"x on s|T unique if-not-exists: USING gin (a)"},
      {"create index concurrently on db.s.t(a)", "- on db|s|t: (a)"},
      {"create index concurrently if on t (a)", "if on t: (a)"},
      {"create index concurrently i on only t (a)", "i on t: (a)"},
      {"create index concurrently i on only (t) (a)", "i on t: (a)"},
      {"create index concurrently i on t * (a)", "i on t: (a)"},
      {"create /* x */ index concurrently i -- y\n on t /* z */ (lower(a)) include (b)",
       "i on t: (lower(a)) include (b)"},
      {"create index concurrently i on t (a) nulls not distinct with (fillfactor = 70) tablespace "
       "x where tablespace > 0",
       "i on t tablespace: (a) nulls not distinct WITH (fillfactor = 70) tablespace x where "
       "tablespace > 0"},
      {"create index concurrently i on t (a) where with > 0 and tablespace",
       "i on t: (a) where with > 0 and tablespace"},
      {"create index i on t (a) with (timescaledb.transaction_per_chunk)", "i on t: (a)"},
      {"create index i on t (a) with (fillfactor = 70, Timescaledb.transaction_per_chunk = on, x) "
       "where b",
       "i on t: (a) WITH (fillfactor = 70, x) where b"},
      {"create index on t (a) with (timescaledb.transaction_per_chunk) tablespace x",
       "- on t tablespace: (a) tablespace x"},
      {"create index concurrently U&\"i\" on t (a)", kUnreadable},
      {"create index concurrently i on U&\"t\" (a)", kUnreadable},
      {"create index concurrently i", kUnreadable},
      {"create table t (a int)", kUnreadable},
  };
  for (const Case& row : kCases) {
    EXPECT_EQ(Describe(ReadCreateIndex(row.statement)), row.expected) << row.statement;
  }
}

TEST(ReadDrop, ReadsTheOneNameThatIsDropped) {
  static constexpr Case kCases[] = {
      {"drop index concurrently i", "i"},
      {"drop index concurrently if exists S.\"I\" cascade", "s|I if-exists"},
      {"drop index concurrently a, b", kUnreadable},
      {"drop database if exists d with (force)", "d if-exists"},
      {"drop database \"D\"", "D"},
      {"drop tablespace if exists x", "x if-exists"},
      {"drop subscription s", "s"},
      {"drop subscription if", "if"},
      {"drop index i", kUnreadable},
      {"drop database U&\"d\"", kUnreadable},
  };
  for (const Case& row : kCases) {
    const std::optional<DropTarget> read = ReadDrop(row.statement);
    const std::string text =
        read.has_value() ? Join(read->name.parts, "|") + (read->if_exists ? " if-exists" : "")
                         : std::string(kUnreadable);
    EXPECT_EQ(text, row.expected) << row.statement;
  }
}

TEST(ReadReindex, ReadsWhatIsToBeBuiltAgain) {
  static constexpr std::string_view kKinds[] = {"index", "table", "schema", "database", "system"};
  static constexpr Case kCases[] = {
      {"reindex index concurrently s.i", "index s|i"},
      {"reindex (verbose, concurrently) table \"T\"", "table T"},
      {"reindex (concurrently true, tablespace x) schema s", "schema s"},
      {"reindex database concurrently d", "database d"},
      {"reindex (concurrently) database", "database -"},
      {"reindex system", "system -"},
      {"reindex table concurrently", kUnreadable},
      {"cluster t", kUnreadable},
  };
  for (const Case& row : kCases) {
    const std::optional<ReindexTarget> read = ReadReindex(row.statement);
    std::string text(kUnreadable);
    if (read.has_value()) {
      text = std::string(kKinds[static_cast<std::size_t>(read->kind)]) + " " +
             (read->name.has_value() ? Join(read->name->parts, "|") : "-");
    }
    EXPECT_EQ(text, row.expected) << row.statement;
  }
}

TEST(ReadDetach, ReadsTableAndPartition) {
  static constexpr Case kCases[] = {
      {"alter table t detach partition p concurrently", "t, p"},
      {"alter table if exists only s.t detach /* x */ partition \"S\".\"P\" concurrently",
       "s|t, S|P"},
      {"alter table t * detach partition p concurrently", "t, p"},
      {"alter table t detach partition U&\"p\" concurrently", kUnreadable},
      {"alter table t attach partition p default", kUnreadable},
  };
  for (const Case& row : kCases) {
    const std::optional<DetachTarget> read = ReadDetach(row.statement);
    const std::string text =
        read.has_value() ? Join(read->table.parts, "|") + ", " + Join(read->partition.parts, "|")
                         : std::string(kUnreadable);
    EXPECT_EQ(text, row.expected) << row.statement;
  }
}

TEST(ReadCreate, ReadsNameOwnerAndLocation) {
  static constexpr Case kCases[] = {
      {"create database d", "d owner -"},
      {"create database \"D\" with owner = \"O\" encoding 'UTF8' connection limit = 3",
       "D owner O"},
      {"create database d template template0 owner 'o'", "d owner o"},
      {"create database d owner default", "d owner -"},
      {"create tablespace x location '/a b'", "x owner - at /a b"},
      {"create tablespace x owner o location '' with (seq_page_cost = 2)", "x owner o at "},
      {"create tablespace x owner current_user location '/a'", "x owner - at /a"},
      {"create tablespace x location E'\\x2f'", kUnreadable},
      {"create database U&\"d\"", kUnreadable},
      {"create table t (a int)", kUnreadable},
  };
  for (const Case& row : kCases) {
    const std::optional<CreateTarget> read = ReadCreate(row.statement);
    std::string text(kUnreadable);
    if (read.has_value()) {
      text = read->name + " owner " + read->owner.value_or("-") +
             (read->location.has_value() ? " at " + *read->location : "");
    }
    EXPECT_EQ(text, row.expected) << row.statement;
  }
}

TEST(ReadDatabaseTablespace, ReadsBothNames) {
  const auto read = ReadDatabaseTablespace("alter database \"D\" set tablespace X");
  ASSERT_TRUE(read.has_value());
  EXPECT_EQ(read->database, "D");
  EXPECT_EQ(read->tablespace, "x");
  EXPECT_FALSE(ReadDatabaseTablespace("alter database d set work_mem to x").has_value());
  EXPECT_FALSE(ReadDatabaseTablespace("alter database d set tablespace").has_value());
}

TEST(ReadSubscription, ReadsNameAndPublications) {
  static constexpr std::string_view kChanges[] = {"", " set", " add", " drop"};
  static constexpr Case kCases[] = {
      {"create subscription s connection 'publication x' publication p, \"Q\" with (enabled)",
       "s: p,Q"},
      {"create subscription s connection 'x' publication U&\"p\"", kUnreadable},
      {"create subscription s connection 'x'", kUnreadable},
      {"alter subscription \"S\" set publication p with (copy_data)", "S set: p"},
      {"alter subscription s add publication p, q", "s add: p,q"},
      {"alter subscription s drop publication p", "s drop: p"},
      {"alter subscription s refresh publication", "s: "},
      {"alter subscription s set (failover)", "s: "},
      {"drop subscription s", kUnreadable},
  };
  for (const Case& row : kCases) {
    const std::optional<SubscriptionTarget> read = ReadSubscription(row.statement);
    std::string text(kUnreadable);
    if (read.has_value()) {
      text = read->name + std::string(kChanges[static_cast<std::size_t>(read->change)]) + ": " +
             Join(read->publications, ",");
    }
    EXPECT_EQ(text, row.expected) << row.statement;
  }
}

TEST(ReadPreparedTransaction, ReadsTheIdentifier) {
  EXPECT_EQ(ReadPreparedTransaction("commit prepared 'a''b'"), "a'b");
  EXPECT_EQ(ReadPreparedTransaction("ROLLBACK /* x */ PREPARED $$c$$"), "c");
  EXPECT_EQ(ReadPreparedTransaction("commit prepared E'\\n'"), std::nullopt);
  EXPECT_EQ(ReadPreparedTransaction("commit prepared 'a\\nb'", false), std::nullopt);
  EXPECT_EQ(ReadPreparedTransaction("commit"), std::nullopt);
}

TEST(ReadCall, ReadsAStatementThatIsOneCall) {
  static constexpr Case kCases[] = {
      {"select pg_create_logical_replication_slot('s', 'pgoutput')",
       "pg_create_logical_replication_slot(s,pgoutput)"},
      {"SELECT * FROM pg_catalog.F('a', true, now(), 'b'::regclass) as x", "f(a,?,?,b)"},
      {"select lsn, 'x' from f('a')", "f(a)"},
      {"select f(slot_name := 'a')", "f(?)"},
      {"select f('a' || 'b', E'a', ('c'))", "f(?,?,?)"},
      {"call f()", "f()"},
      {"select f('a'), g('b')", kUnreadable},
      {"select g('b') from f('a')", kUnreadable},
      {"select f('a') from t", kUnreadable},
      {"select * from f('a') where b", kUnreadable},
      {"select f", kUnreadable},
      {"with x as (select 1) select f('a') from x", kUnreadable},
  };
  for (const Case& row : kCases) {
    const std::optional<CallTarget> read = ReadCall(row.statement);
    std::string text(kUnreadable);
    if (read.has_value()) {
      std::vector<std::string> arguments;
      for (const auto& argument : read->arguments) arguments.push_back(argument.value_or("?"));
      text = read->function + "(" + Join(arguments, ",") + ")";
    }
    EXPECT_EQ(text, row.expected) << row.statement;
  }
}

TEST(ReadMaterializedView, ReadsTheName) {
  const auto read = ReadMaterializedView("create materialized view if not exists s.\"V\" with (x)");
  ASSERT_TRUE(read.has_value());
  EXPECT_EQ(read->name, (ObjectName{{"s", "V"}}));
  EXPECT_TRUE(read->if_not_exists);
  EXPECT_FALSE(ReadMaterializedView("create materialized view v as select 1")->if_not_exists);
  EXPECT_FALSE(ReadMaterializedView("create view v as select 1").has_value());
}

TEST(ReadExtensionUpdate, ReadsTheVersion) {
  EXPECT_EQ(ReadExtensionUpdate("alter extension timescaledb update")->version, std::nullopt);
  EXPECT_EQ(ReadExtensionUpdate("alter extension timescaledb update to '2.1'")->version, "2.1");
  EXPECT_EQ(ReadExtensionUpdate("alter extension \"x\" update to \"2\"")->version, "2");
  EXPECT_FALSE(ReadExtensionUpdate("alter extension x set schema y").has_value());
}

TEST(Read, TakesAnyBeginningOfAStatementWithoutHarm) {
  static constexpr std::string_view kStatements[] = {
      "create unique index if not exists i on only (s.t) * ((a), b) with (x = (1), "
      "timescaledb.transaction_per_chunk = on, fillfactor = 70) tablespace x where (b)",
      "reindex (verbose, concurrently) table s.t",
      "alter table if exists only (s.t) detach partition s.p concurrently",
      "create database d with owner = 'o' tablespace x",
      "create tablespace x owner o location '/x'",
      "alter database d set tablespace x",
      "create subscription s connection 'x' publication p, q",
      "alter subscription s set publication p, q with (refresh)",
      "select a, b from s.f(('a'), 'b'::c(1), d => 'e',) as x",
      "drop index concurrently if exists s.i",
      "commit prepared 'x'",
      "create materialized view if not exists s.v",
      "alter extension timescaledb update to '2'",
      "with with ( , ) ) ( timescaledb. with (",
  };
  for (std::string_view whole : kStatements) {
    for (std::size_t size = 0; size <= whole.size(); ++size) {
      for (std::string prefix : {std::string(), std::string("create index on t ")}) {
        const std::string text = prefix.append(whole.substr(0, size));
        static_cast<void>(ReadCreateIndex(text));
        static_cast<void>(ReadDrop(text));
        static_cast<void>(ReadReindex(text));
        static_cast<void>(ReadDetach(text));
        static_cast<void>(ReadCreate(text));
        static_cast<void>(ReadDatabaseTablespace(text));
        static_cast<void>(ReadSubscription(text));
        static_cast<void>(ReadPreparedTransaction(text));
        static_cast<void>(ReadCall(text));
        static_cast<void>(ReadMaterializedView(text));
        static_cast<void>(ReadExtensionUpdate(text));
      }
    }
  }
}

TEST(ObjectName, KnowsItsLastPartAndTheSchemaBeforeIt) {
  EXPECT_EQ((ObjectName{{"t"}}).schema(), std::nullopt);
  EXPECT_EQ((ObjectName{{"s", "t"}}).schema(), "s");
  EXPECT_EQ((ObjectName{{"d", "s", "t"}}).schema(), "s");
  EXPECT_EQ((ObjectName{{"d", "s", "t"}}).base(), "t");
}

}  // namespace
}  // namespace whimbrel::sql
