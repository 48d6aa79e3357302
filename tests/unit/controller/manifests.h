#pragma once

#include <filesystem>
#include <memory>
#include <nlohmann/json.hpp>
#include <string>

#include "support/temp_dir.h"
#include "whimbrel/controller/api.h"
#include "whimbrel/controller/validation.h"
#include "whimbrel/kube/manifest_client.h"
#include "whimbrel/kube/yaml.h"

namespace whimbrel::controller::testing {

inline constexpr const char* kCrdFile =
    WHIMBREL_SOURCE_DIR "/crds/databasemigrations.whimbrel.dev.yaml";

/// Parsed once: under sanitizers that takes a tenth of a second.
inline const kube::Schema& CrdSchema() {
  static const kube::Schema schema = [] {
    const std::string text = whimbrel::testing::ReadFile(kCrdFile);
    const nlohmann::json crd = *kube::ParseYaml(text, kCrdFile).value().front().value;
    const nlohmann::json& version = crd.at("spec").at("versions").at(0);
    return kube::Schema::Parse(version.at("schema").at("openAPIV3Schema")).value();
  }();
  return schema;
}

inline std::string MigrationYaml(const std::string& name, const std::string& more_spec = "",
                                 const std::string& annotations = "") {
  return "apiVersion: whimbrel.dev/v1alpha1\nkind: DatabaseMigration\nmetadata:\n  name: " + name +
         "\n" + (annotations.empty() ? "" : "  annotations: " + annotations + "\n") +
         "spec:\n"
         "  source:\n    configMaps: [{name: " +
         name +
         "-sql}]\n"
         "  database:\n    secretRef: {name: " +
         name +
         "-db}\n"
         "  execution: {mode: InProcess}\n" +
         more_spec;
}

inline std::string ConfigMapYaml(const std::string& name, const std::string& sql) {
  return "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: " + name +
         "}\ndata: {\"001_a.sql\": \"" + sql + "\"}\n";
}

inline std::string SecretYaml(const std::string& name) {
  return "apiVersion: v1\nkind: Secret\nmetadata: {name: " + name +
         "}\nstringData: {uri: \"postgresql://u:hunter2@db/orders\"}\n";
}

/// A folder of manifests and the API server in memory that serves it, in namespace `shop`.
class Manifests {
 public:
  void Write(const std::string& file, const std::string& yaml) {
    folder_.Write(file, yaml);
    if (client_) Reload();
  }
  void Remove(const std::string& file) {
    std::filesystem::remove(folder_ / file);
    if (client_) Reload();
  }
  /// A resource with all that it needs.
  void WriteAll(const std::string& name) {
    folder_.Write(name + "-sql.yaml", ConfigMapYaml(name + "-sql", "select 1"));
    folder_.Write(name + "-db.yaml", SecretYaml(name + "-db"));
    Write(name + ".yaml", MigrationYaml(name));
  }

  kube::ManifestClient& client() {
    if (!client_) {
      auto loaded = kube::ManifestClient::Load({folder_.path().string()}, "shop",
                                               {{.resource = DatabaseMigrations(),
                                                 .schema = CrdSchema(),
                                                 .validate = ValidateDatabaseMigration}});
      if (!loaded) throw std::runtime_error(loaded.error().message);
      client_ = *std::move(loaded);
    }
    return *client_;
  }

  nlohmann::json Get(const std::string& name) {
    return client().Get(DatabaseMigrations(), {.ns = "shop", .name = name}, {}).value();
  }
  /// `UpToDate`; empty before the first look.
  std::string Reason(const std::string& name) {
    const Condition* ready = Parsed(name).Find("Ready");
    return ready == nullptr ? "" : ready->reason;
  }
  std::string Message(const std::string& name) {
    const Condition* ready = Parsed(name).Find("Ready");
    return ready == nullptr ? "" : ready->message;
  }
  std::string ResourceVersion(const std::string& name) {
    return Get(name).at("metadata").at("resourceVersion");
  }

 private:
  const Status& Parsed(const std::string& name) {
    status_ = StatusFromJson(Get(name).value("status", nlohmann::json::object()));
    return status_;
  }
  void Reload() {
    if (const Result<void> loaded = client_->Reload(); !loaded) {
      throw std::runtime_error(loaded.error().message);
    }
  }

  whimbrel::testing::TempDir folder_;
  std::unique_ptr<kube::ManifestClient> client_;
  Status status_;
};

}  // namespace whimbrel::controller::testing
