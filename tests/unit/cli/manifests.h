#pragma once

#include <string>

#include "support/postgres_server.h"
#include "support/temp_dir.h"

namespace whimbrel::cli {

/// A Secret for one database, as users write it.
inline std::string SecretYaml(const std::string& name, const whimbrel::testing::PgTarget& target) {
  return "apiVersion: v1\nkind: Secret\nmetadata:\n  name: " + name +
         "\nstringData:\n  host: " + target.host + "\n  port: \"" + std::to_string(target.port) +
         "\"\n  dbname: " + target.dbname + "\n  username: " + target.user +
         "\n  password: " + target.password + "\n";
}

/// A resource over a Secret and a ConfigMap of given names; `more` are further lines of its spec.
inline std::string MigrationYaml(const std::string& name, const std::string& secret,
                                 const std::string& config_map, const std::string& more = "") {
  return "apiVersion: whimbrel.dev/v1alpha1\nkind: DatabaseMigration\nmetadata:\n  name: " + name +
         "\nspec:\n  database:\n    secretRef:\n      name: " + secret +
         "\n  source:\n    configMaps:\n      - name: " + config_map + "\n" +
         (more.empty() ? "  execution:\n    mode: InProcess\n" : more);
}

/// One of the examples, by the name of its folder.
inline std::string Example(const std::string& folder, const std::string& file) {
  return whimbrel::testing::ReadFile(std::string(WHIMBREL_SOURCE_DIR) + "/examples/" + folder +
                                     "/" + file);
}

}  // namespace whimbrel::cli
