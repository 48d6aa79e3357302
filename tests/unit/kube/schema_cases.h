#pragma once

#include <cstddef>
#include <nlohmann/json.hpp>
#include <string>
#include <utility>
#include <vector>

namespace whimbrel::kube {

/// One DatabaseMigration and what the schema of the CRD has to say about it: kube::Schema and a
/// real API server judge alike. (Rules: tests/unit/controller/validation_cases.h.)
struct SchemaCase {
  std::string name;
  nlohmann::json object;
  std::string violation;  ///< How it begins, in the API server's words; empty when it is valid.
};

/// The patch is JSON; `{Nx}` in a string stands for N times x.
struct SchemaRow {
  const char* name;
  const char* patch;
  const char* violation;
};

inline constexpr SchemaRow kValidRows[] = {
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
    {"an archive", R"({"spec":{"source":{"configMaps":null,
       "archive":{"configMap":"a.b","key":".sql-1_2.tar.gz"}}}})",
     ""},
    {"a table without schema and column", R"({"spec":{"history":{"table":"migrations"}}})", ""},
    {"everything about the pods of runs",
     R"({"spec":{"job":{
       "serviceAccountName":"migrations","podLabels":{"team":"orders"},
       "podAnnotations":{"sidecar.istio.io/inject":"false"},
       "resources":{"requests":{"cpu":1,"memory":"1.5Gi","ephemeral-storage":"1e6"},
                    "limits":{"cpu":"250m","memory":268435456,"ephemeral-storage":".5G"}},
       "nodeSelector":{"kubernetes.io/arch":"arm64"},
       "tolerations":[{"key":"dedicated","operator":"Equal","value":"db","effect":"NoExecute",
                       "tolerationSeconds":60}],
       "priorityClassName":"high","runtimeClassName":"gvisor",
       "imagePullSecrets":[{"name":"registry"}],
       "successfulHistoryLimit":0,"failedHistoryLimit":100,"ttlSecondsAfterFinished":60}}})",
     ""},
    {"TLS off, said plainly", R"({"spec":{"database":{"tls":{"mode":"Disable"}}}})", ""},
};

inline constexpr SchemaRow kInvalidRows[] = {
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
    {"an archive of nowhere", R"({"spec":{"source":{"configMaps":null,"archive":{"key":"a"}}}})",
     "spec.source.archive.configMap: Required value"},
    {"an archive's key in a folder",
     R"({"spec":{"source":{"configMaps":null,"archive":{"configMap":"a","key":"b/c"}}}})",
     R"(spec.source.archive.key: Invalid value: "b/c": spec.source.archive.key in body should match '^\.?[-_a-zA-Z0-9][-._a-zA-Z0-9]*$')"},
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
    {"an image of the user's own", R"({"spec":{"job":{"image":"x"}}})",
     "unknown field \"spec.job.image\""},
    {"a quantity that is none", R"({"spec":{"job":{"resources":{"limits":{"memory":"1 GB"}}}}})",
     R"(spec.job.resources.limits.memory: Invalid value: "1 GB": spec.job.resources.limits.memory in body should match '^([0-9]+([.][0-9]*)?|[.][0-9]+)([KMGTPE]i|[numkMGTPE]|[eE][-+]?[0-9]+)?$')"},
    {"a quantity below nothing", R"({"spec":{"job":{"resources":{"limits":{"cpu":-1}}}}})",
     "spec.job.resources.limits.cpu: Invalid value: -1: spec.job.resources.limits.cpu in body "
     "should be greater than or equal to 0"},
    {"a fraction for a quantity", R"({"spec":{"job":{"resources":{"limits":{"cpu":0.5}}}}})",
     R"(spec.job.resources.limits.cpu: Invalid value: "number": spec.job.resources.limits.cpu in body must be of type integer,string: "number")"},
    {"a label of two words", R"({"spec":{"job":{"podLabels":{"team":"the orders"}}}})",
     R"(spec.job.podLabels.team: Invalid value: "the orders": spec.job.podLabels.team in body should match '^(([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9])?$')"},
    {"more labels than a person can keep apart", R"({"spec":{"job":{"podLabels":{
       "l0":"","l1":"","l2":"","l3":"","l4":"","l5":"","l6":"","l7":"","l8":"","l9":"",
       "l10":"","l11":"","l12":"","l13":"","l14":"","l15":"","l16":"","l17":"","l18":"",
       "l19":"","l20":"","l21":"","l22":"","l23":"","l24":"","l25":"","l26":"","l27":"",
       "l28":"","l29":"","l30":"","l31":"","l32":""}}}})",
     "spec.job.podLabels: Too many: 33: must have at most 32 items"},
    {"a secret for the registry twice",
     R"({"spec":{"job":{"imagePullSecrets":[{"name":"a"},{"name":"a"}]}}})",
     R"(spec.job.imagePullSecrets[1]: Duplicate value: {"name":"a"})"},
    {"a Job that is gone before it was seen", R"({"spec":{"job":{"ttlSecondsAfterFinished":0}}})",
     "spec.job.ttlSecondsAfterFinished: Invalid value: 0: spec.job.ttlSecondsAfterFinished in body "
     "should be greater than or equal to 60"},
    {"a set that could be a table's name", R"({"spec":{"history":{"set":"a.b"}}})",
     R"(spec.history.set: Invalid value: "a.b": spec.history.set in body should match '^[a-zA-Z0-9]([-_a-zA-Z0-9]*[a-zA-Z0-9])?$')"},
};

/// `{Nx}`, alone in a string, to N times x.
inline std::string Repeated(const std::string& text) {
  const std::size_t digits = text.find_first_not_of("0123456789", 1);
  const std::string unit = text.substr(digits, text.size() - digits - 1);
  std::string repeated;
  for (int count = std::stoi(text.substr(1)); count > 0; --count) repeated += unit;
  return repeated;
}

/// Fills in `{Nx}`, also after `sha256:`, and `$null`, which a merge patch cannot say.
inline void FillIn(nlohmann::json& value) {
  if (value.is_structured()) {
    for (nlohmann::json& member : value) FillIn(member);
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

/// A minimal valid DatabaseMigration, with `patch` (RFC 7386) merged into it.
inline nlohmann::json DatabaseMigrationWith(const nlohmann::json& patch) {
  nlohmann::json object = nlohmann::json::parse(R"({
    "apiVersion": "whimbrel.dev/v1alpha1", "kind": "DatabaseMigration", "metadata": {"name": "orders"},
    "spec": {"database": {"secretRef": {"name": "orders-db"}},
             "source": {"configMaps": [{"name": "orders-sql"}]}}})");
  object.merge_patch(patch);
  return object;
}

inline std::vector<SchemaCase> SchemaCases() {
  std::vector<SchemaCase> cases;
  const auto add = [&cases](const SchemaRow& row) {
    nlohmann::json object = DatabaseMigrationWith(nlohmann::json::parse(row.patch));
    FillIn(object);
    cases.push_back({.name = row.name, .object = std::move(object), .violation = row.violation});
  };
  for (const SchemaRow& row : kValidRows) add(row);
  for (const SchemaRow& row : kInvalidRows) add(row);
  return cases;
}

}  // namespace whimbrel::kube
