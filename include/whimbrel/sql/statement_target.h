#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

/// What the statements of table (a) (NonTransactional) name, read from their tokens, so that
/// somebody can look it up in the catalog. Each function is for the kinds of its comment; nullopt
/// where the statement is no such one, or names with U&"…" or a literal with escapes, which only
/// the server can read. Grammar: src/backend/parser/gram.y of PostgreSQL 13 to 18.
namespace whimbrel::sql {

/// A name as the server reads it: each part folded to lower case or freed of its quotes. Longer
/// parts than 63 bytes are not yet cut.
struct ObjectName {
  std::vector<std::string> parts;  ///< Of `s.t`: s, t. Never empty.

  /// Without qualification.
  [[nodiscard]] const std::string& base() const { return parts.back(); }
  /// nullopt: search_path decides.
  [[nodiscard]] std::optional<std::string> schema() const {
    return parts.size() > 1 ? std::optional(parts[parts.size() - 2]) : std::nullopt;
  }
  friend bool operator==(const ObjectName&, const ObjectName&) = default;
};

struct CreateIndexTarget {
  std::optional<std::string> name;  ///< nullopt: the server finds one. It has the table's schema.
  ObjectName table;
  bool unique = false;
  bool if_not_exists = false;
  bool has_tablespace = false;
  /// What follows the table's name (`USING btree (a) WHERE b`), as written but without
  /// TimescaleDB's own options, so that the same index can be built on a copy of the table.
  std::string definition;
};
/// kCreateIndexConcurrently, kIndexTransactionPerChunk.
[[nodiscard]] std::optional<CreateIndexTarget> ReadCreateIndex(
    std::string_view statement, bool standard_conforming_strings = true);

struct DropTarget {
  ObjectName name;
  bool if_exists = false;
};
/// kDropIndexConcurrently (of one index: the server takes no more), kDropDatabase,
/// kDropTablespace, kDropSubscription.
[[nodiscard]] std::optional<DropTarget> ReadDrop(std::string_view statement,
                                                 bool standard_conforming_strings = true);

enum class ReindexKind { kIndex, kTable, kSchema, kDatabase, kSystem };
struct ReindexTarget {
  ReindexKind kind = ReindexKind::kIndex;
  std::optional<ObjectName> name;  ///< nullopt: this database (PostgreSQL 16 and later).
};
/// kReindexConcurrently, kReindexMany.
[[nodiscard]] std::optional<ReindexTarget> ReadReindex(std::string_view statement,
                                                       bool standard_conforming_strings = true);

struct DetachTarget {
  ObjectName table;
  ObjectName partition;
};
/// kDetachPartitionConcurrently.
[[nodiscard]] std::optional<DetachTarget> ReadDetach(std::string_view statement,
                                                     bool standard_conforming_strings = true);

/// What is created for the whole cluster, and whom it is to belong to.
struct CreateTarget {
  std::string name;
  std::optional<std::string> owner = std::nullopt;     ///< nullopt: the current role.
  std::optional<std::string> location = std::nullopt;  ///< Of a tablespace.
};
/// kCreateDatabase, kCreateTablespace.
[[nodiscard]] std::optional<CreateTarget> ReadCreate(std::string_view statement,
                                                     bool standard_conforming_strings = true);

struct DatabaseTablespaceTarget {
  std::string database;
  std::string tablespace;
};
/// kAlterDatabaseSetTablespace.
[[nodiscard]] std::optional<DatabaseTablespaceTarget> ReadDatabaseTablespace(
    std::string_view statement, bool standard_conforming_strings = true);

enum class PublicationChange { kNone, kSet, kAdd, kDrop };
struct SubscriptionTarget {
  std::string name;
  PublicationChange change = PublicationChange::kNone;  ///< Of ALTER SUBSCRIPTION.
  std::vector<std::string> publications = {};
};
/// kCreateSubscription, kAlterSubscriptionPublication, kAlterSubscriptionRefresh,
/// kAlterSubscriptionSlotOption.
[[nodiscard]] std::optional<SubscriptionTarget> ReadSubscription(
    std::string_view statement, bool standard_conforming_strings = true);

/// kCommitPrepared, kRollbackPrepared: the transaction's global identifier.
[[nodiscard]] std::optional<std::string> ReadPreparedTransaction(
    std::string_view statement, bool standard_conforming_strings = true);

/// A statement that is one call and no more: `SELECT [* FROM] f('x', …)`, `CALL f(…)`.
struct CallTarget {
  std::string function;  ///< Without its schema.
  /// In order; nullopt where the argument is no plain literal, or is named.
  std::vector<std::optional<std::string>> arguments = {};
};
/// kCreateLogicalSlot, kDistributeTableConcurrently, kRefreshContinuousAggregate.
[[nodiscard]] std::optional<CallTarget> ReadCall(std::string_view statement,
                                                 bool standard_conforming_strings = true);

struct MaterializedViewTarget {
  ObjectName name;
  bool if_not_exists = false;
};
/// kContinuousAggregateWithData.
[[nodiscard]] std::optional<MaterializedViewTarget> ReadMaterializedView(
    std::string_view statement, bool standard_conforming_strings = true);

struct ExtensionUpdateTarget {
  std::string name;
  std::optional<std::string> version;  ///< nullopt: the newest that is installed on the server.
};
/// kUpdateTimescaledb.
[[nodiscard]] std::optional<ExtensionUpdateTarget> ReadExtensionUpdate(
    std::string_view statement, bool standard_conforming_strings = true);

}  // namespace whimbrel::sql
