#pragma once

#include <chrono>
#include <string>

#include "whimbrel/sql/directives.h"

namespace whimbrel::engine {

/// The run's own timeouts, as statements that set them; what a `-- whimbrel:` directive asks for
/// comes instead.
class Timeouts {
 public:
  Timeouts(std::chrono::milliseconds lock, std::chrono::milliseconds statement)
      : lock_(lock), statement_(statement) {}

  /// These, except where the directives name others.
  [[nodiscard]] Timeouts With(const sql::Directives& directives) const {
    return {directives.lock_timeout.value_or(lock_),
            directives.statement_timeout.value_or(statement_)};
  }
  [[nodiscard]] std::chrono::milliseconds lock() const { return lock_; }
  [[nodiscard]] std::chrono::milliseconds statement() const { return statement_; }
  /// For the transaction under way (`SET LOCAL …`), without a semicolon at the end.
  [[nodiscard]] std::string LocalSql() const { return Sql("SET LOCAL "); }
  /// For the session.
  [[nodiscard]] std::string SessionSql() const { return Sql("SET "); }

 private:
  [[nodiscard]] std::string Sql(const std::string& set) const {
    return set + "lock_timeout = " + std::to_string(lock_.count()) + "; " + set +
           "statement_timeout = " + std::to_string(statement_.count()) + "; " + set +
           "idle_in_transaction_session_timeout = 60000";
  }

  std::chrono::milliseconds lock_;
  std::chrono::milliseconds statement_;
};

}  // namespace whimbrel::engine
