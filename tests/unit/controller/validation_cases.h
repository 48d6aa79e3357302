#pragma once

#include <nlohmann/json.hpp>
#include <string>
#include <vector>

namespace whimbrel::controller::testing {

/// One row: a patch (RFC 7386) of a valid resource, and the sentence that refuses it; empty: valid.
struct ValidationCase {
  std::string sentence;
  nlohmann::json patch;
  std::string refusal;
  /// The resource that is there before; null: none, the case is a create.
  nlohmann::json old_patch = nullptr;
};

inline nlohmann::json ValidResource() {
  return nlohmann::json::parse(R"({
    "apiVersion": "whimbrel.dev/v1alpha1", "kind": "DatabaseMigration",
    "metadata": {"name": "case"},
    "spec": {"source": {"configMaps": [{"name": "sql"}]},
             "database": {"secretRef": {"name": "db"}}}})");
}

inline nlohmann::json Patched(const nlohmann::json& patch) {
  nlohmann::json object = ValidResource();
  if (!patch.is_null()) object.merge_patch(patch);
  return object;
}

inline nlohmann::json Inline(std::size_t bytes, const std::string& fill = "x") {
  std::string sql;
  while (sql.size() < bytes) sql += fill;
  return {{"configMaps", nullptr}, {"inline", {{{"name", "001_a.sql"}, {"sql", sql}}}}};
}

inline nlohmann::json Directory(const std::string& directory) {
  return {{"spec", {{"source", {{"configMaps", {{{"name", "sql"}, {"directory", directory}}}}}}}}};
}

inline nlohmann::json Table(const std::string& table) {
  return {{"spec", {{"history", {{"table", table}}}}}};
}

/// Of spec.job; the sentences that refuse are those of the CRD.
inline std::vector<ValidationCase> JobCases() {
  const auto job = [](const std::string& text) {
    return nlohmann::json{{"spec", {{"job", nlohmann::json::parse(text)}}}};
  };
  const std::string key =
      "must have keys such as team or example.com/team, as Kubernetes wants them";
  const std::string ours =
      "must not have keys under whimbrel.dev/, nor name, component, managed-by or part-of of "
      "app.kubernetes.io/: they are Whimbrel's own";
  const std::string toleration =
      "must have a key, or operator Exists; a value only without that, and tolerationSeconds only "
      "with effect NoExecute";
  std::vector<ValidationCase> cases = {
      {"an empty job", job("{}"), ""},
      {"a job where there is no pod",
       {{"spec", {{"job", nlohmann::json::object()}, {"execution", {{"mode", "InProcess"}}}}}},
       "must not be set when execution.mode is InProcess: then there is no pod"},
      {"a toleration of everything", job(R"({"tolerations": [{"operator": "Exists"}]})"), ""},
      {"a toleration of a value for a while",
       job(R"({"tolerations": [{"key": "a", "value": "", "effect": "NoExecute",
                                "tolerationSeconds": 0}]})"),
       ""}};
  for (const char* text : {R"({})", R"({"operator": "Equal", "value": "x"})",
                           R"({"key": "a", "operator": "Exists", "value": "x"})",
                           R"({"key": "a", "tolerationSeconds": 1})",
                           R"({"key": "a", "effect": "NoSchedule", "tolerationSeconds": 1})"}) {
    cases.push_back({std::string("a toleration ") + text,
                     job(std::string(R"({"tolerations": [)") + text + "]}"), toleration});
  }
  for (const char* field : {"podLabels", "podAnnotations", "nodeSelector"}) {
    const auto with = [&](const std::string& name) {
      return nlohmann::json{{"spec", {{"job", {{field, {{name, "x"}}}}}}}};
    };
    for (const std::string& name :
         {std::string("team"), std::string("example.com/Team_1.x"), std::string(63, 'a')}) {
      cases.push_back({std::string(field) + " " + name, with(name), ""});
    }
    for (const std::string& name :
         {std::string(), std::string("-a"), std::string("a b"), std::string("a/b/c"),
          std::string("/a"), std::string("a/"), std::string(64, 'a'),
          std::string(300, 'a') + "/" + "bcdefghijklmnopqrst"}) {
      cases.push_back({std::string(field) + " of key " + name, with(name), key});
    }
  }
  for (const char* field : {"podLabels", "podAnnotations"}) {
    for (const char* name :
         {"whimbrel.dev/run-id", "app.kubernetes.io/managed-by", "app.kubernetes.io/name"}) {
      cases.push_back(
          {std::string(field) + " " + name, {{"spec", {{"job", {{field, {{name, "x"}}}}}}}}, ours});
    }
  }
  return cases;
}

