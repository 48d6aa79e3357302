#include "controller/run_facts.h"

#include <algorithm>
#include <utility>

#include "controller/status_limits.h"
#include "whimbrel/base/redact.h"
#include "whimbrel/migration/version.h"

namespace whimbrel::controller {
namespace {

using kube::EventType;
using migration::Version;
using report::Notice;
using report::RunReport;

/// A run that failed before it had a plan knows nothing about the history.
bool KnowsHistory(const RunReport& report) {
  return report.succeeded || !report.target_version.empty() || report.applied_count > 0;
}

bool HasNotice(const RunReport& report, Notice::Kind kind) {
  return std::ranges::find(report.notices, kind, &Notice::kind) != report.notices.end();
}

bool IsSameDatabase(const Status& status, const RunReport& report) {
  return status.database && status.database->system_identifier == report.system_identifier &&
         status.database->name == report.database && status.history_set == report.set;
}

bool IsLower(const std::string& now, const std::string& before) {
  const Result<Version> old_version = Version::Parse(before);
  if (!old_version || old_version->empty()) return false;
  const Result<Version> version = Version::Parse(now);
  return !version || *version < *old_version;
}

AppliedStatus ToStatus(const report::AppliedMigration& applied) {
  return {.version = TruncateUtf8(applied.version, kMaxVersionBytes),
          .kind = applied.kind,
          .description = TruncateUtf8(applied.description, kMaxDescriptionBytes),
          .checksum = TruncateUtf8(applied.checksum, kMaxChecksumBytes),
          .applied_time = std::chrono::floor<std::chrono::seconds>(applied.applied_at),
          .duration_milliseconds = applied.duration.count()};
}

PendingStatus ToStatus(const report::PendingMigration& pending) {
  return {.version = TruncateUtf8(pending.version, kMaxVersionBytes),
          .description = TruncateUtf8(pending.description, kMaxDescriptionBytes),
          .file = TruncateUtf8(pending.path, kMaxFileBytes)};
}

template <class To, class From>
std::vector<To> Newest(const std::vector<From>& list) {
  std::vector<To> out;
  for (const From& element : list) {
    if (out.size() == kMaxListed) break;
    out.push_back(ToStatus(element));
  }
  return out;
}

void TellApplied(const RunReport& report, std::vector<EventNote>& events) {
  int told = 0;
  for (auto it = report.applied.rbegin(); it != report.applied.rend(); ++it) {
    if (!it->this_run) continue;
    ++told;
    events.push_back({EventType::kNormal, "MigrationApplied",
                      "applied " + it->version + " " + it->description + " in " +
                          std::to_string(it->duration.count()) + " ms"});
  }
  if (told < report.applied_this_run) {
    events.push_back({EventType::kNormal, "MigrationApplied",
                      std::to_string(report.applied_this_run - told) +
                          " migrations more were applied before these"});
  }
}

std::pair<EventType, std::string_view> EventOf(Notice::Kind kind) {
  switch (kind) {
    case Notice::Kind::kImported:
      return {EventType::kNormal, "HistoryAdopted"};
    case Notice::Kind::kWithdrawn:
      return {EventType::kWarning, "MigrationWithdrawn"};
    case Notice::Kind::kFuture:
      return {EventType::kWarning, "FutureVersions"};
    case Notice::Kind::kBaselined:
      return {EventType::kNormal, "HistoryBaselined"};
    case Notice::Kind::kRetried:
      return {EventType::kNormal, "StatementRetried"};
    case Notice::Kind::kLockWait:
      return {EventType::kWarning, "LockTimeout"};
    case Notice::Kind::kFrozenRunEnded:
      return {EventType::kWarning, "FrozenRunEnded"};
    case Notice::Kind::kDatabaseChanged:
      return {EventType::kWarning, "DatabaseChanged"};
  }
  return {EventType::kNormal, "Notice"};
}

void TellNotices(const RunReport& report, std::vector<EventNote>& events) {
  for (const Notice& notice : report.notices) {
    const auto [type, reason] = EventOf(notice.kind);
    events.push_back({type, std::string(reason), notice.message});
  }
}

void TellChangedDatabase(const Status& status, const RunReport& report,
                         std::vector<EventNote>& events) {
  if (!status.database || status.database->system_identifier.empty() ||
      report.system_identifier.empty() ||
      status.database->system_identifier == report.system_identifier) {
    return;
  }
  events.push_back({EventType::kWarning, "DatabaseChanged",
                    "this is another PostgreSQL cluster than before: system identifier " +
                        report.system_identifier + " instead of " +
                        status.database->system_identifier});
}

/// Versions that status had and that were pending all the same: a restored backup. They are applied
/// again, which is right; but somebody should know.
void TellAppliedAgain(const Status& status, const RunReport& report,
                      std::vector<EventNote>& events) {
  std::string again;
  for (const report::AppliedMigration& applied : report.applied) {
    if (!applied.this_run || applied.kind != "V") continue;
    const auto same = [&](const AppliedStatus& old) {
      return old.kind == applied.kind && old.version == applied.version;
    };
    if (std::ranges::any_of(status.applied, same)) {
      again = applied.version + (again.empty() ? "" : ", " + again);
    }
  }
  if (again.empty()) return;
  events.push_back({EventType::kWarning, "HistoryRegressed",
                    "applied again: " + again +
                        "; the history had them before and did not have them any more (was a "
                        "backup restored?)"});
}

HistoryNews CompareHistory(const Status& status, const RunReport& report,
                           std::vector<EventNote>& events) {
  if (!IsSameDatabase(status, report) || HasNotice(report, Notice::Kind::kWithdrawn)) return {};
  TellAppliedAgain(status, report, events);
  return {.regressed = IsLower(report.current_version, status.current_version),
          .before = status.current_version};
}

}  // namespace

HistoryNews AbsorbFacts(Status& status, const RunReport& report,
                        const std::vector<ResolvedObject>& resolved,
                        std::vector<EventNote>& events) {
  HistoryNews news;
  TellNotices(report, events);
  TellChangedDatabase(status, report, events);
  TellApplied(report, events);
  if (KnowsHistory(report)) {
    news = CompareHistory(status, report, events);
    status.current_version = TruncateUtf8(report.current_version, kMaxVersionBytes);
    status.target_version = TruncateUtf8(report.target_version, kMaxVersionBytes);
    status.applied_count = report.applied_count;
    status.pending_count = report.pending_count;
    status.applied = Newest<AppliedStatus>(report.applied);
    status.pending = Newest<PendingStatus>(report.pending);
    status.history_set = TruncateUtf8(report.set, kMaxSetBytes);
  }
  if (!report.source_digest.empty()) {
    status.source = SourceStatus{.digest = report.source_digest,
                                 .format = report.format,
                                 .format_reason = TruncateUtf8(report.format_reason, kMaxFileBytes),
                                 .files = report.source_files,
                                 .resolved = resolved};
  }
  if (!report.server_version.empty()) {
    status.database = DatabaseStatus{
        .server_version = TruncateUtf8(report.server_version, kMaxServerVersionBytes),
        .name = TruncateUtf8(report.database, kMaxDatabaseNameBytes),
        .system_identifier = report.system_identifier};
  }
  return news;
}

}  // namespace whimbrel::controller
