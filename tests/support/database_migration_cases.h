#pragma once

#include <nlohmann/json.hpp>
#include <string>
#include <vector>

namespace whimbrel::testing {

/// Who notices that a DatabaseMigration is wrong.
enum class Judge {
  kNobody,  ///< It is valid.
  kSchema,  ///< The structural schema.
  kRule,    ///< A CEL rule of the CRD, and its twin in C++.
};

/// One DatabaseMigration and what has to be said about it. kube::Schema, the twins in `controller`
/// and a real API server all have to judge alike.
struct DatabaseMigrationCase {
  std::string name;
  Judge judge;
  nlohmann::json object;
  nlohmann::json old_object;  ///< Null: it is created; else what it is an update of.
  /// In the API server's words, field first; empty when it is valid.
  std::string violation;
};

[[nodiscard]] const std::vector<DatabaseMigrationCase>& DatabaseMigrationCases();

/// A minimal valid one, with `patch` (RFC 7386) merged into it.
[[nodiscard]] nlohmann::json DatabaseMigrationWith(const nlohmann::json& patch);

}  // namespace whimbrel::testing
