#include "support/database_migration_cases.h"

namespace whimbrel::testing {
namespace {

using nlohmann::json;

/// The patch is JSON; `{Nx}` in a string stands for N times x.
struct Row {
  const char* name;
  const char* patch;
  const char* violation;
};

constexpr Row kValid[] = {
    {"the least that one can say", "{}", ""},
    {"nulls where a default or nothing will do",
     R"({"spec":{"history":{"table":"$null"},"execution":"$null","suspend":"$null"}})", ""},
    {"every field",
     R"j({"spec":{
       "suspend":true,
       "source":{"configMaps":[{"name":"a.b","keys":["001_a.sql",".x"],"directory":"db/1.0"},
                               {"name":"a.b"}],
                 "format":"Flyway","digest":"sha256:{64f}"},
       "database":{"secretRef":{"name":"db","keys":{"uri":"u","host":"h","port":"p","dbname":"d",
                                                    "username":"n","password":"w"}},
                   "tls":{"mode":"VerifyFull",
                          "caRef":{"kind":"Secret","name":"ca","key":"root.crt"},
                          "clientCertSecretRef":{"name":"client"}},
                   "role":"owner",
                   "ready":{"timeoutSeconds":1,"extensions":["citus"],"minCitusWorkers":2}},
       "history":{"schema":"Übersicht","set":"a-b_c","table":"public.migrations(name)",
                  "adopt":"Require","baselineVersion":"3"},
       "execution":{"mode":"InProcess","transaction":"PerMigration","outOfOrder":"Skip",
                    "lockTimeoutSeconds":1,"lockBudgetSeconds":1,"statementTimeoutSeconds":0,
                    "deadlineSeconds":1,"retry":{"limit":0,"initialSeconds":7,"maxSeconds":7}},
       "target":{"version":"2.1"}}})j",
     ""},
    {"a login without a password",
     R"({"spec":{"database":{"secretRef":null,"connection":{"host":"::1","dbname":"d","user":"u"}}}})",
     ""},
    {"inline files", R"({"spec":{"source":{"configMaps":null,"inline":[
       {"name":"1.sql","sql":"{131071x}"},{"name":"2.sql","sql":"y"}]}}})",
     ""},
    {"a table without schema and column", R"({"spec":{"history":{"table":"migrations"}}})", ""},
    {"TLS off, said plainly", R"({"spec":{"database":{"tls":{"mode":"Disable"}}}})", ""},
};

