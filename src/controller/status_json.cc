#include <algorithm>
#include <array>
#include <utility>

#include "controller/json_fields.h"
#include "whimbrel/controller/status.h"

namespace whimbrel::controller {
namespace {

using nlohmann::json;

constexpr std::array<std::pair<Truth, std::string_view>, 3> kTruths = {
    {{Truth::kTrue, "True"}, {Truth::kFalse, "False"}, {Truth::kUnknown, "Unknown"}}};

std::string_view ToString(Truth truth) {
  return kTruths.at(static_cast<std::size_t>(truth)).second;
}

Truth ParseTruth(std::string_view text) {
  for (const auto& [truth, name] : kTruths) {
    if (name == text) return truth;
  }
  return Truth::kUnknown;
}

/// Writes what is there and nothing else.
class ObjectWriter {
 public:
  ObjectWriter& Text(const char* field, const std::string& value) {
    if (!value.empty()) object_[field] = value;
    return *this;
  }
  ObjectWriter& Number(const char* field, std::int64_t value) {
    object_[field] = value;
    return *this;
  }
  ObjectWriter& Positive(const char* field, std::int64_t value) {
    return value > 0 ? Number(field, value) : *this;
  }
  ObjectWriter& Time(const char* field, const std::optional<SystemTime>& value) {
    return value ? Text(field, FormatRfc3339(*value)) : *this;
  }
  template <class T>
  ObjectWriter& Object(const char* field, const std::optional<T>& value, json (*write)(const T&)) {
    if (value) object_[field] = write(*value);
    return *this;
  }
  template <class T>
  ObjectWriter& List(const char* field, const std::vector<T>& values, json (*write)(const T&)) {
    if (values.empty()) return *this;
    json array = json::array();
    for (const T& value : values) array.push_back(write(value));
    object_[field] = std::move(array);
    return *this;
  }
  [[nodiscard]] json Take() { return std::move(object_); }

