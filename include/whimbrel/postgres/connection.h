#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <initializer_list>
#include <memory>
#include <optional>
#include <span>
#include <stop_token>
#include <string>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

#include "whimbrel/base/clock.h"
#include "whimbrel/postgres/connection_parameters.h"
#include "whimbrel/postgres/error.h"
#include "whimbrel/postgres/rows.h"
#include "whimbrel/postgres/statement_stream.h"

namespace whimbrel::postgres {

class Wire;  // The implementation (src/postgres/wire.h).

/// The value of a `$n` parameter; nullopt is NULL.
using Parameter = std::optional<std::string_view>;

/// What bounds every call on a connection. When either limit is reached in the middle of a call,
/// the statement is cancelled in the server from a second connection, its end is awaited for at
/// most 5 s, and the call returns an error whose `interruption` says which limit it was. A
/// statement that ended well in spite of the cancel returns its result. A session that does not
/// answer is terminated and given up.
struct CallLimits {
  SteadyTime deadline = SteadyTime::max();
  std::stop_token stop;
};

enum class TransactionStatus { kIdle, kActive, kInTransaction, kInFailedTransaction, kUnknown };

struct ConnectOptions {
  std::string application_name;      ///< At most 63 bytes; see ApplicationName().
  std::chrono::seconds timeout{10};  ///< For this one try: name resolution and all hosts together.
  CallLimits limits;                 ///< Of this try and of every later call.
  /// A call that reaches a limit closes the session at once instead of cancelling its statement:
  /// for sessions that only look.
  bool give_up_at_limit = false;
};

/// Where a stream stopped.
struct StreamError {
  /// The server's or the connection's failure, or the stream's own (source changed, unreadable).
  std::variant<PgError, Error> cause;
  /// Start of the statement that failed; its `line` is 0 when no statement was under way.
  SourcePosition statement;
  /// The very place in the file: the server's error position where it told one, else `statement`.
  SourcePosition position;
  std::uint64_t statements_done = 0;
  /// How long that statement ran, as seen from here: at least as long as in the server. It tells
  /// the server's statement_timeout from an administrator's cancel, which have one SQLSTATE (57014)
  /// and texts in the server's language.
  std::chrono::nanoseconds statement_ran{0};
};

/// One session, over libpq's non-blocking interface. Owns the socket. Move-only. Not thread-safe,
/// except that the limits' stop may be requested from anywhere.
class Connection {
 public:
  /// Resolves, connects and logs in; every address of every host is tried in turn, each with a fair
  /// share of the time left. The session has `client_encoding` UTF8 and keep-alives; the rest is
  /// ApplySessionSettings' (session.h).
  static PgResult<Connection> Open(const ConnectionParameters& parameters,
                                   const ConnectOptions& options);

  Connection(Connection&&) noexcept;
  Connection& operator=(Connection&&) noexcept;
  ~Connection();

  /// Bounds every later call.
  void SetLimits(CallLimits limits);

  /// Runs one or several statements by the simple protocol; rows of the last result. Keeps the
  /// *first* error (reference/reliability.md §0.8). Not for a lone COMMIT: see Commit().
  PgResult<Rows> Execute(std::string_view sql);
  /// Runs one statement with parameters by the extended protocol.
  PgResult<Rows> Query(std::string_view sql, std::span<const Parameter> parameters);
  PgResult<Rows> Query(std::string_view sql, std::initializer_list<Parameter> parameters) {
    return Query(sql, std::span(parameters.begin(), parameters.size()));
  }
  /// Sends COMMIT as a message of its own and checks that its tag is COMMIT: a failed transaction
  /// answers ROLLBACK without an error (reported as 25P02). When the connection breaks,
  /// `outcome_unknown` is set.
  PgResult<void> Commit();
  /// Rolls back when in a transaction; a broken connection is fine. Works although a limit was
  /// reached, within 5 s; what does not answer by then is given up.
  void Rollback();

  /// Sends every statement of the stream; results are read and thrown away. Stops at the first
  /// failure. Begun inside a transaction, each statement must leave the session in that very
  /// transaction, else the file has escaped it and the stream stops with SQLSTATE 25000 of our own
  /// making. Returns the number of statements.
  Result<std::uint64_t, StreamError> Run(StatementStream& stream);

  /// Ends the session at once; later calls fail as on a broken connection.
  void Close();

  [[nodiscard]] TransactionStatus transaction_status() const;
  [[nodiscard]] bool usable() const;
  [[nodiscard]] int backend_pid() const;
  /// To open another session on the very server that this one found among the hosts and addresses
  /// that it was given; valid as long as the connection.
  [[nodiscard]] const ConnectionParameters& parameters() const;
  [[nodiscard]] int server_version() const;  ///< PQserverVersion: 150018 is 15.18.
  [[nodiscard]] std::string ParameterStatus(std::string_view name) const;
  [[nodiscard]] bool standard_conforming_strings() const;

 private:
  explicit Connection(std::unique_ptr<Wire> wire);
  std::unique_ptr<Wire> wire_;
};

/// `"a""b"`: an identifier, always quoted.
[[nodiscard]] std::string QuoteIdentifier(std::string_view name);
/// `'a''b'` or ` E'…'`: a literal that reads the same under either standard_conforming_strings.
[[nodiscard]] std::string QuoteLiteral(std::string_view value);

/// Maps a server's error position (1-based, in characters of the statement sent) to the user's
/// file.
[[nodiscard]] SourcePosition MapPosition(const SourcePosition& statement_start,
                                         std::string_view statement_text,
                                         std::uint32_t character_position);

}  // namespace whimbrel::postgres
