#include <utility>

#include "controller/job_spec.h"
#include "controller/json_fields.h"
#include "whimbrel/controller/api.h"

namespace whimbrel::controller {
namespace {

using nlohmann::json;
using std::chrono::seconds;

/// Reads the fields of a spec and keeps the first thing that it does not understand.
class SpecReader {
 public:
  Spec Read(const json& spec);
  [[nodiscard]] const std::string& error() const { return error_; }

 private:
  template <class T>
  struct Choice {
    std::string_view name;
    T value;
  };

  template <class T, std::size_t N>
  T Enum(const json& object, const char* field, const std::string& path,
         const Choice<T> (&choices)[N]) {
    const std::string text = Text(object, field, std::string(choices[0].name));
    for (const Choice<T>& choice : choices) {
      if (choice.name == text) return choice.value;
    }
    Refuse(path + "." + field + ": this version of Whimbrel does not know `" + text +
           "`; it knows " + Names(choices));
    return choices[0].value;
  }

  template <class T, std::size_t N>
  static std::string Names(const Choice<T> (&choices)[N]) {
    std::string names;
    for (const Choice<T>& choice : choices) {
      names += (names.empty() ? "" : ", ") + std::string(choice.name);
    }
    return names;
  }

  void Refuse(std::string message) {
    if (error_.empty()) error_ = std::move(message);
  }

  SourceSpec ReadSource(const json& source);
  DatabaseSpec ReadDatabase(const json& database);
  TlsSpec ReadTls(const json& tls);
  report::HistoryRequest ReadHistory(const json& history);
  ExecutionSpec ReadExecution(const json& execution);

