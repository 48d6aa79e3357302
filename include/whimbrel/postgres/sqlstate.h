#pragma once

#include <span>
#include <string_view>

#include "whimbrel/postgres/error.h"

namespace whimbrel::postgres {

/// A `max_retries` that counts nothing: the lock budget of the run ends it (design §3, Errors).
inline constexpr int kUntilLockBudgetEnds = -1;

/// One row of table (c). `pattern` is a whole SQLSTATE or a class of two characters; a whole code
/// wins over its class. To add a rule, add a row in sqlstate.cc and its line in
/// tests/unit/postgres/sqlstate_test.cc.
struct SqlStateRule {
  std::string_view pattern;
  std::string_view name;  ///< PostgreSQL's condition name (errcodes.txt).
  Verdict verdict;
  int max_retries;  ///< Within one attempt, for transient rules; 0: leave it to the next attempt.
  int initial_ms;   ///< Ceiling of the first full-jitter wait.
  int max_ms;       ///< Ceiling of every later wait.
  bool reconnect;   ///< The session must be replaced before the retry.
  std::string_view
      advice;  ///< A sentence for a person; empty when the server's message says it all.
};

/// The table: whole codes and classes, sorted by pattern.
[[nodiscard]] std::span<const SqlStateRule> SqlStateRules();

/// The rule for an error. Decides by SQLSTATE, and, for class 08, by the state of the connection:
/// an ERROR of class 08 on a live session is another node's failure with a known outcome (Citus;
/// reference/timescale-citus.md). A lost connection without an SQLSTATE has a rule of its own, with
/// an empty pattern; a code that no row names is permanent.
[[nodiscard]] const SqlStateRule& FindRule(const PgError& error);
/// The rule's verdict; kAmbiguous whenever the outcome is unknown.
[[nodiscard]] Verdict Judge(const PgError& error);

inline constexpr std::string_view kUniqueViolation = "23505";
inline constexpr std::string_view kLockNotAvailable = "55P03";
inline constexpr std::string_view kInsufficientPrivilege = "42501";
inline constexpr std::string_view kUndefinedTable = "42P01";
inline constexpr std::string_view kDuplicateTable = "42P07";
inline constexpr std::string_view kQueryCanceled = "57014";
inline constexpr std::string_view kActiveSqlTransaction = "25001";
inline constexpr std::string_view kInvalidTransactionTermination = "2D000";
inline constexpr std::string_view kUnsafeNewEnumValue = "55P04";
inline constexpr std::string_view kReadOnlyTransaction = "25006";
inline constexpr std::string_view kInvalidPassword = "28P01";
inline constexpr std::string_view kInvalidAuthorization = "28000";
inline constexpr std::string_view kInvalidCatalogName = "3D000";
/// Our own report of a file that ended the transaction around it (invalid_transaction_state).
inline constexpr std::string_view kTransactionEscaped = "25000";

}  // namespace whimbrel::postgres
