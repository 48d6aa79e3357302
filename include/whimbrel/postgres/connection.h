#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <stop_token>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "whimbrel/base/clock.h"
#include "whimbrel/postgres/connection_parameters.h"
#include "whimbrel/postgres/error.h"
#include "whimbrel/postgres/statement_stream.h"

namespace whimbrel::postgres {

/// A result set, whole in memory: for our own bookkeeping queries, not for user SQL. Text format.
class Rows {
 public:
  using Row = std::vector<std::optional<std::string>>;

  Rows() = default;
  Rows(std::vector<Row> rows, std::string command_tag, std::uint64_t affected)
      : rows_(std::move(rows)), command_tag_(std::move(command_tag)), affected_(affected) {}

  [[nodiscard]] std::size_t size() const { return rows_.size(); }
  [[nodiscard]] bool empty() const { return rows_.empty(); }
  [[nodiscard]] const Row& operator[](std::size_t i) const { return rows_[i]; }
  [[nodiscard]] auto begin() const { return rows_.begin(); }
  [[nodiscard]] auto end() const { return rows_.end(); }
  [[nodiscard]] const std::string& command_tag() const { return command_tag_; }
  [[nodiscard]] std::uint64_t affected() const { return affected_; }

 private:
  std::vector<Row> rows_;
  std::string command_tag_;
  std::uint64_t affected_ = 0;
};

/// The value of a `$n` parameter; nullopt is NULL.
using Parameter = std::optional<std::string_view>;

/// What bounds every call on a connection. When either limit is reached in the middle of a call, the statement is
/// cancelled in the server from a second connection, its end is awaited for a short while, and the call returns an error
/// whose `interruption` says which limit it was.
struct CallLimits {
  SteadyTime deadline = SteadyTime::max();
  std::stop_token stop;
};

enum class TransactionStatus { kIdle, kActive, kInTransaction, kInFailedTransaction, kUnknown };

struct ConnectOptions {
  std::string application_name;  ///< At most 63 bytes.
  std::chrono::seconds timeout{10};  ///< For this one try, name resolution included.
  CallLimits limits;
};

/// Where a stream stopped.
struct StreamError {
  /// The server's or the connection's failure, or the stream's own (source changed, unreadable).
  std::variant<PgError, Error> cause;
  SourcePosition statement;  ///< Of the statement that failed; its `line` is 0 when no statement was under way.
  std::string statement_text_head;  ///< Not for display: its first bytes let `position` be mapped to line and column.
  std::uint64_t statements_done = 0;
};

/// One session, over libpq's non-blocking interface. Owns the socket. Move-only. Not thread-safe, except that
/// limits().stop may be fired from anywhere.
class Connection {
 public:
  static PgResult<Connection> Open(const ConnectionParameters& parameters, const ConnectOptions& options);

  Connection(Connection&&) noexcept;
  Connection& operator=(Connection&&) noexcept;
  ~Connection();

  /// Bounds every later call.
  void SetLimits(CallLimits limits);

  /// Runs one or several statements by the simple protocol; rows of the last result. Keeps the *first* error
  /// (reference/reliability.md §0.8).
  PgResult<Rows> Execute(std::string_view sql);
  /// Runs one statement with parameters by the extended protocol.
  PgResult<Rows> Query(std::string_view sql, std::span<const Parameter> parameters);
  PgResult<Rows> Query(std::string_view sql, std::initializer_list<Parameter> parameters) {
    return Query(sql, std::span(parameters.begin(), parameters.size()));
  }
  /// Sends COMMIT as a message of its own and checks that its tag is COMMIT: a failed transaction answers ROLLBACK without
  /// an error. When the connection breaks, `outcome_unknown` is set.
  PgResult<void> Commit();
  /// Rolls back when in a transaction; a broken connection is fine.
  void Rollback();

  /// Sends every statement of the stream inside the open transaction; results are read and thrown away. Stops at the
  /// first failure. `in_transaction_required`: after each statement the session must still be in the transaction, else the
  /// file has escaped it and the stream stops with SQLSTATE 25000 of our own making (message names it).
  Result<std::uint64_t, StreamError> Run(StatementStream& stream);

  [[nodiscard]] TransactionStatus transaction_status() const;
  [[nodiscard]] bool usable() const;
  [[nodiscard]] int backend_pid() const;
  [[nodiscard]] int server_version() const;  ///< PQserverVersion: 150018 is 15.18.
  [[nodiscard]] std::string ParameterStatus(std::string_view name) const;
  [[nodiscard]] bool standard_conforming_strings() const;

 private:
  class Impl;
  explicit Connection(std::unique_ptr<Impl> impl);
  std::unique_ptr<Impl> impl_;
};

/// `"a""b"`: an identifier, always quoted.
[[nodiscard]] std::string QuoteIdentifier(std::string_view name);
/// `'a''b'` or ` E'…'`: a literal that reads the same under either standard_conforming_strings.
[[nodiscard]] std::string QuoteLiteral(std::string_view value);

/// Maps a server's error position (characters of the statement sent) to the user's file.
[[nodiscard]] SourcePosition MapPosition(const SourcePosition& statement_start, std::string_view statement_text,
                                         std::uint32_t character_position);

}  // namespace whimbrel::postgres