constexpr Row kBySchema[] = {
    {"an unknown field of spec", R"({"spec":{"x":1}})", "unknown field \"spec.x\""},
    {"a misspelt field", R"({"spec":{"execution":{"mod":"Job"}}})",
     "unknown field \"spec.execution.mod\""},
    {"an unknown field beside spec", R"({"specs":{}})", "unknown field \"specs\""},
    {"an unknown field of a list's item",
     R"({"spec":{"source":{"configMaps":[{"name":"a","nam":1}]}}})",
     "unknown field \"spec.source.configMaps[0].nam\""},
    {"an enumeration in another case", R"({"spec":{"execution":{"mode":"job"}}})",
     R"(spec.execution.mode: Unsupported value: "job": supported values: "Job", "InProcess")"},
    {"libpq's word for a TLS mode", R"({"spec":{"database":{"tls":{"mode":"verify-full"}}}})",
     R"(spec.database.tls.mode: Unsupported value: "verify-full": supported values: "Disable", "Prefer", "Require", "VerifyCA", "VerifyFull")"},
    {"text for a boolean", R"({"spec":{"suspend":"yes"}})",
     R"(spec.suspend: Invalid value: "string": spec.suspend in body must be of type boolean: "string")"},
    {"text for a number", R"({"spec":{"execution":{"deadlineSeconds":"60"}}})",
     R"(spec.execution.deadlineSeconds: Invalid value: "string": spec.execution.deadlineSeconds in body must be of type integer: "string")"},
    {"a fraction for a whole number", R"({"spec":{"execution":{"deadlineSeconds":1000.5}}})",
     R"(spec.execution.deadlineSeconds: Invalid value: "number": spec.execution.deadlineSeconds in body must be of type integer: "number")"},
    {"a number for text", R"({"spec":{"target":{"version":3}}})",
     R"(spec.target.version: Invalid value: "integer": spec.target.version in body must be of type string: "integer")"},
    {"a list for an object", R"({"spec":[]})",
     R"(spec: Invalid value: "array": spec in body must be of type object: "array")"},
    {"text for a list", R"({"spec":{"source":{"configMaps":"a"}}})",
     R"(spec.source.configMaps: Invalid value: "string": spec.source.configMaps in body must be of type array: "string")"},
    {"text for an item", R"({"spec":{"source":{"configMaps":["a"]}}})",
     R"(spec.source.configMaps[0]: Invalid value: "string": spec.source.configMaps[0] in body must be of type object: "string")"},
    {"null for an item", R"({"spec":{"source":{"configMaps":["$null"]}}})",
     R"(spec.source.configMaps[0]: Invalid value: "null": spec.source.configMaps[0] in body must be of type object: "null")"},
    {"no spec", R"({"spec":null})", "spec: Required value"},
    {"a null spec", R"({"spec":"$null"})", "spec: Required value"},
    {"no source", R"({"spec":{"source":null}})", "spec.source: Required value"},
    {"no database", R"({"spec":{"database":null}})", "spec.database: Required value"},
    {"a ConfigMap without a name", R"({"spec":{"source":{"configMaps":[{}]}}})",
     "spec.source.configMaps[0].name: Required value"},
    {"a number too low", R"({"spec":{"execution":{"lockTimeoutSeconds":0}}})",
     "spec.execution.lockTimeoutSeconds: Invalid value: 0: spec.execution.lockTimeoutSeconds in "
     "body "
     "should be greater than or equal to 1"},
    {"a number too high", R"({"spec":{"execution":{"deadlineSeconds":604801}}})",
     "spec.execution.deadlineSeconds: Invalid value: 604801: spec.execution.deadlineSeconds in "
     "body "
     "should be less than or equal to 604800"},
    {"a port too high", R"({"spec":{"database":{"secretRef":null,
       "connection":{"host":"h","port":65536,"dbname":"d","user":"u"}}}})",
     "spec.database.connection.port: Invalid value: 65536: spec.database.connection.port in body "
     "should "
     "be less than or equal to 65535"},
    {"a name that no object can have", R"({"spec":{"source":{"configMaps":[{"name":"A_b"}]}}})",
     R"(spec.source.configMaps[0].name: Invalid value: "A_b": spec.source.configMaps[0].name in body should match '^[a-z0-9]([-a-z0-9]*[a-z0-9])?(\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*$')"},
    {"a name of two lines", R"({"spec":{"source":{"configMaps":[{"name":"a\nb"}]}}})",
     R"(spec.source.configMaps[0].name: Invalid value: "a\nb": spec.source.configMaps[0].name in body should match '^[a-z0-9]([-a-z0-9]*[a-z0-9])?(\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*$')"},
    {"an empty name", R"({"spec":{"source":{"configMaps":[{"name":""}]}}})",
     R"(spec.source.configMaps[0].name: Invalid value: "": spec.source.configMaps[0].name in body should be at least 1 chars long)"},
    {"a name too long", R"({"spec":{"source":{"configMaps":[{"name":"{254a}"}]}}})",
     "spec.source.configMaps[0].name: Too long: may not be more than 253 "},
    {"a list without items", R"({"spec":{"source":{"configMaps":[]}}})",
     "spec.source.configMaps: Invalid value: 0: spec.source.configMaps in body should have at "
     "least 1 items"},
    {"a key twice", R"({"spec":{"source":{"configMaps":[{"name":"a","keys":["x","y","x"]}]}}})",
     R"(spec.source.configMaps[0].keys[2]: Duplicate value: "x")"},
    {"a key that no ConfigMap can have",
     R"({"spec":{"source":{"configMaps":[{"name":"a","keys":["x/y"]}]}}})",
     R"(spec.source.configMaps[0].keys[0]: Invalid value: "x/y": spec.source.configMaps[0].keys[0] in body should match '^\.?[-_a-zA-Z0-9][-._a-zA-Z0-9]*$')"},
    {"an inline file twice", R"({"spec":{"source":{"configMaps":null,"inline":[
       {"name":"a.sql","sql":"x"},{"name":"a.sql","sql":"y"}]}}})",
     R"(spec.source.inline[1]: Duplicate value: {"name":"a.sql"})"},
    {"a digest cut short", R"({"spec":{"source":{"digest":"sha256:abc"}}})",
     R"(spec.source.digest: Invalid value: "sha256:abc": spec.source.digest in body should match '^sha256:[0-9a-f]{64}$')"},
    {"a socket for a host", R"({"spec":{"database":{"secretRef":null,
       "connection":{"host":"/tmp","dbname":"d","user":"u"}}}})",
     R"(spec.database.connection.host: Invalid value: "/tmp": spec.database.connection.host in body should match '^[a-zA-Z0-9:][-a-zA-Z0-9._:]*$')"},
    {"an inline password", R"({"spec":{"database":{"secretRef":null,
       "connection":{"host":"h","dbname":"d","user":"u","password":"hunter2"}}}})",
     "unknown field \"spec.database.connection.password\""},
    {"a set that could be a table's name", R"({"spec":{"history":{"set":"a.b"}}})",
     R"(spec.history.set: Invalid value: "a.b": spec.history.set in body should match '^[a-zA-Z0-9]([-_a-zA-Z0-9]*[a-zA-Z0-9])?$')"},
};

