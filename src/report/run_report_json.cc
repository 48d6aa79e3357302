#include <nlohmann/json.hpp>
#include <utility>

#include "report/json_values.h"
#include "report/object_reader.h"
#include "whimbrel/report/run_report.h"

namespace whimbrel::report {
namespace {

using nlohmann::json;

json ToJson(const SourcePosition& position) {
  return {{"file", position.file},
          {"line", position.line},
          {"column", position.column},
          {"offset", position.offset}};
}

SourcePosition ReadPosition(const ObjectReader& from) {
  return {.file = from.OptionalText("file"),
          .line = from.OptionalNumber<std::uint32_t>("line"),
          .column = from.OptionalNumber<std::uint32_t>("column"),
          .offset = from.OptionalNumber<std::uint64_t>("offset")};
}

json ToJson(const Failure& failure) {
  return {{"reason", ToString(failure.reason)},   {"version", failure.version},
          {"position", ToJson(failure.position)}, {"sqlState", failure.sql_state},
          {"message", failure.message},           {"hint", failure.hint}};
}

Failure ReadFailure(const ObjectReader& from) {
  Failure failure{.version = from.OptionalText("version"),
                  .sql_state = from.OptionalText("sqlState"),
                  .message = from.Text("message"),
                  .hint = from.OptionalText("hint")};
  const std::string name = from.Text("reason");
  const std::optional<Reason> reason = ParseReason(name);
  if (!reason) from.RefuseValue("reason", name);
  failure.reason = reason.value_or(failure.reason);
  if (from.Has("position")) failure.position = ReadPosition(from.Object("position"));
  return failure;
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

SystemTime ReadTime(const ObjectReader& from, const char* field) {
  if (!from.Has(field)) return {};
  const Result<SystemTime> time = ParseRfc3339(from.Text(field));
  if (time) return std::chrono::floor<std::chrono::microseconds>(*time);
  from.Refuse(field, "is no time: " + time.error().ToString());
  return {};
}

AppliedMigration ReadApplied(const ObjectReader& from) {
  return {.version = from.Text("version"),
          .kind = from.OptionalText("kind"),
          .description = from.OptionalText("description"),
          .checksum = from.OptionalText("checksum"),
          .applied_at = ReadTime(from, "appliedAt"),
          .duration = std::chrono::milliseconds(from.OptionalNumber<std::int64_t>("durationMs")),
          .this_run = from.OptionalFlag("thisRun")};
}

json ToJson(const PendingMigration& pending) {
  return {
      {"version", pending.version}, {"description", pending.description}, {"path", pending.path}};
}

PendingMigration ReadPending(const ObjectReader& from) {
  return {.version = from.Text("version"),
          .description = from.OptionalText("description"),
          .path = from.OptionalText("path")};
}

json ToJson(const Notice& notice) {
  return {{"kind", ToString(notice.kind)}, {"message", notice.message}};
}

/// Those that this version has a name for.
std::vector<Notice> ReadNotices(const ObjectReader& from) {
  std::vector<Notice> notices;
  for (const ObjectReader& element : from.OptionalObjects("notices")) {
    const std::optional<Notice::Kind> kind = ParseNoticeKind(element.Text("kind"));
    std::string message = element.Text("message");
    if (kind) notices.push_back({.kind = *kind, .message = std::move(message)});
  }
  return notices;
}

template <class T>
std::vector<T> ReadList(const ObjectReader& from, const char* field,
                        T (*read)(const ObjectReader&)) {
  std::vector<T> list;
  for (const ObjectReader& element : from.OptionalObjects(field)) list.push_back(read(element));
  return list;
}

RunReport ReadReport(const ObjectReader& from) {
  RunReport report{
      .succeeded = from.Flag("succeeded"),
      .transient = from.Flag("transient"),
      .uncounted = from.OptionalFlag("uncounted"),
      .current_version = from.OptionalText("currentVersion"),
      .target_version = from.OptionalText("targetVersion"),
      .applied_count = from.OptionalNumber<int>("appliedCount"),
      .applied_this_run = from.OptionalNumber<int>("appliedThisRun"),
      .applied = ReadList(from, "applied", ReadApplied),
      .pending_count = from.OptionalNumber<int>("pendingCount"),
      .pending = ReadList(from, "pending", ReadPending),
      .format = from.OptionalText("format"),
      .format_reason = from.OptionalText("formatReason"),
      .source_digest = from.OptionalText("sourceDigest"),
      .source_files = from.OptionalNumber<int>("sourceFiles"),
      .lock_wait = std::chrono::milliseconds(from.OptionalNumber<std::int64_t>("lockWaitMs")),
      .set = from.OptionalText("set"),
      .server_version = from.OptionalText("serverVersion"),
      .database = from.OptionalText("database"),
      .system_identifier = from.OptionalText("systemIdentifier"),
      .notices = ReadNotices(from)};
  if (from.Has("failure")) report.failure = ReadFailure(from.Object("failure"));
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
  std::string error;
  const ObjectReader from(value, "", error);
  from.CheckSchemaVersion(RunReport::kSchemaVersion);
  RunReport report = ReadReport(from);
  if (error.empty()) return report;
  return Fail(ErrorKind::kInvalidArgument, "the run report cannot be read: " + error);
}

}  // namespace whimbrel::report
