#pragma once

#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "postgres/interrupt.h"
#include "postgres/pq_handles.h"
#include "whimbrel/postgres/connection.h"

namespace whimbrel::postgres {

/// The session behind a Connection: libpq's non-blocking calls under limits. One command is under
/// way at a time:
///
///     if (auto refused = wire.Begin(effect)) …;   // limits, broken session
///     wire.Send…(…);
///     while (ResultPtr result = wire.Next()) …;   // waits, cancels, gives up
///     if (auto error = wire.End(first_error)) …;  // what the call reports
///
/// When a limit is reached in between, the wait itself asks the server to cancel, from a second
/// session, and goes on waiting for a short grace; so every loop over results stays the same.
class Wire {
 public:
  /// What the loss of the session in the middle of the command leaves open.
  enum class Effect { kOnTransaction, kCommit };
  /// What to do when a limit is reached.
  enum class OnLimit {
    kCancel,
    kGiveUp,  ///< For the second session itself, which nobody cancels.
  };

  static PgResult<std::unique_ptr<Wire>> Open(const ConnectionParameters& parameters,
                                              const ConnectOptions& options, OnLimit on_limit);
  Wire(const Wire&) = delete;
  Wire& operator=(const Wire&) = delete;
  ~Wire() = default;

  void SetLimits(CallLimits limits) { interrupt_.SetLimits(std::move(limits)); }
  void Close() { conn_.reset(); }
  [[nodiscard]] bool usable() const;
  /// Narrowed to the server that was found.
  [[nodiscard]] const ConnectionParameters& parameters() const { return parameters_; }
  /// Null after Close().
  [[nodiscard]] PGconn* conn() const { return conn_.get(); }
  [[nodiscard]] PGTransactionStatusType transaction_status() const;

  /// Starts a command; an error when a limit is reached already or the session is broken.
  [[nodiscard]] std::optional<PgError> Begin(Effect effect);
  /// Starts a command that ends within the grace whatever the limits say.
  void BeginRollback();
  /// A text of kLargeQuery bytes or more has to be one statement.
  void SendQuery(std::string_view sql);
  void SendQueryParams(std::string_view sql, std::span<const Parameter> parameters);
  /// The next result; null at the end of the command, or when the session was given up.
  [[nodiscard]] ResultPtr Next();
  /// Ends the command. `first` is the first error that its results held.
  [[nodiscard]] std::optional<PgError> End(std::optional<PgError> first);

  // Inside a command whose last result was PGRES_COPY_IN.
  /// Sends a piece, waiting for the server wherever more than a little is left to send, so that
  /// memory stays bounded; false when the copy must end: a limit was reached, or the session broke.
  [[nodiscard]] bool PutCopyData(std::string_view data);
  /// Ends the copy; with a reason it fails in the server (57014).
  void EndCopyIn(std::optional<std::string> failure);
  /// Reads and forgets what a COPY TO STDOUT sends.
  void DrainCopyOut();

 private:
  Wire(const ConnectionParameters& parameters, const ConnectOptions& options, OnLimit on_limit)
      : parameters_(parameters), options_(options), on_limit_(on_limit) {}

  static void OnNotice(void* wire, const PGresult* notice);
  /// Returns false when the session was given up.
  bool WaitSocket(short events);
  bool Flush();
  [[nodiscard]] bool HoldsNul(std::string_view text);
  void Sent(int accepted);
  /// Takes note of a limit that was reached and asks the server to cancel.
  void Interrupted(Interruption interruption);
  void RequestCancel();
  void GiveUp(std::string why);
  [[nodiscard]] PgError Lost() const;

  ConnectionParameters parameters_;
  ConnectOptions options_;
  OnLimit on_limit_;
  Interrupt interrupt_;
  ConnPtr conn_;

  // Of the command under way.
  std::optional<PgError> not_sent_;  ///< Why there will be no result.
  bool outcome_open_ = false;
  std::size_t unflushed_ = 0;  ///< Bytes of COPY data given to libpq since they were last sent.
  Interruption interruption_ = Interruption::kNone;
  std::optional<SteadyTime> grace_until_;  ///< Set: limits no longer end a wait, this does.
  SteadyTime cancel_again_ = SteadyTime::max();
  bool can_signal_ = false;  ///< A second session could be opened when it was last tried.

  std::string shutdown_code_;  ///< SQLSTATE of a notice that announced the session's end.
  std::string given_up_;       ///< Why the session was given up.
};

}  // namespace whimbrel::postgres
