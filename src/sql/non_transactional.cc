#include "sql/non_transactional.h"

#include <algorithm>
#include <array>

#include "sql/options.h"

namespace whimbrel::sql {
namespace {

// Each function below knows one rule. It gets a reader at the statement's first token and says
// whether the statement is of its kind; it may leave the reader anywhere. Grammar:
// src/backend/parser/gram.y; what is refused in a transaction block: the callers of
// PreventInTransactionBlock.

bool AcceptWords(TokenReader& reader, std::string_view first, std::string_view second) {
  return reader.AcceptWord(first) && reader.AcceptWord(second);
}

bool AcceptCreateIndex(TokenReader& reader) {
  if (!reader.AcceptWord("create")) return false;
  reader.AcceptWord("unique");
  return reader.AcceptWord("index");
}

bool IsCreateIndexConcurrently(TokenReader& reader) {
  return AcceptCreateIndex(reader) && reader.AcceptWord("concurrently");
}

bool IsDropIndexConcurrently(TokenReader& reader) {
  return AcceptWords(reader, "drop", "index") && reader.AcceptWord("concurrently");
}

bool IsReindexConcurrently(TokenReader& reader) {
  if (!reader.AcceptWord("reindex")) return false;
  if (OptionList::Read(reader).Boolean("concurrently").value_or(false)) return true;
  reader.Next();  // INDEX, TABLE, SCHEMA, DATABASE, SYSTEM
  return reader.AcceptWord("concurrently");
}

bool IsReindexMany(TokenReader& reader) {
  if (!reader.AcceptWord("reindex")) return false;
  reader.AcceptParentheses();
  return reader.AcceptWord("schema") || reader.AcceptWord("database") ||
         reader.AcceptWord("system");
}

bool IsVacuum(TokenReader& reader) { return reader.AcceptWord("vacuum"); }

bool IsClusterAll(TokenReader& reader) {
  if (!reader.AcceptWord("cluster")) return false;
  reader.AcceptParentheses();
  reader.AcceptWord("verbose");
  return !reader.Peek().has_value();
}

bool IsCreateDatabase(TokenReader& reader) { return AcceptWords(reader, "create", "database"); }

bool IsDropDatabase(TokenReader& reader) { return AcceptWords(reader, "drop", "database"); }

bool IsAlterDatabaseSetTablespace(TokenReader& reader) {
  return AcceptWords(reader, "alter", "database") && reader.AcceptQualifiedName() &&
         AcceptWords(reader, "set", "tablespace");
}

bool IsCreateTablespace(TokenReader& reader) { return AcceptWords(reader, "create", "tablespace"); }

bool IsDropTablespace(TokenReader& reader) { return AcceptWords(reader, "drop", "tablespace"); }

bool IsAlterSystem(TokenReader& reader) { return AcceptWords(reader, "alter", "system"); }

bool IsDetachPartitionConcurrently(TokenReader& reader) {
  if (!AcceptWords(reader, "alter", "table")) return false;
  if (reader.AcceptWord("if")) reader.AcceptWord("exists");
  reader.AcceptWord("only");
  return reader.AcceptQualifiedName() && AcceptWords(reader, "detach", "partition") &&
         reader.AcceptQualifiedName() && reader.AcceptWord("concurrently");
}

bool IsCreateSubscription(TokenReader& reader) {
  if (!AcceptWords(reader, "create", "subscription")) return false;
  if (!reader.SkipToWord("with")) return true;
  const OptionList options = OptionList::Read(reader);
  return options.Boolean("create_slot").value_or(options.Boolean("connect").value_or(true));
}

bool IsDropSubscription(TokenReader& reader) { return AcceptWords(reader, "drop", "subscription"); }

bool AcceptAlterSubscription(TokenReader& reader) {
  return AcceptWords(reader, "alter", "subscription") && reader.AcceptQualifiedName();
}

bool IsAlterSubscriptionPublication(TokenReader& reader) {
  if (!AcceptAlterSubscription(reader)) return false;
  if (!reader.AcceptWord("set") && !reader.AcceptWord("add") && !reader.AcceptWord("drop"))
    return false;
  if (!reader.AcceptWord("publication")) return false;
  if (!reader.SkipToWord("with")) return true;
  return OptionList::Read(reader).Boolean("refresh").value_or(true);
}

bool IsAlterSubscriptionRefresh(TokenReader& reader) {
  return AcceptAlterSubscription(reader) && AcceptWords(reader, "refresh", "publication");
}

bool IsAlterSubscriptionSlotOption(TokenReader& reader) {
  if (!AcceptAlterSubscription(reader) || !reader.AcceptWord("set")) return false;
  const OptionList options = OptionList::Read(reader);
  return options.Has("failover") || options.Has("two_phase");
}

bool IsCommitPrepared(TokenReader& reader) { return AcceptWords(reader, "commit", "prepared"); }

bool IsRollbackPrepared(TokenReader& reader) { return AcceptWords(reader, "rollback", "prepared"); }

bool IsDiscardAll(TokenReader& reader) { return AcceptWords(reader, "discard", "all"); }

/// Whether the statement ends in WITH NO DATA.
bool EndsWithNoData(TokenReader& reader) {
  while (reader.SkipToWord("with")) {
    if (AcceptWords(reader, "no", "data") && !reader.Peek().has_value()) return true;
  }
  return false;
}

bool IsContinuousAggregateWithData(TokenReader& reader) {
  if (!AcceptWords(reader, "create", "materialized") || !reader.AcceptWord("view")) return false;
  if (reader.AcceptWord("if") && !AcceptWords(reader, "not", "exists")) return false;
  if (!reader.AcceptQualifiedName()) return false;
  reader.AcceptParentheses();
  if (reader.AcceptWord("using")) reader.AcceptQualifiedName();
  if (!reader.AcceptWord("with")) return false;
  const OptionList options = OptionList::Read(reader);
  const bool continuous = options.Boolean("timescaledb.continuous").value_or(false) ||
                          options.Boolean("tsdb.continuous").value_or(false);
  return continuous && !EndsWithNoData(reader);
}

bool IsIndexTransactionPerChunk(TokenReader& reader) {
  if (!AcceptCreateIndex(reader)) return false;
  while (reader.SkipToWord("with")) {
    if (OptionList::Read(reader).Boolean("timescaledb.transaction_per_chunk").value_or(false))
      return true;
  }
  return false;
}

bool IsUpdateTimescaledb(TokenReader& reader) {
  return AcceptWords(reader, "alter", "extension") && reader.Peek().has_value() &&
         reader.Next()->Name() == "timescaledb" && reader.AcceptWord("update");
}

/// The statement is known by a function that it calls.
bool ByFunction(TokenReader&) { return false; }

struct Row {
  NonTransactionalRule description;
  bool (*matches)(TokenReader& reader);
};

constexpr std::string_view kCommitsItself = "it commits in between";
constexpr std::string_view kFileSystem = "it changes files, which a rollback could not bring back";
constexpr std::string_view kOtherServer =
    "it changes the other server, which a rollback could not undo";

using enum NonTransactional;

constexpr std::array kRows = {
    Row{{.rule = kCreateIndexConcurrently,
         .name = "CREATE INDEX CONCURRENTLY",
         .why = kCommitsItself,
         .waits_for_transactions = true},
        IsCreateIndexConcurrently},
    Row{{.rule = kDropIndexConcurrently,
         .name = "DROP INDEX CONCURRENTLY",
         .why = kCommitsItself,
         .waits_for_transactions = true},
        IsDropIndexConcurrently},
    Row{{.rule = kReindexConcurrently,
         .name = "REINDEX CONCURRENTLY",
         .why = kCommitsItself,
         .harmless_to_repeat = true,
         .waits_for_transactions = true},
        IsReindexConcurrently},
    Row{{.rule = kReindexMany,
         .name = "REINDEX SCHEMA, DATABASE or SYSTEM",
         .why = "it commits after each table",
         .harmless_to_repeat = true},
        IsReindexMany},
    Row{{.rule = kVacuum,
         .name = "VACUUM",
         .why = "it commits after each table",
         .harmless_to_repeat = true},
        IsVacuum},
    Row{{.rule = kClusterAll,
         .name = "CLUSTER without a table",
         .why = "it commits after each table",
         .harmless_to_repeat = true},
        IsClusterAll},
    Row{{.rule = kCreateDatabase, .name = "CREATE DATABASE", .why = kFileSystem}, IsCreateDatabase},
    Row{{.rule = kDropDatabase, .name = "DROP DATABASE", .why = kFileSystem}, IsDropDatabase},
    Row{{.rule = kAlterDatabaseSetTablespace,
         .name = "ALTER DATABASE SET TABLESPACE",
         .why = kFileSystem},
        IsAlterDatabaseSetTablespace},
    Row{{.rule = kCreateTablespace, .name = "CREATE TABLESPACE", .why = kFileSystem},
        IsCreateTablespace},
    Row{{.rule = kDropTablespace, .name = "DROP TABLESPACE", .why = kFileSystem}, IsDropTablespace},
    Row{{.rule = kAlterSystem,
         .name = "ALTER SYSTEM",
         .why = kFileSystem,
         .harmless_to_repeat = true},
        IsAlterSystem},
    Row{{.rule = kDetachPartitionConcurrently,
         .name = "ALTER TABLE DETACH PARTITION CONCURRENTLY",
         .why = kCommitsItself,
         .waits_for_transactions = true},
        IsDetachPartitionConcurrently},
    Row{{.rule = kCreateSubscription,
         .name = "CREATE SUBSCRIPTION with a replication slot",
         .why = kOtherServer,
         .waits_for_transactions = true},
        IsCreateSubscription},
    Row{{.rule = kDropSubscription, .name = "DROP SUBSCRIPTION", .why = kOtherServer},
        IsDropSubscription},
    Row{{.rule = kAlterSubscriptionPublication,
         .name = "ALTER SUBSCRIPTION SET, ADD or DROP PUBLICATION with refresh",
         .why = kOtherServer},
        IsAlterSubscriptionPublication},
    Row{{.rule = kAlterSubscriptionRefresh,
         .name = "ALTER SUBSCRIPTION REFRESH PUBLICATION",
         .why = kOtherServer},
        IsAlterSubscriptionRefresh},
    Row{{.rule = kAlterSubscriptionSlotOption,
         .name = "ALTER SUBSCRIPTION SET (failover, two_phase)",
         .why = kOtherServer},
        IsAlterSubscriptionSlotOption},
    Row{{.rule = kCommitPrepared, .name = "COMMIT PREPARED", .why = "it ends another transaction"},
        IsCommitPrepared},
    Row{{.rule = kRollbackPrepared,
         .name = "ROLLBACK PREPARED",
         .why = "it ends another transaction"},
        IsRollbackPrepared},
    Row{{.rule = kDiscardAll,
         .name = "DISCARD ALL",
         .why = "it resets the whole session, with the locks that guard the migration"},
        IsDiscardAll},
    Row{{.rule = kCreateLogicalSlot,
         .name = "pg_create_logical_replication_slot",
         .why = "it cannot follow a write of the same transaction",
         .waits_for_transactions = true},
        ByFunction},
    Row{{.rule = kContinuousAggregateWithData,
         .name = "CREATE MATERIALIZED VIEW with timescaledb.continuous and data",
         .why = "TimescaleDB fills it in transactions of its own; with WITH NO DATA it can"},
        IsContinuousAggregateWithData},
    Row{{.rule = kRefreshContinuousAggregate,
         .name = "refresh_continuous_aggregate",
         .why = "TimescaleDB commits in between",
         .harmless_to_repeat = true},
        ByFunction},
    Row{{.rule = kIndexTransactionPerChunk,
         .name = "CREATE INDEX with timescaledb.transaction_per_chunk",
         .why = "TimescaleDB commits after each chunk"},
        IsIndexTransactionPerChunk},
    Row{{.rule = kUpdateTimescaledb,
         .name = "ALTER EXTENSION timescaledb UPDATE",
         .why = "it must be the first statement of a session",
         .needs_fresh_session = true},
        IsUpdateTimescaledb},
    Row{{.rule = kDistributeTableConcurrently,
         .name = "create_distributed_table_concurrently",
         .why = "Citus commits in between"},
        ByFunction},
};

constexpr bool AreInOrder() {
  for (std::size_t i = 0; i < kRows.size(); ++i) {
    if (static_cast<std::size_t>(kRows[i].description.rule) != i) return false;
  }
  return true;
}
static_assert(AreInOrder(), "Describe() takes the rule for the index of its row");

constexpr auto kDescriptions = [] {
  std::array<NonTransactionalRule, kRows.size()> descriptions{};
  for (std::size_t i = 0; i < kRows.size(); ++i) descriptions[i] = kRows[i].description;
  return descriptions;
}();

struct FunctionRow {
  std::string_view name;
  NonTransactional rule;
};
constexpr std::array kFunctions = {
    FunctionRow{"pg_create_logical_replication_slot", kCreateLogicalSlot},
    FunctionRow{"pg_copy_logical_replication_slot", kCreateLogicalSlot},
    FunctionRow{"refresh_continuous_aggregate", kRefreshContinuousAggregate},
    FunctionRow{"create_distributed_table_concurrently", kDistributeTableConcurrently},
};

}  // namespace

const NonTransactionalRule& Describe(NonTransactional rule) {
  return kDescriptions[static_cast<std::size_t>(rule)];
}

std::span<const NonTransactionalRule> NonTransactionalRules() { return kDescriptions; }

std::optional<NonTransactional> FindNonTransactional(const TokenReader& reader) {
  for (const Row& row : kRows) {
    TokenReader from_the_start = reader;
    if (row.matches(from_the_start)) return row.description.rule;
  }
  return std::nullopt;
}

std::optional<NonTransactional> FindNonTransactionalFunction(std::string_view name) {
  for (const FunctionRow& row : kFunctions) {
    if (row.name == name) return row.rule;
  }
  return std::nullopt;
}

}  // namespace whimbrel::sql
