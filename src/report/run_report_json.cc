#include <nlohmann/json.hpp>
#include <utility>

#include "report/json_values.h"
#include "whimbrel/report/run_report.h"

namespace whimbrel::report {
namespace {

using nlohmann::json;

tl::unexpected<Error> Unreadable(const std::string& why) {
  return Fail(ErrorKind::kInvalidArgument, "the run report cannot be read: " + why);
}

json ToJson(const SourcePosition& position) {
  return {{"file", position.file},
          {"line", position.line},
          {"column", position.column},
          {"offset", position.offset}};
}

SourcePosition PositionFromJson(const json& value) {
  return {.file = value.at("file").get<std::string>(),
          .line = Integer<std::uint32_t>(value.at("line")),
          .column = Integer<std::uint32_t>(value.at("column")),
          .offset = Integer<std::uint64_t>(value.at("offset"))};
}

json ToJson(const Failure& failure) {
  return {{"reason", ToString(failure.reason)},   {"version", failure.version},
          {"position", ToJson(failure.position)}, {"sqlState", failure.sql_state},
          {"message", failure.message},           {"hint", failure.hint}};
}

Result<Failure> FailureFromJson(const json& value) {
  const auto name = value.at("reason").get<std::string>();
  const std::optional<Reason> reason = ParseReason(name);
  if (!reason) return Unreadable("unknown reason `" + name + "`");
  return Failure{.reason = *reason,
                 .version = value.at("version").get<std::string>(),
                 .position = PositionFromJson(value.at("position")),
                 .sql_state = value.at("sqlState").get<std::string>(),
                 .message = value.at("message").get<std::string>(),
                 .hint = value.at("hint").get<std::string>()};
}

json ToJson(const AppliedMigration& applied) {
  return {{"version", applied.version},
          {"kind", applied.kind},
          {"description", applied.description},
          {"checksum", applied.checksum},
          {"appliedAt", FormatRfc3339Micro(applied.applied_at)},
          {"durationMs", applied.duration.count()},
          {"thisRun", applied.this_run}};
}

Result<AppliedMigration> AppliedFromJson(const json& value) {
  const Result<SystemTime> applied_at = ParseRfc3339(value.at("appliedAt").get<std::string>());
  if (!applied_at) return Unreadable(applied_at.error().ToString());
  return AppliedMigration{
      .version = value.at("version").get<std::string>(),
      .kind = value.at("kind").get<std::string>(),
      .description = value.at("description").get<std::string>(),
      .checksum = value.at("checksum").get<std::string>(),
      .applied_at = std::chrono::floor<std::chrono::microseconds>(*applied_at),
      .duration = std::chrono::milliseconds(Integer<std::int64_t>(value.at("durationMs"))),
      .this_run = value.at("thisRun").get<bool>()};
}

json ToJson(const PendingMigration& pending) {
  return {
      {"version", pending.version}, {"description", pending.description}, {"path", pending.path}};
}

Result<PendingMigration> PendingFromJson(const json& value) {
  return PendingMigration{.version = value.at("version").get<std::string>(),
                          .description = value.at("description").get<std::string>(),
                          .path = value.at("path").get<std::string>()};
}

json ToJson(const Notice& notice) {
  return {{"kind", ToString(notice.kind)}, {"message", notice.message}};
}

Result<Notice> NoticeFromJson(const json& value) {
  const auto name = value.at("kind").get<std::string>();
  const std::optional<Notice::Kind> kind = ParseNoticeKind(name);
  if (!kind) return Unreadable("unknown kind of notice `" + name + "`");
  return Notice{.kind = *kind, .message = value.at("message").get<std::string>()};
}

void ReadScalars(const json& value, RunReport& report) {
  value.at("succeeded").get_to(report.succeeded);
  value.at("transient").get_to(report.transient);
  value.at("uncounted").get_to(report.uncounted);
  value.at("currentVersion").get_to(report.current_version);
  value.at("targetVersion").get_to(report.target_version);
  report.applied_count = Integer<int>(value.at("appliedCount"));
  report.applied_this_run = Integer<int>(value.at("appliedThisRun"));
  report.pending_count = Integer<int>(value.at("pendingCount"));
  value.at("format").get_to(report.format);
  value.at("formatReason").get_to(report.format_reason);
  value.at("sourceDigest").get_to(report.source_digest);
  report.source_files = Integer<int>(value.at("sourceFiles"));
  report.lock_wait = std::chrono::milliseconds(Integer<std::int64_t>(value.at("lockWaitMs")));
  value.at("set").get_to(report.set);
  value.at("serverVersion").get_to(report.server_version);
  value.at("database").get_to(report.database);
  value.at("systemIdentifier").get_to(report.system_identifier);
}

Result<RunReport> Read(const json& value) {
  const int version = Integer<int>(value.at("schemaVersion"));
  if (version != RunReport::kSchemaVersion) {
    return Unreadable("it has schemaVersion " + std::to_string(version) + ", this program knows " +
                      std::to_string(RunReport::kSchemaVersion) +
                      "; use one version of whimbrel on both sides");
  }
  RunReport report;
  ReadScalars(value, report);
  if (value.contains("failure")) {
    Result<Failure> failure = FailureFromJson(value.at("failure"));
    if (!failure) return tl::make_unexpected(std::move(failure).error());
    report.failure = *std::move(failure);
  }
  Result<void> read = ReadList(value.at("applied"), AppliedFromJson, report.applied);
  if (read) read = ReadList(value.at("pending"), PendingFromJson, report.pending);
  if (read) read = ReadList(value.at("notices"), NoticeFromJson, report.notices);
  if (!read) return tl::make_unexpected(std::move(read).error());
  return report;
}

}  // namespace

json ToJson(const RunReport& report) {
  json value = {{"schemaVersion", RunReport::kSchemaVersion},
                {"succeeded", report.succeeded},
                {"transient", report.transient},
                {"uncounted", report.uncounted},
                {"currentVersion", report.current_version},
                {"targetVersion", report.target_version},
                {"appliedCount", report.applied_count},
                {"appliedThisRun", report.applied_this_run},
                {"applied", ListToJson(report.applied, ToJson)},
                {"pendingCount", report.pending_count},
                {"pending", ListToJson(report.pending, ToJson)},
                {"format", report.format},
                {"formatReason", report.format_reason},
                {"sourceDigest", report.source_digest},
                {"sourceFiles", report.source_files},
                {"lockWaitMs", report.lock_wait.count()},
                {"set", report.set},
                {"serverVersion", report.server_version},
                {"database", report.database},
                {"systemIdentifier", report.system_identifier},
                {"notices", ListToJson(report.notices, ToJson)}};
  if (report.failure) value["failure"] = ToJson(*report.failure);
  return value;
}

Result<RunReport> RunReportFromJson(const json& value) {
  try {
    return Read(value);
  } catch (const json::exception& e) {
    return Unreadable(e.what());
  }
}

}  // namespace whimbrel::report
