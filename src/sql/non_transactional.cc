#include "sql/non_transactional.h"

#include <algorithm>
#include <array>

#include "sql/options.h"

namespace whimbrel::sql {
namespace {

/// Steps over these words, given in lower case with one space between; false when they do not
/// follow.
bool AcceptPhrase(TokenReader& reader, std::string_view phrase) {
  while (!phrase.empty()) {
    const std::string_view word = phrase.substr(0, phrase.find(' '));
    if (!reader.AcceptWord(word)) return false;
    phrase.remove_prefix(std::min(phrase.size(), word.size() + 1));
  }
  return true;
}

// Each function below knows the rest of one rule. It gets a reader behind the words of the rule's
// row and says whether the statement is of its kind; it may leave the reader anywhere. Grammar:
// src/backend/parser/gram.y; what is refused: the callers of PreventInTransactionBlock.

bool Always(TokenReader& /*reader*/) { return true; }

bool IsIndexConcurrently(TokenReader& reader) {
  reader.AcceptWord("unique");
  return AcceptPhrase(reader, "index concurrently");
}

bool IsReindexConcurrently(TokenReader& reader) {
  if (OptionList::Read(reader).Boolean("concurrently").value_or(false)) return true;
  reader.Next();  // INDEX, TABLE, SCHEMA, DATABASE, SYSTEM
  return reader.AcceptWord("concurrently");
}

bool IsReindexMany(TokenReader& reader) {
  reader.AcceptParentheses();
  return reader.AcceptWord("schema") || reader.AcceptWord("database") ||
         reader.AcceptWord("system");
}

bool IsClusterAll(TokenReader& reader) {
  reader.AcceptParentheses();
  reader.AcceptWord("verbose");
  return !reader.Peek().has_value();
}

bool IsSetTablespace(TokenReader& reader) {
  return reader.AcceptQualifiedName() && AcceptPhrase(reader, "set tablespace");
}

bool IsDetachPartitionConcurrently(TokenReader& reader) {
  if (reader.AcceptWord("if")) reader.AcceptWord("exists");
  reader.AcceptWord("only");
  return reader.AcceptQualifiedName() && AcceptPhrase(reader, "detach partition") &&
         reader.AcceptQualifiedName() && reader.AcceptWord("concurrently");
}

bool CreatesSlot(TokenReader& reader) {
  if (!reader.SkipToWord("with")) return true;
  const OptionList options = OptionList::Read(reader);
  return options.Boolean("create_slot").value_or(options.Boolean("connect").value_or(true));
}

bool IsSubscriptionPublication(TokenReader& reader) {
  if (!reader.AcceptQualifiedName()) return false;
  if (!reader.AcceptWord("set") && !reader.AcceptWord("add") && !reader.AcceptWord("drop")) {
    return false;
  }
  if (!reader.AcceptWord("publication")) return false;
  if (!reader.SkipToWord("with")) return true;
  return OptionList::Read(reader).Boolean("refresh").value_or(true);
}

bool IsSubscriptionRefresh(TokenReader& reader) {
  return reader.AcceptQualifiedName() && AcceptPhrase(reader, "refresh publication");
}

bool IsSubscriptionSlotOption(TokenReader& reader) {
  if (!reader.AcceptQualifiedName() || !reader.AcceptWord("set")) return false;
  const OptionList options = OptionList::Read(reader);
  return options.Has("failover") || options.Has("two_phase");
}

/// Whether the statement ends in WITH NO DATA.
bool EndsWithNoData(TokenReader& reader) {
  while (reader.SkipToWord("with")) {
    if (AcceptPhrase(reader, "no data") && !reader.Peek().has_value()) return true;
  }
  return false;
}

bool IsContinuousAggregateWithData(TokenReader& reader) {
  if (reader.AcceptWord("if") && !AcceptPhrase(reader, "not exists")) return false;
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
  reader.AcceptWord("unique");
  if (!reader.AcceptWord("index")) return false;
  while (reader.SkipToWord("with")) {
    const OptionList options = OptionList::Read(reader);
    if (options.Boolean("timescaledb.transaction_per_chunk").value_or(false)) return true;
  }
  return false;
}

bool IsTimescaledbUpdate(TokenReader& reader) {
  return reader.Peek().has_value() && reader.Next()->Name() == "timescaledb" &&
         reader.AcceptWord("update");
}

struct Row {
  NonTransactionalRule description;
  /// What such a statement begins with, in lower case; empty where only `functions` tell.
  std::string_view words = "";
  bool (*rest_matches)(TokenReader& reader) = Always;
  /// A statement that calls one of these, between spaces, is of the kind too.
  std::string_view functions = "";
};

constexpr std::string_view kCommitsItself = "it commits in between";
constexpr std::string_view kCommitsEachTable = "it commits after each table";
constexpr std::string_view kFiles = "it changes files, which a rollback could not bring back";
constexpr std::string_view kOtherServer =
    "it changes another server, which a rollback could not undo";
constexpr std::string_view kOtherTransaction = "it ends another transaction";

using enum NonTransactional;

constexpr std::array kRows = {
    Row{.description = {.rule = kCreateIndexConcurrently,
                        .name = "CREATE INDEX CONCURRENTLY",
                        .why = kCommitsItself,
                        .waits_for_transactions = true},
        .words = "create",
        .rest_matches = IsIndexConcurrently},
    Row{.description = {.rule = kDropIndexConcurrently,
                        .name = "DROP INDEX CONCURRENTLY",
                        .why = kCommitsItself,
                        .waits_for_transactions = true},
        .words = "drop index concurrently"},
    Row{.description = {.rule = kReindexConcurrently,
                        .name = "REINDEX CONCURRENTLY",
                        .why = kCommitsItself,
                        .harmless_to_repeat = true,
                        .waits_for_transactions = true},
        .words = "reindex",
        .rest_matches = IsReindexConcurrently},
    Row{.description = {.rule = kReindexMany,
                        .name = "REINDEX SCHEMA, DATABASE or SYSTEM",
                        .why = kCommitsEachTable,
                        .harmless_to_repeat = true},
        .words = "reindex",
        .rest_matches = IsReindexMany},
    Row{.description = {.rule = kVacuum,
                        .name = "VACUUM",
                        .why = kCommitsEachTable,
                        .harmless_to_repeat = true},
        .words = "vacuum"},
    Row{.description = {.rule = kClusterAll,
                        .name = "CLUSTER without a table",
                        .why = kCommitsEachTable,
                        .harmless_to_repeat = true},
        .words = "cluster",
        .rest_matches = IsClusterAll},
    Row{.description = {.rule = kCreateDatabase, .name = "CREATE DATABASE", .why = kFiles},
        .words = "create database"},
    Row{.description = {.rule = kDropDatabase, .name = "DROP DATABASE", .why = kFiles},
        .words = "drop database"},
    Row{.description = {.rule = kAlterDatabaseSetTablespace,
                        .name = "ALTER DATABASE SET TABLESPACE",
                        .why = kFiles},
        .words = "alter database",
        .rest_matches = IsSetTablespace},
    Row{.description = {.rule = kCreateTablespace, .name = "CREATE TABLESPACE", .why = kFiles},
        .words = "create tablespace"},
    Row{.description = {.rule = kDropTablespace, .name = "DROP TABLESPACE", .why = kFiles},
        .words = "drop tablespace"},
    Row{.description = {.rule = kAlterSystem,
                        .name = "ALTER SYSTEM",
                        .why = kFiles,
                        .harmless_to_repeat = true},
        .words = "alter system"},
    Row{.description = {.rule = kDetachPartitionConcurrently,
                        .name = "ALTER TABLE DETACH PARTITION CONCURRENTLY",
                        .why = kCommitsItself,
                        .waits_for_transactions = true},
        .words = "alter table",
        .rest_matches = IsDetachPartitionConcurrently},
    Row{.description = {.rule = kCreateSubscription,
                        .name = "CREATE SUBSCRIPTION with a replication slot",
                        .why = kOtherServer,
                        .waits_for_transactions = true},
        .words = "create subscription",
        .rest_matches = CreatesSlot},
    Row{.description = {.rule = kDropSubscription,
                        .name = "DROP SUBSCRIPTION",
                        .why = kOtherServer},
        .words = "drop subscription"},
    Row{.description = {.rule = kAlterSubscriptionPublication,
                        .name = "ALTER SUBSCRIPTION SET, ADD or DROP PUBLICATION with refresh",
                        .why = kOtherServer},
        .words = "alter subscription",
        .rest_matches = IsSubscriptionPublication},
    Row{.description = {.rule = kAlterSubscriptionRefresh,
                        .name = "ALTER SUBSCRIPTION REFRESH PUBLICATION",
                        .why = kOtherServer},
        .words = "alter subscription",
        .rest_matches = IsSubscriptionRefresh},
    Row{.description = {.rule = kAlterSubscriptionSlotOption,
                        .name = "ALTER SUBSCRIPTION SET (failover, two_phase)",
                        .why = kOtherServer},
        .words = "alter subscription",
        .rest_matches = IsSubscriptionSlotOption},
    Row{.description = {.rule = kCommitPrepared,
                        .name = "COMMIT PREPARED",
                        .why = kOtherTransaction},
        .words = "commit prepared"},
    Row{.description = {.rule = kRollbackPrepared,
                        .name = "ROLLBACK PREPARED",
                        .why = kOtherTransaction},
        .words = "rollback prepared"},
    Row{.description = {.rule = kDiscardAll,
                        .name = "DISCARD ALL",
                        .why = "it resets the session, with the locks that guard the migration"},
        .words = "discard all"},
    Row{.description = {.rule = kCreateLogicalSlot,
                        .name = "pg_create_logical_replication_slot",
                        .why = "it cannot follow a write of the same transaction",
                        .waits_for_transactions = true},
        .functions = " pg_create_logical_replication_slot pg_copy_logical_replication_slot "},
    Row{.description = {.rule = kContinuousAggregateWithData,
                        .name = "CREATE MATERIALIZED VIEW with timescaledb.continuous and data",
                        .why = "TimescaleDB fills it in transactions of its own; "
                               "with WITH NO DATA it can"},
        .words = "create materialized view",
        .rest_matches = IsContinuousAggregateWithData},
    Row{.description = {.rule = kRefreshContinuousAggregate,
                        .name = "refresh_continuous_aggregate",
                        .why = "TimescaleDB commits in between",
                        .harmless_to_repeat = true},
        .functions = " refresh_continuous_aggregate "},
    Row{.description = {.rule = kIndexTransactionPerChunk,
                        .name = "CREATE INDEX with timescaledb.transaction_per_chunk",
                        .why = "TimescaleDB commits after each chunk"},
        .words = "create",
        .rest_matches = IsIndexTransactionPerChunk},
    Row{.description = {.rule = kUpdateTimescaledb,
                        .name = "ALTER EXTENSION timescaledb UPDATE",
                        .why = "it must be the first statement of a session",
                        .needs_fresh_session = true},
        .words = "alter extension",
        .rest_matches = IsTimescaledbUpdate},
    Row{.description = {.rule = kDistributeTableConcurrently,
                        .name = "create_distributed_table_concurrently",
                        .why = "Citus commits in between"},
        .functions = " create_distributed_table_concurrently "},
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

bool Matches(const Row& row, const Token& first_word, TokenReader reader) {
  // Most rows are done with here.
  if (!first_word.IsWord(row.words.substr(0, row.words.find(' ')))) return false;
  return AcceptPhrase(reader, row.words) && row.rest_matches(reader);
}

}  // namespace

const NonTransactionalRule& Describe(NonTransactional rule) {
  return kDescriptions[static_cast<std::size_t>(rule)];
}

std::span<const NonTransactionalRule> NonTransactionalRules() { return kDescriptions; }

std::optional<NonTransactional> FindNonTransactional(const TokenReader& reader) {
  if (!reader.Peek().has_value()) return std::nullopt;
  for (const Row& row : kRows) {
    if (Matches(row, *reader.Peek(), reader)) return row.description.rule;
  }
  return std::nullopt;
}

std::optional<NonTransactional> FindNonTransactionalFunction(std::string_view name) {
  std::string between_spaces(1, ' ');
  between_spaces.append(name).append(1, ' ');
  for (const Row& row : kRows) {
    if (row.functions.find(between_spaces) != std::string_view::npos) return row.description.rule;
  }
  return std::nullopt;
}

}  // namespace whimbrel::sql
