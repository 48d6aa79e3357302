#include "whimbrel/report/runner_task.h"

#include <utility>

#include "report/json_values.h"
#include "report/object_reader.h"

namespace whimbrel::report {
namespace {

using nlohmann::json;
using std::chrono::milliseconds;
using std::chrono::seconds;

/// More than the CRD allows anywhere, and little enough for every clock.
constexpr std::int64_t kLongestSeconds = 10LL * 366 * 24 * 3600;
constexpr std::int64_t kMostWorkers = 1'000'000;
constexpr std::int64_t kMostAttempts = 2'000'000'000;

template <class T>
using Choice = ObjectReader::Choice<T>;

constexpr std::array kAdopt = {Choice<Adopt>{"Never", Adopt::kNever},
                               Choice<Adopt>{"Detect", Adopt::kDetect},
                               Choice<Adopt>{"Require", Adopt::kRequire}};
constexpr std::array kOutOfOrder = {Choice<OutOfOrder>{"Reject", OutOfOrder::kReject},
                                    Choice<OutOfOrder>{"Apply", OutOfOrder::kApply},
                                    Choice<OutOfOrder>{"Skip", OutOfOrder::kSkip}};
constexpr std::array kTransaction = {
    Choice<TransactionPolicy>{"PerMigration", TransactionPolicy::kPerMigration},
    Choice<TransactionPolicy>{"All", TransactionPolicy::kAll},
    Choice<TransactionPolicy>{"None", TransactionPolicy::kNone}};

template <class T, std::size_t N>
std::string_view NameOf(T value, const std::array<Choice<T>, N>& choices) {
  for (const Choice<T>& choice : choices) {
    if (choice.value == value) return choice.name;
  }
  return "";
}

json ToJson(const MountedFolder& folder) {
  return {{"origin", folder.origin}, {"directory", folder.directory}, {"keys", folder.keys}};
}

json ToJson(const CredentialKeys& keys) {
  return {{"uri", keys.uri},       {"host", keys.host},         {"port", keys.port},
          {"dbname", keys.dbname}, {"username", keys.username}, {"password", keys.password}};
}

json ToJson(const DatabaseRequest& database) {
  json value = {{"keys", ToJson(database.keys)},
                {"tlsMode", database.tls.mode},
                {"role", database.role},
                {"readyTimeoutSeconds", database.ready_timeout.count()},
                {"extensions", database.extensions},
                {"minCitusWorkers", database.min_citus_workers}};
  if (const auto& to = database.connection) {
    value["connection"] = {
        {"host", to->host}, {"port", to->port}, {"dbname", to->dbname}, {"user", to->user}};
  }
  return value;
}

json ToJson(const HistoryRequest& history) {
  return {{"schema", history.schema},
          {"set", history.set},
          {"table", history.table},
          {"adopt", NameOf(history.adopt, kAdopt)},
          {"baselineVersion", history.baseline_version}};
}

json ToJson(const ExecutionRequest& execution) {
  return {{"transaction", NameOf(execution.transaction, kTransaction)},
          {"outOfOrder", NameOf(execution.out_of_order, kOutOfOrder)},
          {"lockTimeoutMilliseconds", execution.lock_timeout.count()},
          {"lockBudgetSeconds", execution.lock_budget.count()},
          {"statementTimeoutMilliseconds", execution.statement_timeout.count()},
          {"deadlineSeconds", execution.deadline.count()}};
}

seconds Seconds(const ObjectReader& from, const char* field) {
  return seconds(from.Whole(field, 0, kLongestSeconds));
}

milliseconds Milliseconds(const ObjectReader& from, const char* field) {
  return milliseconds(from.Whole(field, 0, kLongestSeconds * 1000));
}

DatabaseRequest ReadDatabase(const ObjectReader& from) {
  DatabaseRequest out;
  const ObjectReader keys = from.Object("keys");
  out.keys = {.uri = keys.Text("uri"),
              .host = keys.Text("host"),
              .port = keys.Text("port"),
              .dbname = keys.Text("dbname"),
              .username = keys.Text("username"),
              .password = keys.Text("password")};
  if (from.Has("connection")) {
    const ObjectReader to = from.Object("connection");
    out.connection = {.host = to.Text("host"),
                      .port = static_cast<int>(to.Whole("port", 1, 65535)),
                      .dbname = to.Text("dbname"),
                      .user = to.Text("user")};
  }
  out.tls.mode = from.Text("tlsMode");
  out.role = from.Text("role");
  out.ready_timeout = Seconds(from, "readyTimeoutSeconds");
  out.extensions = from.Texts("extensions");
  out.min_citus_workers = static_cast<int>(from.Whole("minCitusWorkers", 0, kMostWorkers));
  return out;
}

HistoryRequest ReadHistory(const ObjectReader& from) {
  return {.schema = from.Text("schema"),
          .set = from.Text("set"),
          .table = from.Text("table"),
          .adopt = from.Enum("adopt", kAdopt),
          .baseline_version = from.Text("baselineVersion")};
}

ExecutionRequest ReadExecution(const ObjectReader& from) {
  return {.transaction = from.Enum("transaction", kTransaction),
          .out_of_order = from.Enum("outOfOrder", kOutOfOrder),
          .lock_timeout = Milliseconds(from, "lockTimeoutMilliseconds"),
          .lock_budget = Seconds(from, "lockBudgetSeconds"),
          .statement_timeout = Milliseconds(from, "statementTimeoutMilliseconds"),
          .deadline = Seconds(from, "deadlineSeconds")};
}

migration::Format ReadFormat(const ObjectReader& from) {
  const std::string name = from.Text("format");
  const std::optional<migration::Format> format = migration::ParseFormat(name);
  if (!format) from.RefuseValue("format", name);
  return format.value_or(migration::Format::kAuto);
}

RunRequest ReadRequest(const ObjectReader& from) {
  RunRequest out;
  out.run_id = from.Text("runId");
  out.ns = from.Text("namespace");
  out.name = from.Text("name");
  out.attempt = static_cast<int>(from.Whole("attempt", 0, kMostAttempts));
  out.format = ReadFormat(from);
  out.database = ReadDatabase(from.Object("database"));
  out.history = ReadHistory(from.Object("history"));
  out.execution = ReadExecution(from.Object("execution"));
  out.target_version = from.Text("targetVersion");
  return out;
}

std::vector<MountedFolder> ReadFolders(const ObjectReader& from) {
  std::vector<MountedFolder> folders;
  for (const ObjectReader& folder : from.Objects("folders")) {
    folders.push_back({.origin = folder.Text("origin"),
                       .directory = folder.Text("directory"),
                       .keys = folder.Texts("keys")});
  }
  return folders;
}

}  // namespace

json ToJson(const RunnerTask& task) {
  const RunRequest& request = task.request;
  return {{"schemaVersion", RunnerTask::kSchemaVersion},
          {"runId", request.run_id},
          {"namespace", request.ns},
          {"name", request.name},
          {"attempt", request.attempt},
          {"format", migration::ToString(request.format)},
          {"database", ToJson(request.database)},
          {"history", ToJson(request.history)},
          {"execution", ToJson(request.execution)},
          {"targetVersion", request.target_version},
          {"sourceDigest", task.source_digest},
          {"folders", ListToJson(task.folders, ToJson)},
          {"archive", task.archive},
          {"inlineFiles", task.inline_files},
          {"secret", task.secret},
          {"authority", task.authority},
          {"clientCertificate", task.client_certificate}};
}

Result<RunnerTask> RunnerTaskFromJson(const json& value) {
  std::string error;
  const ObjectReader from(value, "", error);
  from.CheckSchemaVersion(RunnerTask::kSchemaVersion);
  RunnerTask task{.request = ReadRequest(from),
                  .source_digest = from.Text("sourceDigest"),
                  .folders = ReadFolders(from),
                  .archive = from.Text("archive"),
                  .inline_files = from.Flag("inlineFiles"),
                  .secret = from.Text("secret"),
                  .authority = from.Text("authority"),
                  .client_certificate = from.Text("clientCertificate")};
  if (error.empty()) return task;
  return Fail(ErrorKind::kInvalidArgument, "the run task cannot be read: " + error);
}

}  // namespace whimbrel::report