inline std::vector<ValidationCase> ValidationCases() {
  const auto spec = [](const char* text) {
    return nlohmann::json{{"spec", nlohmann::json::parse(text)}};
  };
  const std::string immutable = "may not be changed; create another resource for another history";
  const std::string table =
      "may not be changed, added or removed; create another resource for another history";
  const std::string path =
      "must be a relative path such as db/migrations; each part holds letters, digits, - _ and . "
      "and may not begin with a dot";
  const std::string table_name =
      "must be written as [schema.]table[(column)], with names as the catalog has them, without "
      "quotes and spaces";
  std::vector<ValidationCase> cases = {
      {"a minimal resource", nlohmann::json::object(), ""},
      {"both kinds of source", spec(R"({"source": {"inline": [{"name": "1.sql", "sql": "x"}]}})"),
       "must have exactly one of configMaps, archive and inline"},
      {"no source", spec(R"({"source": {"configMaps": null}})"),
       "must have exactly one of configMaps, archive and inline"},
      {"an archive", spec(R"({"source": {"configMaps": null, "archive": {"configMap": "sql"}}})"),
       ""},
      {"an archive beside ConfigMaps", spec(R"({"source": {"archive": {"configMap": "sql"}}})"),
       "must have exactly one of configMaps, archive and inline"},
      {"all kinds of source", spec(R"({"source": {"archive": {"configMap": "sql"},
                             "inline": [{"name": "1.sql", "sql": "x"}]}})"),
       "must have exactly one of configMaps, archive and inline"},
      {"inline SQL of 128 KiB", {{"spec", {{"source", Inline(131072)}}}}, ""},
      {"inline SQL of 128 KiB in fewer characters than bytes",
       {{"spec", {{"source", Inline(131074, "é")}}}},
       "must not hold more than 128 KiB of SQL in all; use configMaps for more"},
      {"both ways to log in",
       spec(R"({"database": {"connection": {"host": "h", "dbname": "d", "user": "u"}}})"),
       "must have exactly one of secretRef and connection"},
      {"no way to log in", spec(R"({"database": {"secretRef": null}})"),
       "must have exactly one of secretRef and connection"},
      {"a connection without a password", spec(R"({"database": {"secretRef": null,
                             "connection": {"host": "h", "dbname": "d", "user": "u"}}})"),
       ""},
      {"an authority for a connection without TLS",
       spec(R"({"database": {"tls": {"mode": "Disable", "caRef": {"name": "ca"}}}})"),
       "caRef and clientCertSecretRef must not be set when mode is Disable"},
      {"a certificate for a connection without TLS",
       spec(R"({"database": {"tls": {"mode": "Disable", "clientCertSecretRef": {"name": "c"}}}})"),
       "caRef and clientCertSecretRef must not be set when mode is Disable"},
      {"an authority", spec(R"({"database": {"tls": {"caRef": {"name": "ca"}}}})"), ""},
      {"a deadline below the statement timeout",
       spec(R"({"execution": {"deadlineSeconds": 60, "statementTimeoutSeconds": 60}})"),
       "must be greater than statementTimeoutSeconds"},
      {"a deadline below the default of the statement timeout",
       spec(R"({"execution": {"deadlineSeconds": 60}})"),
       "must be greater than statementTimeoutSeconds"},
      {"no statement timeout",
       spec(R"({"execution": {"deadlineSeconds": 60, "statementTimeoutSeconds": 0}})"), ""},
      {"a first wait above all waits", spec(R"({"execution": {"retry": {"initialSeconds": 301}}})"),
       "must not be greater than maxSeconds"},
      {"a first wait as long as all waits",
       spec(R"({"execution": {"retry": {"initialSeconds": 300}}})"), ""},
      {"another schema", spec(R"({"history": {"schema": "b"}})"), immutable,
       spec(R"({"history": {"schema": "a"}})")},
      {"another schema than the default", spec(R"({"history": {"schema": "b"}})"), immutable,
       nlohmann::json::object()},
      {"the default schema, now spelled out", spec(R"({"history": {"schema": "whimbrel"}})"), "",
       nlohmann::json::object()},
      {"another set", spec(R"({"history": {"set": "b"}})"), immutable, nlohmann::json::object()},
      {"another table", spec(R"({"history": {"table": "b"}})"), table,
       spec(R"({"history": {"table": "a"}})")},
      {"a table that is added", spec(R"({"history": {"table": "b"}})"), table,
       nlohmann::json::object()},
      {"a table that is removed", nlohmann::json::object(), table,
       spec(R"({"history": {"table": "a"}})")},
      {"the same table", spec(R"({"history": {"table": "a"}, "suspend": true})"), "",
       spec(R"({"history": {"table": "a"}})")},
      {"another database", spec(R"({"database": {"secretRef": {"name": "other"}}})"), "",
       nlohmann::json::object()}};
  for (const char* directory : {"db/migrations", "a", "a.b/-c/_", "0"}) {
    cases.push_back({std::string("a directory ") + directory, Directory(directory), ""});
  }
  for (const char* directory :
       {"/db", "db/", "db//x", ".", "..", "a/../b", ".x", "a b", "a\n", "é"}) {
    cases.push_back({std::string("a directory ") + directory, Directory(directory), path});
  }
  const std::string longest(63, 'x');
  for (const std::string& name : {std::string("t"), std::string("s.t"), std::string("t(c)"),
                                  std::string("s.t(c)"), std::string("Größe"), "s." + longest}) {
    cases.push_back({"a table " + name, Table(name), ""});
  }
  for (const std::string& name :
       {std::string("."), std::string("s."), std::string(".t"), std::string("a.b.c"),
        std::string("t("), std::string("t()"), std::string("t(c"), std::string("t(c)x"),
        std::string("(c)"), std::string("\"t\""), std::string("a b"), std::string("t\n"),
        longest + "x"}) {
    cases.push_back({"a table " + name, Table(name), table_name});
  }
  for (ValidationCase& c : JobCases()) cases.push_back(std::move(c));
  return cases;
}

}  // namespace whimbrel::controller::testing
