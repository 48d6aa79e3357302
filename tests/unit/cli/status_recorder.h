#pragma once

#include <map>
#include <mutex>
#include <nlohmann/json.hpp>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "support/api_fault_proxy.h"
#include "support/pg_client.h"
#include "unit/cli/status_claims.h"

namespace whimbrel::cli {

/// Reads every status that is about to be written, and holds it against the history of its database
/// at that very time. Resources are told apart by history.set, which is their name. Thread-safe.
class StatusRecorder {
 public:
  /// `databases[i]` belongs to the resources whose number modulo their count is i; a resource's
  /// name ends in its number, after a dash.
  explicit StatusRecorder(const std::vector<whimbrel::testing::PgTarget>& databases) {
    for (const auto& database : databases) databases_.emplace_back(database);
  }

  void Look(const whimbrel::testing::ApiRequest& request) {
    if (!request.IsStatusWrite()) return;
    const std::string path = request.target.substr(0, request.target.find("/status"));
    const std::string name = path.substr(path.rfind('/') + 1);
    const nlohmann::json body = nlohmann::json::parse(request.body);
    const std::lock_guard lock(mutex_);
    ++written_;
    for (const std::string& lie :
         FalseClaims(body.value("status", nlohmann::json::object()), Applied(name))) {
      lies_.push_back(name + ": " + lie);
    }
  }

  [[nodiscard]] std::vector<std::string> lies() const {
    const std::lock_guard lock(mutex_);
    return lies_;
  }
  /// Statuses seen, those that were refused included.
  [[nodiscard]] int written() const {
    const std::lock_guard lock(mutex_);
    return written_;
  }

 private:
  std::set<std::string> Applied(const std::string& name) {
    const std::size_t number = std::stoul(name.substr(name.rfind('-') + 1));
    whimbrel::testing::PgClient& sql = databases_[number % databases_.size()];
    if (sql.Scalar("SELECT to_regclass('whimbrel.whimbrel_migration') IS NULL") == "t") return {};
    std::set<std::string> versions;
    for (const auto& row :
         sql.Query("SELECT version FROM whimbrel.whimbrel_migration WHERE set = '" + name +
                   "' AND state = 'applied'")) {
      versions.insert(row.at(0).value_or(""));
    }
    return versions;
  }

  mutable std::mutex mutex_;
  std::vector<whimbrel::testing::PgClient> databases_;
  std::vector<std::string> lies_;
  int written_ = 0;
};

}  // namespace whimbrel::cli