 private:
  json object_ = json::object();
};

json WriteCondition(const Condition& condition) {
  // metav1.Condition requires every field, an empty message too.
  return {{"type", condition.type},
          {"status", ToString(condition.status)},
          {"reason", condition.reason},
          {"message", condition.message},
          {"observedGeneration", condition.observed_generation},
          {"lastTransitionTime", FormatRfc3339(condition.last_transition_time)}};
}

Condition ReadCondition(const json& value) {
  return {.type = Text(value, "type"),
          .status = ParseTruth(Text(value, "status")),
          .reason = Text(value, "reason"),
          .message = Text(value, "message"),
          .observed_generation = Integer(value, "observedGeneration").value_or(0),
          .last_transition_time = Time(value, "lastTransitionTime").value_or(SystemTime())};
}

json WriteResolved(const ResolvedObject& object) {
  return ObjectWriter()
      .Text("kind", object.kind)
      .Text("name", object.name)
      .Text("uid", object.uid)
      .Text("resourceVersion", object.resource_version)
      .Take();
}

ResolvedObject ReadResolved(const json& value) {
  return {.kind = Text(value, "kind"),
          .name = Text(value, "name"),
          .uid = Text(value, "uid"),
          .resource_version = Text(value, "resourceVersion")};
}

json WriteSource(const SourceStatus& source) {
  return ObjectWriter()
      .Text("digest", source.digest)
      .Text("format", source.format)
      .Text("formatReason", source.format_reason)
      .Number("files", source.files)
      .List("resolved", source.resolved, WriteResolved)
      .Take();
}

SourceStatus ReadSource(const json& value) {
  return {.digest = Text(value, "digest"),
          .format = Text(value, "format"),
          .format_reason = Text(value, "formatReason"),
          .files = Number(value, "files", 0),
          .resolved = ListOf<ResolvedObject>(value, "resolved", ReadResolved)};
}

json WriteApplied(const AppliedStatus& applied) {
  return ObjectWriter()
      .Text("version", applied.version)
      .Text("kind", applied.kind)
      .Text("description", applied.description)
      .Text("checksum", applied.checksum)
      .Time("appliedTime", applied.applied_time)
      .Number("durationMilliseconds", applied.duration_milliseconds)
      .Take();
}

AppliedStatus ReadApplied(const json& value) {
  return {.version = Text(value, "version"),
          .kind = Text(value, "kind"),
          .description = Text(value, "description"),
          .checksum = Text(value, "checksum"),
          .applied_time = Time(value, "appliedTime").value_or(SystemTime()),
          .duration_milliseconds = Integer(value, "durationMilliseconds").value_or(0)};
}

json WritePending(const PendingStatus& pending) {
  return ObjectWriter()
      .Text("version", pending.version)
      .Text("description", pending.description)
      .Text("file", pending.file)
      .Take();
}

PendingStatus ReadPending(const json& value) {
  return {.version = Text(value, "version"),
          .description = Text(value, "description"),
          .file = Text(value, "file")};
}

json WriteRun(const RunState& run) {
  return ObjectWriter()
      .Text("id", run.id)
      .Number("attempt", run.attempt)
      .Number("retries", run.retries)
      .Number("generation", run.generation)
      .Text("sourceDigest", run.source_digest)
      .Time("startTime", run.start_time)
      .Time("completionTime", run.completion_time)
      .Time("nextRetryTime", run.next_retry_time)
      .Text("phase", run.phase)
      .Text("detail", run.detail)
      .Text("currentVersion", run.current_version)
      .Text("file", run.file)
      .Positive("statement", run.statement)
      .Positive("statements", run.statements)
      .Positive("line", run.line)
      .Positive("copiedBytes", run.copied_bytes)
      .Text("activity", run.activity)
      .Positive("done", run.done)
      .Positive("total", run.total)
      .Text("jobName", run.job_name)
      .Text("podName", run.pod_name)
      .Take();
}

RunState ReadRun(const json& value) {
  return {.id = Text(value, "id"),
          .attempt = Number(value, "attempt", 0),
          .retries = Number(value, "retries", 0),
          .generation = Integer(value, "generation").value_or(0),
          .source_digest = Text(value, "sourceDigest"),
          .start_time = Time(value, "startTime"),
          .completion_time = Time(value, "completionTime"),
          .next_retry_time = Time(value, "nextRetryTime"),
          .phase = Text(value, "phase"),
          .detail = Text(value, "detail"),
          .current_version = Text(value, "currentVersion"),
          .file = Text(value, "file"),
          .statement = Integer(value, "statement").value_or(0),
          .statements = Integer(value, "statements").value_or(0),
          .line = Integer(value, "line").value_or(0),
          .copied_bytes = Integer(value, "copiedBytes").value_or(0),
          .activity = Text(value, "activity"),
          .done = Number(value, "done", 0),
          .total = Number(value, "total", 0),
          .job_name = Text(value, "jobName"),
          .pod_name = Text(value, "podName")};
}

json WriteFailure(const FailureStatus& failure) {
  return ObjectWriter()
      .Text("version", failure.version)
      .Text("file", failure.file)
      .Positive("line", failure.line)
      .Positive("column", failure.column)
      .Text("sqlState", failure.sql_state)
      .Text("message", failure.message)
      .Text("hint", failure.hint)
      .Time("firstSeenTime", failure.first_seen)
      .Take();
}

FailureStatus ReadFailure(const json& value) {
  return {.version = Text(value, "version"),
          .file = Text(value, "file"),
          .line = Integer(value, "line").value_or(0),
          .column = Integer(value, "column").value_or(0),
          .sql_state = Text(value, "sqlState"),
          .message = Text(value, "message"),
          .hint = Text(value, "hint"),
          .first_seen = Time(value, "firstSeenTime").value_or(SystemTime())};
}

json WriteDatabase(const DatabaseStatus& database) {
  return ObjectWriter()
      .Text("serverVersion", database.server_version)
      .Text("name", database.name)
      .Text("systemIdentifier", database.system_identifier)
      .Take();
}

DatabaseStatus ReadDatabase(const json& value) {
  return {.server_version = Text(value, "serverVersion"),
          .name = Text(value, "name"),
          .system_identifier = Text(value, "systemIdentifier")};
}

json WriteHistory(const std::string& set) { return ObjectWriter().Text("set", set).Take(); }

template <class T>
std::optional<T> ReadObject(const json& object, const char* field, T (*read)(const json&)) {
  const json& value = Member(object, field);
  return value.is_object() ? std::optional(read(value)) : std::nullopt;
}

std::optional<int> ReadCount(const json& object, const char* field) {
  return Integer(object, field) ? std::optional(Number(object, field, 0)) : std::nullopt;
}

}  // namespace

const Condition* Status::Find(std::string_view type) const {
  const auto it = std::ranges::find(conditions, type, &Condition::type);
  return it == conditions.end() ? nullptr : &*it;
}

bool Status::IsTrue(std::string_view type) const {
  const Condition* condition = Find(type);
  return condition != nullptr && condition->status == Truth::kTrue;
}

Status StatusFromJson(const json& value) {
  return {.observed_generation = Integer(value, "observedGeneration").value_or(-1),
          .conditions = ListOf<Condition>(value, "conditions", ReadCondition),
          .current_version = Text(value, "currentVersion"),
          .target_version = Text(value, "targetVersion"),
          .applied_count = ReadCount(value, "appliedCount"),
          .pending_count = ReadCount(value, "pendingCount"),
          .source = ReadObject(value, "source", ReadSource),
          .applied = ListOf<AppliedStatus>(value, "applied", ReadApplied),
          .pending = ListOf<PendingStatus>(value, "pending", ReadPending),
          .run = ReadObject(value, "run", ReadRun),
          .failure = ReadObject(value, "failure", ReadFailure),
          .database = ReadObject(value, "database", ReadDatabase),
          .history_set = Text(Member(value, "history"), "set"),
          .last_success_time = Time(value, "lastSuccessTime"),
          .retry_requested_at = Text(value, "retryRequestedAt"),
          .cancel_requested_at = Text(value, "cancelRequestedAt")};
}

json ToJson(const Status& status) {
  ObjectWriter out;
  out.Number("observedGeneration", status.observed_generation)
      .List("conditions", status.conditions, WriteCondition)
      .Text("currentVersion", status.current_version)
      .Text("targetVersion", status.target_version)
      .Object("source", status.source, WriteSource)
      .List("applied", status.applied, WriteApplied)
      .List("pending", status.pending, WritePending)
      .Object("run", status.run, WriteRun)
      .Object("failure", status.failure, WriteFailure)
      .Object("database", status.database, WriteDatabase)
      .Time("lastSuccessTime", status.last_success_time)
      .Text("retryRequestedAt", status.retry_requested_at)
      .Text("cancelRequestedAt", status.cancel_requested_at);
  if (!status.history_set.empty()) {
    out.Object("history", std::optional(status.history_set), WriteHistory);
  }
  if (status.applied_count) out.Number("appliedCount", *status.applied_count);
  if (status.pending_count) out.Number("pendingCount", *status.pending_count);
  return out.Take();
}

}  // namespace whimbrel::controller
