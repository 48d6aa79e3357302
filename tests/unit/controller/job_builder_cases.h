#pragma once

#include <nlohmann/json.hpp>
#include <string>

#include "controller/job_builder.h"
#include "unit/controller/manifests.h"

namespace whimbrel::controller::testing {

/// A resource as the controller reads it: defaulted by the CRD, parsed, with `patch` (RFC 7386)
/// merged into its spec.
inline DatabaseMigration MigrationOf(const std::string& patch) {
  nlohmann::json object = nlohmann::json::parse(R"({
    "apiVersion": "whimbrel.dev/v1alpha1", "kind": "DatabaseMigration",
    "metadata": {"name": "orders", "namespace": "shop",
                 "uid": "1a2b3c4d-5e6f-4711-8899-aabbccddeeff", "generation": 3},
    "spec": {"source": {"configMaps": [{"name": "orders-sql"}]},
             "database": {"secretRef": {"name": "orders-db"}}}})");
  object["spec"].merge_patch(nlohmann::json::parse(patch));
  CrdSchema().ApplyDefaults(object);
  return ParseDatabaseMigration(object);
}

inline RunState RunOf(const DatabaseMigration& object, int number) {
  return {.id = "9f8e7d6c-0000-4000-8000-000000000002",
          .attempt = 2,
          .generation = object.metadata.generation,
          .source_digest = "sha256:" + std::string(64, 'a'),
          .job_name = JobName(object.metadata, number)};
}

inline Result<nlohmann::json> JobOf(const DatabaseMigration& object, int number = 7) {
  return BuildJob(
      object, RunOf(object, number), number,
      {{.kind = "ConfigMap", .name = "orders-sql", .uid = "u", .resource_version = "5"}},
      {.image = "registry.example/whimbrel:1.2.3"});
}

/// Every field that a Job is made of.
inline constexpr const char* kEverything = R"j({
  "source": {"configMaps": [{"name": "base", "directory": "db/1.0"},
                            {"name": "more", "keys": ["002_b.sql", ".hidden.sql"]}]},
  "database": {"secretRef": {"name": "orders-db", "keys": {"password": "pw"}},
               "tls": {"mode": "VerifyFull", "caRef": {"kind": "Secret", "name": "ca"},
                       "clientCertSecretRef": {"name": "client"}}},
  "execution": {"deadlineSeconds": 3600},
  "job": {"serviceAccountName": "migrations",
          "podLabels": {"team": "orders"},
          "podAnnotations": {"sidecar.istio.io/inject": "false"},
          "resources": {"requests": {"cpu": 1, "memory": "64Mi", "ephemeral-storage": "10Mi"},
                        "limits": {"cpu": "2", "memory": "256Mi", "ephemeral-storage": "20Mi"}},
          "nodeSelector": {"kubernetes.io/arch": "arm64"},
          "tolerations": [{"key": "dedicated", "operator": "Equal", "value": "db",
                           "effect": "NoSchedule"}],
          "imagePullSecrets": [{"name": "registry"}],
          "ttlSecondsAfterFinished": 86400}})j";

inline constexpr const char* kArchived =
    R"({"source": {"configMaps": null, "archive": {"configMap": "all", "key": "sql.tgz"}}})";
inline constexpr const char* kWrittenInline = R"({"source": {"configMaps": null, "inline": [
    {"name": "001_é.sql", "sql": "SELECT 'a\"b';\n"}]}})";
inline constexpr const char* kWithoutPassword = R"({"database": {"secretRef": null,
    "connection": {"host": "pg", "dbname": "d", "user": "u"},
    "tls": {"caRef": {"name": "roots", "key": "bundle.pem"}}}})";

}  // namespace whimbrel::controller::testing
