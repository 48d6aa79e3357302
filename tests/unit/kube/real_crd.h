#pragma once

#include <nlohmann/json.hpp>
#include <string>

#include "support/temp_dir.h"
#include "whimbrel/kube/schema.h"
#include "whimbrel/kube/yaml.h"

namespace whimbrel::kube {

inline constexpr const char* kCrdFile =
    WHIMBREL_SOURCE_DIR "/crds/databasemigrations.whimbrel.dev.yaml";

inline const nlohmann::json& RealCrd() {
  static const nlohmann::json crd =
      *ParseYaml(testing::ReadFile(kCrdFile), kCrdFile).value().front().value;
  return crd;
}

inline const nlohmann::json& RealCrdSchema() {
  return RealCrd().at("spec").at("versions").at(0).at("schema").at("openAPIV3Schema");
}

inline const Schema& DatabaseMigrationSchema() {
  static const Schema schema = Schema::Parse(RealCrdSchema()).value();
  return schema;
}

}  // namespace whimbrel::kube