constexpr Row kByRule[] = {
    {"no kind of source", R"({"spec":{"source":{"configMaps":null}}})",
     R"(spec.source: Invalid value: "object": must have exactly one of configMaps and inline)"},
    {"two kinds of source", R"({"spec":{"source":{"inline":[{"name":"a.sql","sql":"x"}]}}})",
     R"(spec.source: Invalid value: "object": must have exactly one of configMaps and inline)"},
    {"too much inline SQL, in two files", R"({"spec":{"source":{"configMaps":null,"inline":[
       {"name":"1.sql","sql":"{131072x}"},{"name":"2.sql","sql":"y"}]}}})",
     R"(spec.source.inline: Invalid value: "array": must not hold more than 128 KiB of SQL in all; use configMaps for more)"},
    {"too much inline SQL, in bytes", R"({"spec":{"source":{"configMaps":null,"inline":[
       {"name":"1.sql","sql":"{65537é}"}]}}})",
     R"(spec.source.inline: Invalid value: "array": must not hold more than 128 KiB of SQL in all; use configMaps for more)"},
    {"a folder outside",
     R"({"spec":{"source":{"configMaps":[{"name":"a"},{"name":"b","directory":"../x"}]}}})",
     R"(spec.source.configMaps[1].directory: Invalid value: "string": must be a relative path such as db/migrations; each part holds letters, digits, - _ and . and may not begin with a dot)"},
    {"a folder with a slash too many",
     R"({"spec":{"source":{"configMaps":[{"name":"a","directory":"x/"}]}}})",
     R"(spec.source.configMaps[0].directory: Invalid value: "string": must be a relative path such as db/migrations; each part holds letters, digits, - _ and . and may not begin with a dot)"},
    {"no way to log in", R"({"spec":{"database":{"secretRef":null}}})",
     R"(spec.database: Invalid value: "object": must have exactly one of secretRef and connection)"},
    {"two ways to log in",
     R"({"spec":{"database":{"connection":{"host":"h","dbname":"d","user":"u"}}}})",
     R"(spec.database: Invalid value: "object": must have exactly one of secretRef and connection)"},
    {"an authority without TLS",
     R"({"spec":{"database":{"tls":{"mode":"Disable","caRef":{"name":"x"}}}}})",
     R"(spec.database.tls: Invalid value: "object": caRef and clientCertSecretRef must not be set when mode is Disable)"},
    {"a client certificate without TLS",
     R"({"spec":{"database":{"tls":{"mode":"Disable","clientCertSecretRef":{"name":"x"}}}}})",
     R"(spec.database.tls: Invalid value: "object": caRef and clientCertSecretRef must not be set when mode is Disable)"},
    {"a table in quotes", R"({"spec":{"history":{"table":"\"a b\""}}})",
     R"(spec.history.table: Invalid value: "string": must be written as [schema.]table[(column)], with names as the catalog has them, without quotes and spaces)"},
    {"a table of three parts", R"({"spec":{"history":{"table":"a.b.c"}}})",
     R"(spec.history.table: Invalid value: "string": must be written as [schema.]table[(column)], with names as the catalog has them, without quotes and spaces)"},
    {"a deadline no later than a statement's", R"({"spec":{"execution":{"deadlineSeconds":900}}})",
     R"(spec.execution.deadlineSeconds: Invalid value: "object": must be greater than statementTimeoutSeconds)"},
    {"a first wait longer than the longest",
     R"({"spec":{"execution":{"retry":{"initialSeconds":301}}}})",
     R"(spec.execution.retry.initialSeconds: Invalid value: "object": must not be greater than maxSeconds)"},
};

