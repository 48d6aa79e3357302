#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

namespace whimbrel::testing {

/// How to reach one database, as a test passes it on.
struct PgTarget {
  std::string host = "127.0.0.1";
  std::uint16_t port = 0;
  std::string user;
  std::string password;
  std::string dbname;

  /// For libpq: `host=… port=… …`.
  [[nodiscard]] std::string KeywordValue() const;
  /// `postgresql://user:password@host:port/dbname`.
  [[nodiscard]] std::string Uri() const;
  /// For libpq's programs and ours: `PGHOST`, `PGPORT`, ….
  [[nodiscard]] std::map<std::string, std::optional<std::string>> Environment() const;
  /// The same database through another port (a proxy before it).
  [[nodiscard]] PgTarget WithPort(std::uint16_t other) const;
  [[nodiscard]] PgTarget WithDatabase(std::string other) const;
  [[nodiscard]] PgTarget WithUser(std::string other, std::string its_password) const;
};

/// What a test sees a database with: plain libpq, so that nothing of the code under test is
/// between. Every failure throws std::runtime_error with the server's message. Not thread-safe.
class PgClient {
 public:
  using Cell = std::optional<std::string>;  ///< nullopt: NULL.
  using Rows = std::vector<std::vector<Cell>>;

  explicit PgClient(const PgTarget& target);
  ~PgClient();
  PgClient(PgClient&&) noexcept;
  PgClient& operator=(PgClient&&) noexcept;

  /// Runs statements; the rows of the last one.
  Rows Query(const std::string& sql);
  void Exec(const std::string& sql) { Query(sql); }
  /// The only column of the only row; NULL is "".
  [[nodiscard]] std::string Scalar(const std::string& sql);
  /// The rows as psql -At prints them: cells joined by `|`, NULL empty, a line each without a line
  /// end after the last.
  [[nodiscard]] std::string Text(const std::string& sql);

  /// Runs a statement that has to fail; its SQLSTATE.
  [[nodiscard]] std::string SqlstateOf(const std::string& sql);

  [[nodiscard]] int backend_pid() const;

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace whimbrel::testing
