#include "whimbrel/postgres/sqlstate.h"

#include <algorithm>
#include <array>

namespace whimbrel::postgres {
namespace {

constexpr SqlStateRule Transient(std::string_view pattern, std::string_view name, int max_retries,
                                 int initial_ms, int max_ms, std::string_view advice = "") {
  return {pattern, name, Verdict::kTransient, max_retries, initial_ms, max_ms, false, advice};
}

/// As Transient, in a new session.
constexpr SqlStateRule Reconnect(std::string_view pattern, std::string_view name, int max_retries,
                                 int initial_ms, int max_ms, std::string_view advice = "") {
  return {pattern, name, Verdict::kTransient, max_retries, initial_ms, max_ms, true, advice};
}

constexpr SqlStateRule Permanent(std::string_view pattern, std::string_view name,
                                 std::string_view advice = "") {
  return {pattern, name, Verdict::kPermanent, 0, 0, 0, false, advice};
}

constexpr SqlStateRule Ambiguous(std::string_view pattern, std::string_view name,
                                 std::string_view advice = "") {
  return {pattern, name, Verdict::kAmbiguous, 5, 200, 5000, true, advice};
}

// Advice that several rows share.
constexpr std::string_view kWrongMode =
    "The statement cannot run inside a transaction block, where Whimbrel runs a file.";
constexpr std::string_view kDamaged =
    "The server's files or settings are damaged: an administrator must look at its log.";
constexpr std::string_view kLimitSettings =
    "Raise the server's limit that the message names, or split the file.";

/// Sorted by pattern; a class stands before its codes.
constexpr auto kRules = std::to_array<SqlStateRule>({
    Reconnect("08", "connection_exception", 5, 200, 5000),
    Ambiguous("08007", "transaction_resolution_unknown"),
    Permanent("08P01", "protocol_violation",
              "Something between Whimbrel and PostgreSQL changes or cuts the protocol."),
    Permanent("0A", "feature_not_supported"),
    Permanent("21", "cardinality_violation"),
    Permanent("22", "data_exception"),
    Permanent("23", "integrity_constraint_violation"),
    Permanent("25", "invalid_transaction_state"),
    Permanent("25001", "active_sql_transaction", kWrongMode),
    Reconnect("25006", "read_only_sql_transaction", 0, 0, 0,
              "Transient on a standby (a failover is under way); a primary that is read-only was "
              "made so by somebody."),
    Permanent("25P02", "in_failed_sql_transaction"),
    Reconnect("25P03", "idle_in_transaction_session_timeout", 3, 200, 5000),
    Permanent("25P04", "transaction_timeout",
              "The server's transaction_timeout is shorter than the file needs."),
    Permanent("28", "invalid_authorization_specification",
              "Check the user, the password and the server's pg_hba.conf."),
    Permanent("28000", "invalid_authorization_specification",
              "The server does not let this user in: check the user and pg_hba.conf."),
    Permanent("28P01", "invalid_password", "Check the user and the password in the Secret."),
    Permanent("2B", "dependent_privilege_descriptors_still_exist"),
    Permanent("2D000", "invalid_transaction_termination", kWrongMode),
    Permanent("2F", "sql_routine_exception"),
    Permanent("38", "external_routine_exception"),
    Permanent("39", "external_routine_invocation_exception"),
    Permanent("3D000", "invalid_catalog_name", "The database does not exist (yet)."),
    Permanent("3F", "invalid_schema_name"),
    Transient("40001", "serialization_failure", 5, 50, 500),
    Ambiguous("40003", "statement_completion_unknown"),
    Transient("40P01", "deadlock_detected", 5, 50, 500),
    Permanent("42", "syntax_error_or_access_rule_violation"),
    Permanent("44", "with_check_option_violation"),
    Transient("53", "insufficient_resources", 1, 1000, 1000),
    Transient("53100", "disk_full", 5, 30000, 300000, "The server's disk is full."),
    Transient("53200", "out_of_memory", 1, 1000, 1000, kLimitSettings),
    Reconnect("53300", "too_many_connections", 5, 1000, 60000),
    Transient("53400", "configuration_limit_exceeded", 1, 1000, 1000, kLimitSettings),
    Permanent("54", "program_limit_exceeded"),
    Permanent("55000", "object_not_in_prerequisite_state"),
    Transient("55006", "object_in_use", 10, 200, 5000),
    Permanent("55P02", "cant_change_runtime_param"),
    Transient("55P03", "lock_not_available", kUntilLockBudgetEnds, 500, 10000),
    Permanent("55P04", "unsafe_new_enum_value_usage",
              "A new enum value can be used only after its transaction: put the use into a later "
              "file."),
    Permanent("57", "operator_intervention"),
    Transient("57014", "query_canceled", 1, 1000, 1000),
    Reconnect("57P01", "admin_shutdown", 5, 200, 5000),
    Reconnect("57P02", "crash_shutdown", 5, 200, 5000),
    Reconnect("57P03", "cannot_connect_now", 5, 200, 5000),
    Permanent("57P04", "database_dropped", kDamaged),
    Reconnect("57P05", "idle_session_timeout", 3, 200, 5000),
    Transient("58000", "system_error", 3, 1000, 10000),
    Transient("58030", "io_error", 3, 1000, 10000),
    Permanent("58P01", "undefined_file", kDamaged),
    Permanent("58P02", "duplicate_file", kDamaged),
    Permanent("F0", "config_file_error", kDamaged),
    Permanent("P0", "plpgsql_error"),
    Permanent("XX", "internal_error"),
    Permanent("XX001", "data_corrupted", kDamaged),
    Permanent("XX002", "index_corrupted", kDamaged),
});
static_assert(std::ranges::is_sorted(kRules, {}, &SqlStateRule::pattern));

/// The connection itself failed, and the server did not say why.
constexpr SqlStateRule kConnectionLost = Reconnect("", "connection_lost", 5, 200, 5000);
/// Class 08 as an ERROR on a session that lives: another node's failure, with a known outcome.
constexpr SqlStateRule kOtherNodeLost =
    Transient("08", "connection_exception", 5, 500, 10000,
              "Another node of the cluster could not be reached from this server.");
constexpr SqlStateRule kUnknownCode = Permanent("", "unknown");

const SqlStateRule* Find(std::string_view pattern) {
  const auto* found = std::ranges::lower_bound(kRules, pattern, {}, &SqlStateRule::pattern);
  return found != kRules.end() && found->pattern == pattern ? found : nullptr;
}

}  // namespace

std::span<const SqlStateRule> SqlStateRules() { return kRules; }

const SqlStateRule& FindRule(const PgError& error) {
  const std::string_view code = error.sql_state;
  if (code.empty()) return error.connection_usable ? kUnknownCode : kConnectionLost;
  if (const SqlStateRule* rule = Find(code)) return *rule;
  if (code.starts_with("08") && error.connection_usable) return kOtherNodeLost;
  const SqlStateRule* of_class = Find(code.substr(0, 2));
  return of_class != nullptr ? *of_class : kUnknownCode;
}

Verdict Judge(const PgError& error) {
  return error.outcome_unknown ? Verdict::kAmbiguous : FindRule(error).verdict;
}

}  // namespace whimbrel::postgres
