#pragma once

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <chrono>
#include <future>
#include <string>
#include <utility>

#include "support/eventually.h"
#include "support/pg_client.h"
#include "support/postgres_server.h"
#include "whimbrel/postgres/connection.h"

namespace whimbrel::postgres {

inline SteadyTime FromNow(std::chrono::milliseconds wait) {
  return std::chrono::steady_clock::now() + wait;
}

inline ConnectionParameters ParametersOf(const testing::PgTarget& target) {
  ConnectionParameters parameters;
  parameters.values = {{"host", target.host},
                       {"port", std::to_string(target.port)},
                       {"user", target.user},
                       {"dbname", target.dbname}};
  parameters.password = Secret(target.password);
  return parameters;
}

/// A database of its own, a session under test and an observer beside it.
class PgTest : public ::testing::Test {
 protected:
  PgTest() : target_(testing::SharedPostgres().CreateDatabase()), observer_(target_) {}

  Connection Open(CallLimits limits = {}) { return OpenAt(target_, std::move(limits)); }

  static Connection OpenAt(const testing::PgTarget& target, CallLimits limits = {}) {
    ConnectOptions options;
    options.application_name = "whimbrel/test";
    options.limits = std::move(limits);
    auto connection = Connection::Open(ParametersOf(target), options);
    if (!connection) throw std::runtime_error(connection.error().ToString());
    return *std::move(connection);
  }

  /// A new role with password `x`, named after the database: roles are the whole server's.
  std::string CreateRole(const std::string& options = "LOGIN") {
    std::string name = target_.dbname + "_role_" + std::to_string(++roles_);
    observer_.Exec("CREATE ROLE " + QuoteIdentifier(name) + " " + options + " PASSWORD 'x'");
    return name;
  }

  /// Waits until the backend is in the middle of a statement that is like `pattern`.
  void AwaitRunning(int pid, const std::string& pattern) {
    ASSERT_TRUE(testing::Eventually([&] {
      return observer_.Scalar(
                 "SELECT count(*) FROM pg_stat_activity WHERE state = 'active' AND pid "
                 "= " +
                 std::to_string(pid) + " AND query LIKE '" + pattern + "'") == "1";
    }));
  }

  /// Waits until the backend waits for its client.
  void AwaitIdle(int pid) {
    ASSERT_TRUE(testing::Eventually([&] {
      return observer_.Scalar("SELECT wait_event FROM pg_stat_activity WHERE pid = " +
                              std::to_string(pid)) == "ClientRead";
    }));
  }

  bool BackendLives(int pid) {
    return observer_.Scalar("SELECT count(*) FROM pg_stat_activity WHERE pid = " +
                            std::to_string(pid)) == "1";
  }

  testing::PgTarget target_;
  testing::PgClient observer_;

 private:
  int roles_ = 0;
};

}  // namespace whimbrel::postgres
