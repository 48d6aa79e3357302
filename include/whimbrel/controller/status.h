#pragma once

#include <cstdint>
#include <nlohmann/json_fwd.hpp>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "whimbrel/base/clock.h"

namespace whimbrel::controller {

enum class Truth { kTrue, kFalse, kUnknown };

/// One of `Ready`, `Reconciling`, `Stalled` (metav1.Condition, kstatus' rules).
struct Condition {
  std::string type;
  Truth status = Truth::kUnknown;
  std::string reason;   ///< Of report::Reason.
  std::string message;  ///< At most 4 KiB; nothing volatile.
  std::int64_t observed_generation = 0;
  SystemTime last_transition_time{};  ///< When `status` flipped last; whole seconds.

  friend bool operator==(const Condition&, const Condition&) = default;
};

/// An object that files came from, and which state of it was read.
struct ResolvedObject {
  std::string kind;
  std::string name;
  std::string uid;
  std::string resource_version;

  friend bool operator==(const ResolvedObject&, const ResolvedObject&) = default;
};

/// What the last run read.
struct SourceStatus {
  std::string digest;
  std::string format;
  std::string format_reason;
  int files = 0;
  std::vector<ResolvedObject> resolved;  ///< By name.

  friend bool operator==(const SourceStatus&, const SourceStatus&) = default;
};

struct AppliedStatus {
  std::string version;
  std::string kind;  ///< "V", "R", "B".
  std::string description;
  std::string checksum;
  SystemTime applied_time{};  ///< Whole seconds.
  std::int64_t duration_milliseconds = 0;

  friend bool operator==(const AppliedStatus&, const AppliedStatus&) = default;
};

struct PendingStatus {
  std::string version;
  std::string description;
  std::string file;

  friend bool operator==(const PendingStatus&, const PendingStatus&) = default;
};

/// The newest attempt: the one that goes on, or the last one that ended.
struct RunState {
  std::string id;
  int attempt = 0;              ///< 1 for the first of these inputs.
  int retries = 0;              ///< Attempts that count against spec.execution.retry.limit.
  std::int64_t generation = 0;  ///< Of the spec that it works on.
  std::string source_digest;    ///< Of the files that it works on.
  std::optional<SystemTime> start_time;
  std::optional<SystemTime> completion_time;  ///< Absent: it goes on, or its end was never seen.
  std::optional<SystemTime> next_retry_time;  ///< When the next attempt is due; absent: none is.
  std::string phase;                          ///< What it does, or how it ended.
  std::string detail;                         ///< More about that.
  std::string current_version;                ///< Being applied, when that was written.
  std::string file;                           ///< Its file.
  std::int64_t statement = 0;                 ///< 1-based, within its file; 0: unknown.
  std::int64_t statements = 0;                ///< Of the file; 0: unknown.
  std::int64_t line = 0;                      ///< Where the statement begins; 0: unknown.
  std::int64_t copied_bytes = 0;              ///< Sent by the statement, a COPY.
  std::string activity;                       ///< What the server does for it.
  int done = 0;                               ///< Migrations applied by this run so far.
  int total = 0;                              ///< Migrations that it wants to apply.
  std::string job_name;  ///< Of its Job, in the resource's namespace; empty: it is in process.
  std::string pod_name;  ///< Of the Job's pod, once there is one.

  [[nodiscard]] bool ended() const { return id.empty() || completion_time.has_value(); }
  friend bool operator==(const RunState&, const RunState&) = default;
};

/// What went wrong last, in PostgreSQL's or our words; stays while attempts are repeated.
struct FailureStatus {
  std::string version;
  std::string file;
  std::int64_t line = 0;
  std::int64_t column = 0;
  std::string sql_state;
  std::string message;
  std::string hint;
  /// Since when it goes wrong for the same reason: what limits of patience are measured from.
  SystemTime first_seen{};

  friend bool operator==(const FailureStatus&, const FailureStatus&) = default;
};

struct DatabaseStatus {
  std::string server_version;
  std::string name;
  std::string system_identifier;

  friend bool operator==(const DatabaseStatus&, const DatabaseStatus&) = default;
};

/// status of a DatabaseMigration, whole (reference/ecosystem.md §3.3). The database is the truth,
/// and this a cache that one checking run rebuilds.
struct Status {
  std::int64_t observed_generation = -1;
  std::vector<Condition> conditions;
  std::string current_version;
  std::string target_version;
  std::optional<int> applied_count;
  std::optional<int> pending_count;
  std::optional<SourceStatus> source;
  std::vector<AppliedStatus> applied;  ///< The newest, newest first; at most 20.
  std::vector<PendingStatus> pending;  ///< The next; at most 20.
  std::optional<RunState> run;
  std::optional<FailureStatus> failure;
  std::optional<DatabaseStatus> database;
  std::string history_set;  ///< As the ledger calls it; empty: not known yet.
  std::optional<SystemTime> last_success_time;
  std::string retry_requested_at;   ///< The annotation's value that was obeyed last.
  std::string cancel_requested_at;  ///< The same.

  [[nodiscard]] const Condition* Find(std::string_view type) const;
  [[nodiscard]] bool IsTrue(std::string_view type) const;
  friend bool operator==(const Status&, const Status&) = default;
};

/// What stands in the object; whatever has an unknown shape is left out, never an error: the next
/// write puts it right.
[[nodiscard]] Status StatusFromJson(const nlohmann::json& status);
/// The complete intention for server-side apply. Absent and empty fields are left out, so that the
/// server removes them.
[[nodiscard]] nlohmann::json ToJson(const Status& status);

}  // namespace whimbrel::controller
