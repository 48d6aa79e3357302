#pragma once

#include <filesystem>
#include <memory>
#include <string>
#include <vector>

#include "support/pg_client.h"

namespace whimbrel::testing {

struct PostgresOptions {
  /// Added to the settings, as in `wal_level=logical`.
  std::vector<std::string> settings;
};

/// A private PostgreSQL server on 127.0.0.1 and a Unix socket, with a superuser `postgres` and
/// scram-sha-256. It runs from $WHIMBREL_PG_BIN or, without that, from Debian's newest major, as
/// user `postgres` where we are root, and never outlives the test. fsync is off: what is written
/// survives the death of a process, which is all that a test can bring about. Failures throw
/// std::runtime_error. CreateDatabase and the getters are thread-safe.
class PostgresServer {
 public:
  explicit PostgresServer(PostgresOptions options = {});
  ~PostgresServer();
  PostgresServer(const PostgresServer&) = delete;
  PostgresServer& operator=(const PostgresServer&) = delete;

  /// The superuser in database `postgres`.
  [[nodiscard]] const PgTarget& target() const;
  [[nodiscard]] const std::filesystem::path& socket_folder() const;
  /// What the server has logged.
  [[nodiscard]] std::string Log() const;

  /// A new empty database; every test takes its own.
  [[nodiscard]] PgTarget CreateDatabase();

  /// Fast shutdown: clients are cut off, the data is in order.
  void Stop();
  /// The postmaster and all backends die at once, as when the machine lost power.
  void Kill9();
  /// On the same port and data, after Stop or Kill9; returns when it answers.
  void Start();
  void Restart() {
    Stop();
    Start();
  }

 private:
  struct State;
  std::unique_ptr<State> state_;
};

/// One server for all tests of this binary, started at the first call and stopped at exit.
[[nodiscard]] PostgresServer& SharedPostgres();

}  // namespace whimbrel::testing
