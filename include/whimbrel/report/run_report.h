#pragma once

#include <chrono>
#include <cstdint>
#include <nlohmann/json_fwd.hpp>
#include <optional>
#include <string>
#include <vector>

#include "whimbrel/base/clock.h"
#include "whimbrel/base/error.h"
#include "whimbrel/base/source_position.h"
#include "whimbrel/report/reason.h"

namespace whimbrel::report {

/// What went wrong, for people and for status.failure. Never DETAIL, row data or a DSN.
struct Failure {
  Reason reason = Reason::kInternalError;
  std::string version;       ///< Label of the migration; empty when none was under way.
  SourcePosition position;   ///< In the user's file; line 0 when unknown.
  std::string sql_state;     ///< Empty when it is not PostgreSQL's error.
  std::string message;       ///< One sentence, redacted, at most 1 KiB.
  std::string hint;          ///< What to do; may be empty.

  friend bool operator==(const Failure&, const Failure&) = default;
};

struct AppliedMigration {
  std::string version;      ///< Display text of the version; the description for repeatables.
  std::string kind;         ///< "V", "R", "B".
  std::string description;
  std::string checksum;
  SystemTime applied_at{};
  std::chrono::milliseconds duration{0};
  bool this_run = false;    ///< Applied by this very run.
};

struct PendingMigration {
  std::string version;
  std::string description;
  std::string path;
};

/// A fact that happened once and becomes an event (design §5): an imported history, a withdrawn row, versions from the future.
struct Notice {
  enum class Kind { kImported, kWithdrawn, kFuture, kBaselined, kRetried, kLockWait, kDatabaseChanged };
  Kind kind;
  std::string message;
};
[[nodiscard]] std::string_view ToString(Notice::Kind kind);

/// How one attempt ended.
struct RunReport {
  static constexpr int kSchemaVersion = 1;

  bool succeeded = false;
  /// Ended although trying again may help (`Reconciling/Retrying` and its like); false with !succeeded: Stalled.
  bool transient = false;
  /// A transient end that does not count against execution.retry.limit: waiting for PostgreSQL or for a lock.
  bool uncounted = false;
  std::optional<Failure> failure;

  std::string current_version;  ///< Highest applied version; empty when none.
  std::string target_version;
  int applied_count = 0;        ///< All that the history holds of this set.
  int applied_this_run = 0;
  std::vector<AppliedMigration> applied;  ///< The newest, newest first; at most kMaxListed.
  int pending_count = 0;
  std::vector<PendingMigration> pending;  ///< The next, at most kMaxListed.
  static constexpr std::size_t kMaxListed = 20;

  std::string format;
  std::string format_reason;
  std::string source_digest;
  int source_files = 0;

  std::string set;               ///< Of the ledger, as it was resolved.
  std::string server_version;    ///< "15.18".
  std::string database;
  std::string system_identifier;
  std::vector<Notice> notices;
};

/// The termination message and `-o json` (design §2, hinge): one versioned schema. Parsing an unknown version is an error.
[[nodiscard]] nlohmann::json ToJson(const RunReport& report);
[[nodiscard]] Result<RunReport> RunReportFromJson(const nlohmann::json& json);

}  // namespace whimbrel::report