  std::string error_;
};

ConfigMapSource ReadConfigMap(const json& value) {
  return {.name = Text(value, "name"),
          .keys = Texts(value, "keys"),
          .directory = Text(value, "directory")};
}

std::optional<ArchiveSource> ReadArchive(const json& value) {
  if (!value.is_object()) return std::nullopt;
  return ArchiveSource{.config_map = Text(value, "configMap"),
                       .key = Text(value, "key", "migrations.tar.gz")};
}

InlineFile ReadInline(const json& value) {
  return {.name = Text(value, "name"), .sql = Text(value, "sql")};
}

SecretRef ReadSecretRef(const json& value) {
  const json& keys = Member(value, "keys");
  return {.name = Text(value, "name"),
          .keys = {.uri = Text(keys, "uri"),
                   .host = Text(keys, "host"),
                   .port = Text(keys, "port"),
                   .dbname = Text(keys, "dbname"),
                   .username = Text(keys, "username"),
                   .password = Text(keys, "password")}};
}

report::PasswordlessConnection ReadConnection(const json& value) {
  return {.host = Text(value, "host"),
          .port = Number(value, "port", 5432),
          .dbname = Text(value, "dbname"),
          .user = Text(value, "user")};
}

seconds ReadSeconds(const json& object, const char* field, seconds fallback) {
  return seconds(Number(object, field, static_cast<int>(fallback.count())));
}

SourceSpec SpecReader::ReadSource(const json& source) {
  SourceSpec out;
  out.config_maps = ListOf<ConfigMapSource>(source, "configMaps", ReadConfigMap);
  out.archive = ReadArchive(Member(source, "archive"));
  out.inline_files = ListOf<InlineFile>(source, "inline", ReadInline);
  out.digest = Text(source, "digest");
  const std::string format = Text(source, "format", "Auto");
  const std::optional<migration::Format> known = migration::ParseFormat(format);
  if (!known) {
    Refuse("spec.source.format: this version of Whimbrel does not know `" + format + "`");
  } else {
    out.format = *known;
  }
  if (out.config_maps.empty() && !out.archive && out.inline_files.empty()) {
    Refuse("spec.source: it names no files; set configMaps, archive or inline");
  }
  return out;
}

TlsSpec SpecReader::ReadTls(const json& tls) {
  TlsSpec out;
  if (Member(tls, "mode").is_string()) {
    out.mode = Enum<std::string>(tls, "mode", "spec.database.tls",
                                 {{"Disable", "disable"},
                                  {"Prefer", "prefer"},
                                  {"Require", "require"},
                                  {"VerifyCA", "verify-ca"},
                                  {"VerifyFull", "verify-full"}});
  }
  out.client_certificate_secret = Text(Member(tls, "clientCertSecretRef"), "name");
  const json& ca = Member(tls, "caRef");
  if (!ca.is_object()) return out;
  using Kind = KeyRef::Kind;
  out.ca = KeyRef{.kind = Enum<Kind>(ca, "kind", "spec.database.tls.caRef",
                                     {{"ConfigMap", Kind::kConfigMap}, {"Secret", Kind::kSecret}}),
                  .name = Text(ca, "name"),
                  .key = Text(ca, "key", "ca.crt")};
  return out;
}

DatabaseSpec SpecReader::ReadDatabase(const json& database) {
  DatabaseSpec out;
  if (const json& secret = Member(database, "secretRef"); secret.is_object()) {
    out.secret = ReadSecretRef(secret);
  } else if (const json& connection = Member(database, "connection"); connection.is_object()) {
    out.connection = ReadConnection(connection);
  } else {
    Refuse("spec.database: it names no database; set secretRef or connection");
  }
  out.tls = ReadTls(Member(database, "tls"));
  out.role = Text(database, "role");
  const json& ready = Member(database, "ready");
  out.ready_timeout = ReadSeconds(ready, "timeoutSeconds", out.ready_timeout);
  out.extensions = Texts(ready, "extensions");
  out.min_citus_workers = Number(ready, "minCitusWorkers", 0);
  return out;
}

report::HistoryRequest SpecReader::ReadHistory(const json& history) {
  report::HistoryRequest out;
  out.schema = Text(history, "schema", out.schema);
  out.set = Text(history, "set", out.set);
  out.table = Text(history, "table");
  out.baseline_version = Text(history, "baselineVersion");
  using report::Adopt;
  out.adopt = Enum<Adopt>(
      history, "adopt", "spec.history",
      {{"Detect", Adopt::kDetect}, {"Never", Adopt::kNever}, {"Require", Adopt::kRequire}});
  return out;
}

ExecutionSpec SpecReader::ReadExecution(const json& execution) {
  ExecutionSpec out;
  out.mode =
      Enum<ExecutionMode>(execution, "mode", "spec.execution",
                          {{"Job", ExecutionMode::kJob}, {"InProcess", ExecutionMode::kInProcess}});
  using report::OutOfOrder;
  using report::TransactionPolicy;
  report::ExecutionRequest& request = out.request;
  request.transaction = Enum<TransactionPolicy>(execution, "transaction", "spec.execution",
                                                {{"PerMigration", TransactionPolicy::kPerMigration},
                                                 {"All", TransactionPolicy::kAll},
                                                 {"None", TransactionPolicy::kNone}});
  request.out_of_order = Enum<OutOfOrder>(execution, "outOfOrder", "spec.execution",
                                          {{"Reject", OutOfOrder::kReject},
                                           {"Apply", OutOfOrder::kApply},
                                           {"Skip", OutOfOrder::kSkip}});
  request.lock_timeout = ReadSeconds(execution, "lockTimeoutSeconds", seconds(2));
  request.lock_budget = ReadSeconds(execution, "lockBudgetSeconds", request.lock_budget);
  request.statement_timeout = ReadSeconds(execution, "statementTimeoutSeconds", seconds(900));
  request.deadline = ReadSeconds(execution, "deadlineSeconds", request.deadline);
  const json& retry = Member(execution, "retry");
  out.retry.limit = Number(retry, "limit", out.retry.limit);
  out.retry.backoff = {.initial = ReadSeconds(retry, "initialSeconds", seconds(5)),
                       .max = ReadSeconds(retry, "maxSeconds", seconds(300))};
  return out;
}

Spec SpecReader::Read(const json& spec) {
  Spec out;
  out.suspend = Flag(spec, "suspend", false);
  out.source = ReadSource(Member(spec, "source"));
  out.database = ReadDatabase(Member(spec, "database"));
  out.history = ReadHistory(Member(spec, "history"));
  out.execution = ReadExecution(Member(spec, "execution"));
  out.job = ReadJobSpec(Member(spec, "job"));
  out.target_version = Text(Member(spec, "target"), "version");
  if (out.target_version == "Latest") out.target_version.clear();
  return out;
}

}  // namespace

Result<Spec> ParseSpec(const json& spec) {
  SpecReader reader;
  Spec out = reader.Read(spec);
  if (!reader.error().empty()) return Fail(ErrorKind::kInvalidArgument, reader.error());
  return out;
}

}  // namespace whimbrel::controller
