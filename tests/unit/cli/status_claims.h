#pragma once

#include <algorithm>
#include <nlohmann/json.hpp>
#include <set>
#include <string>
#include <vector>

namespace whimbrel::cli {

/// What a status claims about a database, held against `applied`, the versions in its history at
/// that time. A status may lag behind the database, never run ahead of it. One sentence for each
/// claim that is not true.
inline std::vector<std::string> FalseClaims(const nlohmann::json& status,
                                            const std::set<std::string>& applied) {
  std::vector<std::string> lies;
  const auto check = [&](const std::string& what, const std::string& version) {
    if (!version.empty() && !applied.contains(version)) {
      lies.push_back(what + " claims version " + version + ", which is not applied");
    }
  };
  check("currentVersion", status.value("currentVersion", ""));
  if (status.value("appliedCount", 0U) > applied.size()) {
    lies.push_back("appliedCount claims " + std::to_string(status.value("appliedCount", 0U)) +
                   " where " + std::to_string(applied.size()) + " are applied");
  }
  for (const nlohmann::json& entry : status.value("applied", nlohmann::json::array())) {
    check("applied", entry.value("version", ""));
  }
  const nlohmann::json conditions = status.value("conditions", nlohmann::json::array());
  const bool ready =
      std::any_of(conditions.begin(), conditions.end(), [](const nlohmann::json& condition) {
        return condition.value("type", "") == "Ready" && condition.value("status", "") == "True";
      });
  if (!ready) return lies;
  check("Ready with its targetVersion", status.value("targetVersion", ""));
  if (status.value("pendingCount", 0) > 0) {
    lies.emplace_back("Ready claims to be done, pendingCount that it is not");
  }
  return lies;
}

}  // namespace whimbrel::cli
