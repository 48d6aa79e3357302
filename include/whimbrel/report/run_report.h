#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <nlohmann/json_fwd.hpp>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "whimbrel/base/clock.h"
#include "whimbrel/base/error.h"
#include "whimbrel/base/source_position.h"
#include "whimbrel/report/reason.h"

namespace whimbrel::report {

/// What went wrong, for people and for status.failure. Never DETAIL, row data or a DSN.
struct Failure {
  Reason reason = Reason::kInternalError;
  std::string version;      ///< Label of the migration; empty when none was under way.
  SourcePosition position;  ///< In the user's file; line 0 when unknown.
  std::string sql_state;    ///< Empty when it is not PostgreSQL's error.
  std::string message;      ///< One sentence, redacted, at most 1 KiB.
  std::string hint;         ///< What to do; may be empty.

  friend bool operator==(const Failure&, const Failure&) = default;
};

struct AppliedMigration {
  std::string version;  ///< Display text of the version; the description for repeatables.
  std::string kind;     ///< "V", "R", "B".
  std::string description;
  std::string checksum;
  SystemTime applied_at{};  ///< By the server's clock; JSON keeps microseconds.
  std::chrono::milliseconds duration{0};
  bool this_run = false;  ///< Applied by this very run.

  friend bool operator==(const AppliedMigration&, const AppliedMigration&) = default;
};

struct PendingMigration {
  std::string version;
  std::string description;
  std::string path;

  friend bool operator==(const PendingMigration&, const PendingMigration&) = default;
};

/// A fact that happened once and becomes an event (design §5): an imported history, a withdrawn
/// row, versions from the future.
struct Notice {
  enum class Kind {
    kImported,
    kWithdrawn,
    kFuture,
    kBaselined,
    kRetried,
    kLockWait,
    kFrozenRunEnded,
    kDatabaseChanged
  };
  Kind kind = Kind::kImported;
  std::string message;

  friend bool operator==(const Notice&, const Notice&) = default;
};
/// `LockWait`.
[[nodiscard]] std::string_view ToString(Notice::Kind kind);
[[nodiscard]] std::optional<Notice::Kind> ParseNoticeKind(std::string_view text);

/// How one attempt ended.
struct RunReport {
  static constexpr int kSchemaVersion = 1;
  static constexpr std::size_t kMaxListed = 20;  ///< Entries of `applied` and of `pending`.

  bool succeeded = false;
  /// Ended although trying again may help (`Reconciling/Retrying` and its like); false with
  /// !succeeded: Stalled.
  bool transient = false;
  /// A transient end that does not count against execution.retry.limit: waiting for PostgreSQL or
  /// for a lock.
  bool uncounted = false;
  std::optional<Failure> failure;

  std::string current_version;  ///< Highest applied version; empty when none.
  std::string target_version;
  int applied_count = 0;  ///< All that the history holds of this set.
  int applied_this_run = 0;
  std::vector<AppliedMigration> applied;  ///< The newest, newest first; at most kMaxListed.
  int pending_count = 0;
  std::vector<PendingMigration> pending;  ///< The next, at most kMaxListed.

  std::string format;
  std::string format_reason;
  std::string source_digest;
  int source_files = 0;

  std::chrono::milliseconds lock_wait{0};  ///< How long it waited for the migration lock.

  std::string set;             ///< Of the ledger, as it was resolved.
  std::string server_version;  ///< "15.18".
  std::string database;
  std::string system_identifier;
  std::vector<Notice> notices;

  friend bool operator==(const RunReport&, const RunReport&) = default;
};

/// The termination message and `-o json` (design §2, hinge): one versioned schema. Whoever turns it
/// into text replaces what is not UTF-8 (json::error_handler_t::replace), since messages come from
/// elsewhere.
[[nodiscard]] nlohmann::json ToJson(const RunReport& report);
/// The other side may be of another version of whimbrel (an upgrade in the middle of a run). Only
/// what a report means nothing without is required: schemaVersion, succeeded, transient; of a
/// failure its reason and message, of an applied or pending migration its version, of a notice its
/// kind and message. Whatever else is missing is empty, so that a field may be added at any time;
/// unknown fields, and notices of an unknown kind, are ignored. schemaVersion grows only where that
/// does not do. kInvalidArgument, which names the field: another schema version, a required field
/// that is missing, one of the wrong type or with an unknown value.
[[nodiscard]] Result<RunReport> RunReportFromJson(const nlohmann::json& json);

}  // namespace whimbrel::report