/// Updates. `patch` is the new object, `old_patch` the old one.
struct UpdateRow {
  const char* name;
  const char* old_patch;
  const char* patch;
  const char* violation;
};

constexpr UpdateRow kUpdates[] = {
    {"what may be changed", R"({"spec":{"history":{"schema":"a"}}})",
     R"({"spec":{"suspend":true,"history":{"schema":"a","adopt":"Never","baselineVersion":"1"},
                 "database":{"secretRef":{"name":"other"}},"target":{"version":"7"}}})",
     ""},
    {"a default that is written out", "{}",
     R"({"spec":{"history":{"schema":"whimbrel","set":"default"}}})", ""},
    {"another schema", "{}", R"({"spec":{"history":{"schema":"b"}}})",
     R"(spec.history.schema: Invalid value: "string": may not be changed; create another resource for another history)"},
    {"a schema that is taken away", R"({"spec":{"history":{"schema":"a"}}})", "{}",
     R"(spec.history.schema: Invalid value: "string": may not be changed; create another resource for another history)"},
    {"another set", R"({"spec":{"history":{"set":"a"}}})", R"({"spec":{"history":{"set":"b"}}})",
     R"(spec.history.set: Invalid value: "string": may not be changed; create another resource for another history)"},
    {"another table", R"({"spec":{"history":{"table":"a"}}})",
     R"({"spec":{"history":{"table":"b"}}})",
     R"(spec.history.table: Invalid value: "object": may not be changed, added or removed; create another resource for another history)"},
    {"a table that is added", "{}", R"({"spec":{"history":{"table":"b"}}})",
     R"(spec.history.table: Invalid value: "object": may not be changed, added or removed; create another resource for another history)"},
    {"a table that is removed", R"({"spec":{"history":{"table":"a"}}})", "{}",
     R"(spec.history.table: Invalid value: "object": may not be changed, added or removed; create another resource for another history)"},
};

/// `{Nx}`, alone in a string, to N times x.
std::string Repeated(const std::string& text) {
  const std::size_t digits = text.find_first_not_of("0123456789", 1);
  const std::string unit = text.substr(digits, text.size() - digits - 1);
  std::string repeated;
  for (int count = std::stoi(text.substr(1)); count > 0; --count) repeated += unit;
  return repeated;
}

/// Fills in `{Nx}`, also after `sha256:`, and `$null`, which a merge patch cannot say.
void FillIn(json& value) {
  if (value.is_structured()) {
    for (json& member : value) FillIn(member);
  } else if (value.is_string()) {
    const std::string text = value;
    const std::size_t brace = text.find('{');
    if (text == "$null") {
      value = nullptr;
    } else if (brace != std::string::npos && text.back() == '}') {
      value = text.substr(0, brace) + Repeated(text.substr(brace));
    }
  }
}

json Object(const char* patch) {
  json object = DatabaseMigrationWith(json::parse(patch));
  FillIn(object);
  return object;
}

std::vector<DatabaseMigrationCase> AllCases() {
  std::vector<DatabaseMigrationCase> cases;
  for (const Row& row : kValid)
    cases.push_back({row.name, Judge::kNobody, Object(row.patch), {}, ""});
  for (const Row& row : kBySchema) {
    cases.push_back({row.name, Judge::kSchema, Object(row.patch), {}, row.violation});
  }
  for (const Row& row : kByRule) {
    cases.push_back({row.name, Judge::kRule, Object(row.patch), {}, row.violation});
  }
  for (const UpdateRow& row : kUpdates) {
    const Judge judge = *row.violation == '\0' ? Judge::kNobody : Judge::kRule;
    cases.push_back({row.name, judge, Object(row.patch), Object(row.old_patch), row.violation});
  }
  return cases;
}

}  // namespace

const std::vector<DatabaseMigrationCase>& DatabaseMigrationCases() {
  static const std::vector<DatabaseMigrationCase> kCases = AllCases();
  return kCases;
}

json DatabaseMigrationWith(const json& patch) {
  json object = json::parse(R"({
    "apiVersion": "whimbrel.dev/v1alpha1", "kind": "DatabaseMigration", "metadata": {"name": "orders"},
    "spec": {"database": {"secretRef": {"name": "orders-db"}},
             "source": {"configMaps": [{"name": "orders-sql"}]}}})");
  object.merge_patch(patch);
  return object;
}

}  // namespace whimbrel::testing
