#pragma once

#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

/// What can be told about one statement from its tokens alone, without a server and without
/// guessing. Words are keywords only where PostgreSQL 13 to 18 read them so; quoted identifiers
/// never are, and comments may stand anywhere.
namespace whimbrel::sql {

enum class TransactionVerb {
  kNone,
  kBegin,     ///< BEGIN, START TRANSACTION
  kCommit,    ///< COMMIT, END
  kRollback,  ///< ROLLBACK, ABORT
  kSavepoint,
  kRelease,
  kRollbackTo,
  kPrepareTransaction,  ///< Ends the transaction too.
  kCommitPrepared,
  kRollbackPrepared,
};

struct TransactionControl {
  TransactionVerb verb = TransactionVerb::kNone;
  std::string modes;   ///< Of kBegin, as written: `ISOLATION LEVEL SERIALIZABLE, READ ONLY`.
  bool chain = false;  ///< COMMIT AND CHAIN, ROLLBACK AND CHAIN: the next one has begun already.
};

/// Why a statement cannot run in a transaction block.
enum class NonTransactional {
  kCreateIndexConcurrently,
  kDropIndexConcurrently,
  kReindexConcurrently,
  kReindexMany,
  kVacuum,
  kClusterAll,
  kCreateDatabase,
  kDropDatabase,
  kAlterDatabaseSetTablespace,
  kCreateTablespace,
  kDropTablespace,
  kAlterSystem,
  kDetachPartitionConcurrently,
  kCreateSubscription,
  kDropSubscription,
  kAlterSubscriptionPublication,
  kAlterSubscriptionRefresh,
  kAlterSubscriptionSlotOption,
  kCommitPrepared,
  kRollbackPrepared,
  kDiscardAll,
  kCreateLogicalSlot,
  kContinuousAggregateWithData,
  kRefreshContinuousAggregate,
  kIndexTransactionPerChunk,
  kUpdateTimescaledb,
  kDistributeTableConcurrently,
};

/// What is known of one such kind of statement.
struct NonTransactionalRule {
  NonTransactional rule;
  std::string_view name;  ///< `CREATE INDEX CONCURRENTLY`: how a person names the statement.
  std::string_view why;   ///< Half a sentence: why it cannot run in a transaction block.
  /// Running it again after it was interrupted, or done, does no harm.
  bool harmless_to_repeat = false;
  bool needs_fresh_session = false;  ///< Must be the first statement of its session.
  /// Waits until every transaction that is older has ended: nobody who waits for it may hold one
  /// open.
  bool waits_for_transactions = false;
};

[[nodiscard]] const NonTransactionalRule& Describe(NonTransactional rule);
/// All of them, in the order of the enum.
[[nodiscard]] std::span<const NonTransactionalRule> NonTransactionalRules();

enum class SettingScope {
  kSession,
  kTransaction,  ///< Ends with the transaction: SET LOCAL, SET TRANSACTION, set_config(…, true).
};

/// A change of a run-time setting, all of it literal.
struct SettingChange {
  /// In lower case, as in pg_settings: `search_path`, `timezone` for SET TIME ZONE,
  /// `client_encoding` for SET NAMES; besides `role`, `session_authorization`, `transaction` (SET
  /// TRANSACTION), `session_characteristics`, and `all` (RESET ALL).
  std::string name;
  /// The value of a single literal or word (in lower case); a list, modes and literals with escapes
  /// as written. nullopt: back to the default (RESET, TO DEFAULT). `FROM CURRENT` as written.
  std::optional<std::string> value;
  SettingScope scope = SettingScope::kSession;

  friend bool operator==(const SettingChange&, const SettingChange&) = default;
};

/// What a statement leaves in its session, other than settings, for later statements to use.
enum class SessionState { kNone, kTemporaryObject, kPreparedStatement, kHeldCursor, kListen };

/// Statements that would take away the runner's own locks.
enum class SessionHazard { kNone, kReleasesAdvisoryLocks };

struct StatementFacts {
  TransactionControl transaction;
  std::optional<NonTransactional> non_transactional;
  /// REINDEX TABLE, REINDEX INDEX, CLUSTER of one relation: non-transactional when it is
  /// partitioned, which only the catalog knows.
  bool non_transactional_if_partitioned = false;
  /// Can change standard_conforming_strings or client_encoding, so that what follows may be lexed
  /// otherwise: SET and RESET of them, RESET ALL, DISCARD ALL, set_config( unless it names others,
  /// the end of a transaction or of a part of it (SET is undone with it), and DO, CALL and EXECUTE,
  /// into which one cannot see. A function that SELECT calls can do it too: compare what the server
  /// reports before COMMIT.
  bool may_change_lexing = false;
  /// In order. Of set_config only `SELECT set_config('name', 'value', false)`, all of it literal.
  std::vector<SettingChange> settings;
  bool copy_from_stdin = false;
  bool copy_to_stdout = false;
  /// Makes this transaction, or those to come, READ ONLY.
  bool sets_read_only = false;
  /// VACUUM, ANALYZE, CLUSTER without a table; REINDEX SCHEMA, DATABASE, SYSTEM: touches every
  /// table.
  bool touches_all_tables = false;
  SessionState session_state = SessionState::kNone;
  SessionHazard hazard = SessionHazard::kNone;
};

/// `statement` as StatementSplitter gives it. Linear time; memory does not grow with the statement.
[[nodiscard]] StatementFacts Classify(std::string_view statement,
                                      bool standard_conforming_strings = true);

/// A setting's boolean value as PostgreSQL reads it (`on`, `tru`, `0`, …); nullopt when it is none.
[[nodiscard]] std::optional<bool> ParseBoolean(std::string_view value);

/// What standard_conforming_strings is after a statement that changes it with a literal SET or
/// RESET; `now` after others. Whether that is so only the server can tell: a SET may be undone by
/// ROLLBACK.
[[nodiscard]] bool StandardConformingStringsAfter(const StatementFacts& facts, bool now,
                                                  bool session_default);

}  // namespace whimbrel::sql
